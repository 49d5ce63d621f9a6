"""What reports say, as values: units, marks, costs, curves, families of tests."""
