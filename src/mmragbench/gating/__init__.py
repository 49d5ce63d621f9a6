"""The gate: a run tested against a stored baseline, by a margin that was agreed on."""
