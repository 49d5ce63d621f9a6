"""The facts of reports, as values: units, marks, costs, curves, families of tests."""
