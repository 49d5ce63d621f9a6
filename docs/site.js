// Code that is wider than the page can be scrolled by keyboard, too.
document$.subscribe(() => {
  for (const code of document.querySelectorAll("pre > code")) code.tabIndex = 0;
});
