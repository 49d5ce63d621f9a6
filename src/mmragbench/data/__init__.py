"""From what lies on a disk to tasks: annotations, tables, PDF; sampling, silver relevance, slices."""
