"""Known layouts, a file each."""
