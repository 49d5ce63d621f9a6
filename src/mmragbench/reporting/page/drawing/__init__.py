"""Plots as inline SVG, without colours of their own: the page's light, dark and print styles apply."""
