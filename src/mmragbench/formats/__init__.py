"""Readers of the formats that others write in, one a format: for data sets and `score` alike."""
