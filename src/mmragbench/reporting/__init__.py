"""What the reports share: a stored run as tables, curves, costs and an explorer.

Everything here reads a run folder and returns values; only the files in `reports/` write.
"""
