"""A run in the formats of other tools: TREC, COCO, BEIR and mteb."""
