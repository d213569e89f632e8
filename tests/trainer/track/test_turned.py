"""Frames that an EXIF orientation would turn: one warning with their number."""

from __future__ import annotations

import pytest
from PIL import Image

from ...conftest import done
from ..track_world import World, world, write_sequence

__all__ = ["world"]


def test_frames_that_a_tag_would_turn_are_told_once_with_their_number(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    write_sequence(world.root, "bird", 3)
    for name, frames in (("car", (2, 4)), ("dog", (1,)), ("bird", (2,))):
        for frame in frames:
            path = world.root / name / f"img/{frame}.png"
            exif = Image.Exif()
            exif[0x0112] = 1 if name == "bird" else 6
            with Image.open(path) as picture:
                picture.save(path, exif=exif)
    done(world.track())
    told = [record.getMessage() for record in caplog.records if "EXIF" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("warning: the EXIF orientation of 3 frames (car, dog) would turn them; it is ignored")
    assert all(frame.shape == (49, 64) for frame in world.seen.frames)
    caplog.clear()
    done(world.track("--on-existing", "overwrite", "--sequences", "bird"))
    assert "EXIF" not in caplog.text
