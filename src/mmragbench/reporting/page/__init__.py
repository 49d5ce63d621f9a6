"""The HTML page and its explorer."""
