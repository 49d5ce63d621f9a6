"""Whether two strategies, or two runs, differ; and where a difference comes from."""
