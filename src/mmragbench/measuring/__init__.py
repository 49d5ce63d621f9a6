"""From outputs to scores: PTB tokens, scores of cells, rows of a summary."""
