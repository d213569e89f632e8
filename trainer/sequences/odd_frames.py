"""What people are told of frames that are read otherwise than they may expect, in a line a kind."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import some


def odd_frames(turned: Mapping[str, int], blank: Mapping[str, int]) -> list[str]:
    """What is odd about the frames of sequences.

    Args:
        turned: by sequence, how many frames have an EXIF orientation that would turn or mirror them.
        blank: by sequence, how many show something, of which nothing lies within the thermal range.
    """
    lines = []
    if turned:
        lines.append(
            f"the EXIF orientation of {sum(turned.values())} frames ({some(sorted(turned))}) would turn them; it is "
            "ignored, so boxes drawn on turned frames do not fit"
        )
    if blank:
        lines.append(
            f"of {sum(blank.values())} frames ({some(sorted(blank))}) all values lie outside of the range of their "
            "sequence, so that they are black or white: are they of one camera and depth? --tir-range LOW,HIGH sets "
            "another"
        )
    return lines
