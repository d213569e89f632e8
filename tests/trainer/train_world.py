"""A tiny world for the trainer's tests: shards of pairs whose box is a marked rectangle, and small windows."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipeline.boxes import corners
from pipeline.images import encode
from pipeline.shards.index import INDEX
from pipeline.shards.schema import NO_TRACK, SCHEMA_VERSION
from pipeline.shards.writer import Pair, Patch, Shard, stats_path, write_shard
from trainer.base_trackers import BASE_TRACKERS
from trainer.checkpoints.run_folder import MODEL
from trainer.checkpoints.weights import load_weights
from trainer.data.shards import of_kind
from trainer.net import build_network
from trainer.recipes.geometry import SearchSpec, TrackerSpec, geometry_of
from trainer.recipes.recipe import load_recipe
from trainer.recipes.settings import TrainConfig

from .random_networks import drawn_once

WIDTH, HEIGHT = 200, 160
MARK = 250
"""Gray value of the target; the background stays well below."""
SEQUENCES, FRAMES = 6, 2
SMALL_WINDOW = 144


def picture(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A dark textured picture (H, W) and the box of the bright rectangle in it."""
    rng = np.random.default_rng(number)
    image = cv2.resize(rng.integers(20, 90, (20, 25), dtype=np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    size = rng.integers(24, 44, 2)
    x, y = rng.integers(10, WIDTH - 60), rng.integers(10, HEIGHT - 60)
    image[y : y + size[1], x : x + size[0]] = MARK
    return image, np.array([x, y, *size], float)


def shard(
    sequences: int = SEQUENCES,
    frames: int = FRAMES,
    method: str = "center",
    valid: np.ndarray | None = None,
    cut_tir: bool = False,
    suffix: str = ".png",
    gone: tuple[str, ...] = (),
    tubes: bool = False,
) -> Shard:
    """Pairs ``video-i/j``, each with one patch: its mark; thermal pictures may be cut in half.

    Pairs that begin with one of ``gone`` are not there; ``tubes`` marks one object in all pictures of a sequence.
    """
    content = Shard(config={"method": method} | ({"tubes": True} if tubes else {}))
    names = [f"video-{number // frames}/{number % frames}" for number in range(sequences * frames)]
    there = [number for number, name in enumerate(names) if not f"{name}/".startswith(gone)]
    for row, number in enumerate(there):
        gray, box = picture(number)
        rgb = np.stack([gray, gray // 4 * 3, gray // 2], axis=2)
        rgb[gray == MARK] = MARK
        quad = corners((0, 0, WIDTH, HEIGHT)) if valid is None else valid
        tir = encode(gray, suffix)
        stored = tir[: len(tir) // 2] if cut_tir else tir
        place = f"video-{number // frames}", number % frames
        content.pairs.append(Pair(names[number], encode(rgb, suffix), stored, np.eye(3), quad, *place))
        content.patches.append(Patch(row, box, 1.0, -1, None, None, track=0 if tubes else NO_TRACK))
    return content


def tracked(**changes: Any) -> Shard:
    """The same, with marks that are known to be one object in all pictures of a sequence."""
    content = shard(**changes)
    content.patches[:] = [dataclasses.replace(patch, track=0) for patch in content.patches]
    return content


def write_world(
    folder: Path,
    *shards: Shard,
    schema: str = SCHEMA_VERSION,
    root: str = "/data/tiny",
    manifest: str | None = None,
) -> Path:
    """Write shards and the index that ``cmd-prep mine`` would write; before it told the manifest's name, where None."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, content in enumerate(shards or (shard(),)):
        path = folder / f"shard-{number:05d}.h5"
        write_shard(path, content)
        stats = json.loads(stats_path(path).read_text())
        entries.append({key: stats[key] for key in ("file", "sha256", "bytes", "pairs", "patches")})
    index = {
        "schema_version": schema,
        "settings": dict((shards or (shard(),))[0].config),
        "versions": {},
        "source": {"root": root} | ({"manifest": manifest} if manifest else {}),
        "totals": {},
        "shards": entries,
    }
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def write_teacher(folder: Path) -> Path:
    """DiMP-18 with weights other than those that a run's own seed gives."""
    torch.manual_seed(99)
    save_file(build_network("dimp18").state_dict(), folder / "teacher.safetensors")
    return folder / "teacher.safetensors"


def same_bits(first: Path, second: Path) -> bool:
    """Whether the models of two runs are equal."""
    one, two = load_weights(first / MODEL), load_weights(second / MODEL)
    return one.keys() == two.keys() and all(one[name].equal(two[name]) for name in one)


def small_windows(patch: pytest.MonkeyPatch) -> None:
    """Windows of 144 pixels, 9 cells, for every tracker: a step costs a quarter of the time.

    Few draws are judged, and networks are drawn once.
    """
    patch.setattr("trainer.data.giveaways.DRAWS", 50)
    patch.setattr("trainer.train.initial_weights.build_network", drawn_once)
    for name, tracker in BASE_TRACKERS.items():
        patch.setattr(f"trainer.{tracker.geometry.replace(':', '.')}", small(geometry_of(name)))


def small(spec: TrackerSpec) -> TrackerSpec:
    """A tracker's geometry with small windows, where it has any but its own."""
    return dataclasses.replace(spec, size=SMALL_WINDOW) if isinstance(spec, SearchSpec) else spec


def settings(shards: Path, out: Path, **changes: Any) -> TrainConfig:
    """A run of two epochs of two samples, read in this process."""
    base = {
        "shards": (shards,),
        "recipe": "c1",
        "tracker": "dimp18",
        "out": out,
        "epochs": 2,
        "samples_per_epoch": 2,
        "batch_size": 2,
        "device": "cpu",
        "loader_workers": 0,
        "held_out_samples": 0,
    }
    given = base | changes
    # One small world serves all rows, whatever patches they want.
    wanted = None if given["recipe"] == "all" else load_recipe(str(given["recipe"])).patches
    if wanted and "patches" not in changes and (shards / INDEX).is_file():
        given.setdefault("force", not of_kind([shards], wanted))
    return TrainConfig.model_validate(given)
