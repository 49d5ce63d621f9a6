"""The cache of what runs compute: identities, models' answers, vectors, results of stages."""
