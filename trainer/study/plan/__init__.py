"""What a study runs, in which order, at what cost."""
