"""Published reference numbers, computed again and compared with the published ones."""
