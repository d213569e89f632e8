"""What the benchmarks share: the same pictures for all, runs in turn, one JSON line.

Machines are noisy, so a benchmark never reports seconds alone: its yardstick runs in the same process, in turn with it,
and the ratio of the medians is what counts.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

from pipeline.align import AlignConfig
from pipeline.synthetic import SynthConfig


def in_turn(functions: dict[str, Callable[[], int]], rounds: int = 3) -> dict[str, float]:
    """Median items a second of each function; each returns how many items it did."""
    rates: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            count = function()
            rates[name].append(count / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in rates.items()}


def now(device: torch.device) -> float:
    """Seconds of a clock, once a GPU has done all that it was given."""
    if device.type == "cuda":
        sys.modules["torch"].cuda.synchronize(device)
    return time.perf_counter()


def report(name: str, **values: object) -> None:
    """Print one benchmark's line, with what its figures depend on beside the code."""
    rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
    print(json.dumps({"benchmark": name, **rounded, "machine": machine()}))


def machine() -> dict[str, object]:
    """Processor, whether it multiplies in bfloat16, GPU, cores, threads, how many processes want a core (1 minute)."""
    torch = sys.modules.get("torch")
    gpu = {"gpu": torch.cuda.get_device_name()} if torch and torch.cuda.is_available() else {}
    threads = {name: os.environ[name] for name in ("OMP_NUM_THREADS",) if name in os.environ}
    told = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    names = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "bf16": "avx512_bf16" in told or "amx_bf16" in told,
        **gpu,
        "cores": os.cpu_count(),
        **threads,
        "load": round(os.getloadavg()[0], 1),
    }


def decoded(file: Path) -> NDArray[np.uint8]:
    """A picture as it is stored.

    Raises:
        SystemExit: it cannot be read.
    """
    picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise SystemExit(f"error: {file}: cannot be decoded")
    return np.asarray(picture, np.uint8)


def decode_all(files: Sequence[Path]) -> Callable[[], int]:
    """The yardstick that only decodes the pictures of pairs, two files each."""

    def work() -> int:
        for file in files:
            decoded(file)
        return len(files) // 2

    return work


def aligned_pairs(folder: Path, frames: int = 24, model: str = "auto") -> Path:
    """Synthetic pairs in ``folder``/data/pairs, aligned into the folder that is returned."""
    from pipeline import align, synthetic

    if not (folder / "data").exists():
        synthetic.run(SynthConfig(out=folder / "data", sequences=2, frames=frames, tracking=0))
    out = folder / f"aligned-{model}"
    config = AlignConfig(root=folder / "data" / "pairs", out=out, model=model, estimate="pair", min_score=0)
    align.run(config, report=False)
    return out


def mined_pairs(folder: Path) -> Path:
    """Shards of such pairs, whole pictures with one centred patch each, in the folder that is returned."""
    from pipeline import mine

    out = folder / "shards"
    mine.run(mine.MineConfig(aligned=aligned_pairs(folder), out=out, method="center", patch_size=0))
    return out
