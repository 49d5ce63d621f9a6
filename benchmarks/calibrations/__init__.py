"""The parts of `benchmarks/calibration.py`: simulated data whose truth is known."""
