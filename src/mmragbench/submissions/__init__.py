"""Outputs made elsewhere, in the field's own formats, made into what the measures score."""
