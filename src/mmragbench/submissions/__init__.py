"""Outputs of other systems, read from the field's own formats and scored by our measures."""
