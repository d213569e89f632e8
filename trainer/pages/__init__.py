"""The pages of a run: losses, what it is fed."""
