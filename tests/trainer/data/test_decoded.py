"""Pictures that stay decoded: the same windows as of those that are decoded anew, in no more memory than is given."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import images
from trainer.data.controls import PairControl
from trainer.data.dataset import PairDataset
from trainer.data.feeds import Feeding
from trainer.data.shards import Source, open_source
from trainer.data.views.decoded import DecodedPictures
from trainer.recipes.geometry import geometry_of

from ..train_world import HEIGHT, WIDTH, shard, write_world

FEEDINGS = {
    "both ways round": Feeding(("rgb", "tir"), ("tir", "rgb")),
    "shuffled": Feeding(("tir",), ("rgb",), control=PairControl(shuffled=True)),
    "misaligned": Feeding(("tir",), ("rgb",), control=PairControl(misalign=7.5)),
    "gray": Feeding(("gray",), ("gray",)),
    "joined": Feeding(("rgb-tir",), ("tir-rgb",)),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Pictures of which the TIR camera does not see all."""
    quad = np.array([[0, 0], [150, 0], [150, HEIGHT], [0, HEIGHT]], float)
    return open_source((write_world(tmp_path_factory.mktemp("shards"), shard(4, 1, valid=quad)),))


@pytest.mark.parametrize("tracker", ["nanotrack_v2", "dimp18"])
@pytest.mark.parametrize("fed", FEEDINGS)
def test_windows_do_not_depend_on_what_is_kept(source: Source, tracker: str, fed: str) -> None:
    """Nothing that is done to the pictures of one draw is seen in another."""
    feeding, spec = FEEDINGS[fed], geometry_of(tracker)
    keeping, anew = (PairDataset(source, np.arange(4), spec, feeding, samples=30, seed=0) for _ in range(2))
    anew.decoded = DecodedPictures(0)
    for draw in range(12):
        kept, decoded = keeping[draw], anew[draw]
        assert all(np.array_equal(kept[name], decoded[name]) for name in decoded)


def test_a_picture_is_decoded_once_while_there_is_room(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = source.readers[0]
    wanted = [reader.rgb(row) for row in range(3)]
    rows: list[str] = []
    decode = images.decode_rgb

    def spy(data: bytes, name: str, reduce: int) -> images.Rgb:
        rows.append(name[-2])
        return decode(data, name, reduce)

    monkeypatch.setattr(images, "decode_rgb", spy)
    pictures = DecodedPictures(2 * WIDTH * HEIGHT * 3)
    for _ in range(3):
        for row in range(3):
            picture = pictures.rgb(reader, row, reader.encoded("rgb", row), 1)
            assert np.array_equal(picture, wanted[row])
            assert picture.flags.writeable == (row == 2)
    assert "".join(rows) == "01222"
