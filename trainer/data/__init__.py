"""What training sees: shards, what is held out, windows, what each branch is fed."""
