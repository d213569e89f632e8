import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UsageError
from pipeline.images import decode_tir, encode, picture_size
from pipeline.synthetic import SynthConfig, run, sequences
from pipeline.synthetic.optics.camera import SCALE
from pipeline.synthetic.scene import tracking_layout

from ...conftest import lasting

Made = tuple[Path, dict[str, object]]


def _bytes(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): lasting(path) for path in sorted(root.rglob("*")) if path.is_file()}


def test_layout_is_kaists_and_lsotb_tirs(made: Made) -> None:
    files = _bytes(made[0])
    for sequence in ("set00/V000", "set03/V000"):
        for side in ("visible", "lwir"):
            for frame in range(3):
                data = files.pop(f"pairs/{sequence}/{side}/I{frame:05d}.jpg")
                assert picture_size(data, "picture") == (320, 256)
    for frame in range(1, 7):
        files.pop(f"tracking/person_S_001/img/{frame:04d}.jpg")
    assert sorted(files) == [
        "pairs/detected.jsonl",
        "pairs/detections.jsonl",
        "pairs/truth.json",
        "synth.json",
        "tracking/attributes/person_S_001.txt",
        "tracking/person_S_001/groundtruth_rect.txt",
    ]


def test_summary_counts_what_is_on_disk(made: Made) -> None:
    out, summary = made
    truth = json.loads((out / "pairs/truth.json").read_text())
    rows = [row for sequence in truth["sequences"] for row in sequence["frames"]]
    assert summary["pairs"] == len(rows) == 6
    assert summary["objects"] == sum(len(row["objects"]) for row in rows) > 0
    assert summary["bytes"] == sum(path.stat().st_size for path in out.rglob("*.jpg"))
    assert summary["tracking"] == ["person_S_001"]


def test_thermal_picture_is_grey_and_of_low_contrast(made: Made) -> None:
    data = (made[0] / "pairs/set03/V000/lwir/I00000.jpg").read_bytes()
    tir = decode_tir(data, "tir")
    assert 10 < tir.mean() < 150
    assert 5 < tir.std() < 75


@pytest.mark.parametrize("index", range(len(tracking_layout.SCRIPTS)))
def test_the_camera_never_turns_beyond_the_panorama(index: int) -> None:
    """However small the picture: nothing would be drawn there."""
    for width in (*range(96, 700, 7), 1280):
        scene = tracking_layout.scene(9, index, (width, 96))
        for axis, (whole, side) in enumerate(zip(scene.view.panorama, scene.view.size)):
            begins = [scene.offset(time / 10)[axis] for time in range(60)]
            assert min(begins) >= scene.inset, width
            assert max(begins) + SCALE * side + scene.inset <= whole, width


@pytest.mark.filterwarnings("error")
def test_a_small_thermal_picture_is_drawn() -> None:
    shot = sequences.tracking_frame(9, 0, 0, (160, 128))
    assert shot.tir.std() > 5
    assert shot.seen


def test_same_seed_same_bytes_whatever_the_workers(made: Made, small: SynthConfig, tmp_path: Path) -> None:
    again = small.model_copy(update={"out": tmp_path / "again", "workers": 2})
    run(again)
    assert _bytes(again.out) == _bytes(made[0])


def test_another_seed_is_another_world(made: Made, small: SynthConfig, tmp_path: Path) -> None:
    other = small.model_copy(update={"out": tmp_path / "other", "seed": 6, "sequences": 1, "frames": 1, "tracking": 0})
    run(other)
    name = "pairs/set00/V000/visible/I00000.jpg"
    assert (other.out / name).read_bytes() != (made[0] / name).read_bytes()


def test_a_frame_alone_equals_the_frame_in_a_run(made: Made, small: SynthConfig) -> None:
    sequences.stage.cache_clear()
    rgb, tir, _, _ = sequences.pair(small.seed, 1, 2, small.size)
    folder = made[0] / "pairs/set03/V000"
    assert encode(rgb, ".jpg") == (folder / "visible/I00002.jpg").read_bytes()
    assert encode(np.repeat(tir[..., None], 3, axis=2), ".jpg") == (folder / "lwir/I00002.jpg").read_bytes()


def test_chunks_join_into_one_truth(small: SynthConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"sequences": 2, "frames": 3, "tracking": 0, "size": (96, 96)}
    texts = []
    for chunk in (1, 32):
        monkeypatch.setattr("pipeline.synthetic.writer.CHUNK", chunk)
        out = tmp_path / str(chunk)
        run(small.model_copy(update={"out": out, **config}))
        texts.append((out / "pairs/truth.json").read_text())
    assert texts[0] == texts[1]
    assert [len(sequence["frames"]) for sequence in json.loads(texts[0])["sequences"]] == [3, 3]


def test_how_far_it_is_is_told_picture_by_picture(
    small: SynthConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr("pipeline.runtime.progress.FIRST_S", 0.0)
    monkeypatch.setattr("pipeline.runtime.progress.LINE_S", 0.0)
    run(small.model_copy(update={"out": tmp_path / "new", "frames": 2, "tracking_frames": 3, "size": (96, 96)}))
    told = [message for message in caplog.messages if message.startswith("synth: ")]
    assert told[0] == "synth: 7 frames"
    assert [line.split(", ")[-2].split()[-2] for line in told if " left, " in line][:3] == ["1/7", "2/7", "2/7"]
    assert ": 7/7 frames, in " in told[-1]


@pytest.mark.parametrize("empty", [{"sequences": 0, "tracking": 1}, {"frames": 0, "tracking": 0}])
def test_no_pairs_is_a_valid_truth(small: SynthConfig, tmp_path: Path, empty: dict[str, int]) -> None:
    out = tmp_path / "none"
    assert run(small.model_copy(update={"out": out, **empty}))["pairs"] == 0
    assert json.loads((out / "pairs/truth.json").read_text())["sequences"] == []


def test_refuses_a_folder_in_use(small: SynthConfig, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="not empty"):
        run(small.model_copy(update={"out": tmp_path}))


def test_overwrite_replaces_only_what_synth_made(small: SynthConfig, tmp_path: Path) -> None:
    tiny = {"sequences": 1, "frames": 2, "tracking": 0, "size": (96, 96), "out": tmp_path, "overwrite": True}
    (tmp_path / "mine.txt").write_text("keep")
    run(small.model_copy(update=tiny))
    run(small.model_copy(update={**tiny, "frames": 1}))
    assert (tmp_path / "mine.txt").read_text() == "keep"
    assert [path.name for path in sorted((tmp_path / "pairs").rglob("*.jpg"))] == ["I00000.jpg"] * 2


def test_overwrite_spares_a_folder_it_did_not_make(small: SynthConfig, tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "photo.jpg").write_bytes(b"precious")
    with pytest.raises(UsageError, match="did not make"):
        run(small.model_copy(update={"out": tmp_path, "overwrite": True}))
    assert (tmp_path / "pairs" / "photo.jpg").exists()


def test_unwritable_output_is_one_line(small: SynthConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError) as caught:
            run(small.model_copy(update={"out": out}))
        assert str(tmp_path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_nothing_to_make_is_refused_and_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--sequences 0 --tracking 0 makes nothing: raise one of them"):
        run(SynthConfig(out=tmp_path / "out", sequences=0, tracking=0))
    assert not (tmp_path / "out").exists()
