"""What reports say, as sentences."""
