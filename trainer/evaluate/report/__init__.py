"""What an evaluation shows: page, tables, plots, strips of frames, numbers."""
