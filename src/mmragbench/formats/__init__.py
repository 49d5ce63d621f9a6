"""Readers and writers of exchange formats, a module each, for data sets, `score` and exports."""
