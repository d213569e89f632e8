"""Boxes that others drew or found, in the formats they hand them out in."""

from pipeline.detect.formats.boxes import BoxFiles, PictureBoxes
from pipeline.detect.formats.opening import open_boxes

__all__ = ["BoxFiles", "PictureBoxes", "open_boxes"]
