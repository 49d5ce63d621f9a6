"""A run against a stored baseline: is it still as good, by a margin that was agreed on?"""
