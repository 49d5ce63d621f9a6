"""Large made-up corpora, and models that cost next to nothing."""
