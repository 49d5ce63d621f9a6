"""What a paper takes from runs: tables, figures, references, and the paragraph on methods."""
