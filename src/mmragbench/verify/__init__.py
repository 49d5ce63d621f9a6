"""Published reference numbers, computed again: what agrees, what does not, what could not be run."""
