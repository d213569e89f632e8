"""Sequences to track and to measure on: frames, rows of boxes, benchmarks. No torch."""
