"""Tables of reports and papers."""
