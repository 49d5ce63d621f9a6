"""Models that transformers loads: checkpoints, chat templates, generation of text and of images."""
