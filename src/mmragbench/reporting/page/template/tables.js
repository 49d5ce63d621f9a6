"use strict";
// Tables that sort by a click on a head: the largest first, then the smallest, then as they came.
(() => {
const ORDERS = { none: "descending", descending: "ascending", ascending: "none" };

// A cell's number, or its text; undefined where it has neither.
function key(cell) {
  if (!cell) return undefined;
  if (cell.dataset.value) return Number(cell.dataset.value);
  const text = cell.textContent.trim();
  const number = /^[\u2212+-]?[\d,]*\.?\d+/.exec(text);
  if (number) return Number(number[0].replace(/,/g, "").replace("\u2212", "-"));
  return text && text !== "failed" && !text.startsWith("\u2014") ? text : undefined;
}

// Below 0 where a stands before b; what is missing stands last, whatever the order.
function compare(a, b, sign) {
  if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
  return sign * order;
}

function sort(table, column, order) {
  const sign = order === "ascending" ? 1 : -1;
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => row.dataset.place);
    rows.sort((a, b) => (order === "none" ? 0 : compare(key(a.cells[column]), key(b.cells[column]), sign)) || a.dataset.place - b.dataset.place);
    body.append(...rows);
  }
}

// A row that stands for its group (a setting, a task's first row) binds the table to its order.
const sortable = (table) => table.tHead?.rows.length === 1
  && [...table.tBodies].every((body) => [...body.rows].every((row) => row.cells[0].tagName === "TH"))
  && [...table.tBodies].some((body) => body.rows.length > 1);

for (const table of document.querySelectorAll("table.numbers")) {
  if (!sortable(table)) continue;
  const heads = [...table.tHead.rows[0].cells];
  for (const body of table.tBodies) {
    [...body.rows].forEach((row, place) => { if (row.cells.length === heads.length) row.dataset.place = place + 1; });
  }
  heads.forEach((head, column) => {
    if (head.classList.contains("bars")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const order = ORDERS[head.getAttribute("aria-sort") ?? "none"];
      for (const other of heads) other.removeAttribute("aria-sort");
      if (order !== "none") head.setAttribute("aria-sort", order);
      sort(table, column, order);
    });
  });
}
})();
