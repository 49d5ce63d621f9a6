"""Parts of `gate_calibration.py`."""
