"""Parts that model adapters share: devices, weights, padding, prompts, self-tests."""
