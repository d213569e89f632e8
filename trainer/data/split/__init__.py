"""Which pairs train and which only measure: decided once, written into the run, handed on to its children."""
