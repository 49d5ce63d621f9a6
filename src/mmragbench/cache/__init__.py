"""What was computed once is looked up: identities, models' answers, vectors, stages."""
