"""What models are made of: devices, weights, padding, prompts, self-tests."""
