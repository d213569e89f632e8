"""Registering TIR pictures to RGB pictures, and judging how well that went."""
