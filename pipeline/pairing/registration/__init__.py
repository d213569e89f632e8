"""Registering TIR pictures to RGB pictures, and judging how well that went."""

from pipeline.pairing.registration.register import Model, Registration, register_pair, register_sequence

__all__ = ["Model", "Registration", "register_pair", "register_sequence"]
