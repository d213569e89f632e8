"""Tubes: objects and regions followed through the frames of a sequence, each with one box a frame."""

from pipeline.mine.tubes.tube import Followed, Frame, Tube

__all__ = ["Followed", "Frame", "Tube"]
