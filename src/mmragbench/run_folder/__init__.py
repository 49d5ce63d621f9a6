"""The run folder: its paths, its writers, its one reader."""
