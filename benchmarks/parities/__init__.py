"""The parts of docs/parity.md, one file each; `benchmarks/parity.py` puts them together."""
