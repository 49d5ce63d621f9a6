"""Models that transformers loads: prompts as their processors want them, words and pictures out."""
