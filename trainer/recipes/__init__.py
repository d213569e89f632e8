"""What a run does: the rows of Table 1, the base trackers, the settings."""
