"""The loop that runs a plan: retrieve, generate, score, with cached models."""
