"""Models behind a server: requests, retries, budgets, prices, replies."""
