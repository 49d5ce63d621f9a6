"""What strategies are made of: an index of documents, fusion of rankings, BM25, captions as grounding."""
