"""Components for mmragbench that look at words."""
