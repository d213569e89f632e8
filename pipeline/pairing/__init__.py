"""Finding, registering and judging RGB-TIR pairs."""
