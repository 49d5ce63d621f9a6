"""A run as pandas data frames and figures."""
