"""The parameters of the trackers under pytracking's names, with its defaults."""
