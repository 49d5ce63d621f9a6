"""From a suite to a plan: names are bound to components, and nothing is computed."""
