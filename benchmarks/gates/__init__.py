"""A run, what may happen to it, and the level of the test: for `gate_calibration.py`."""
