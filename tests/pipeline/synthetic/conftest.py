from pathlib import Path

import pytest

from pipeline.synthetic import SynthConfig, run

SIZE = (320, 256)


@pytest.fixture(scope="session")
def small() -> SynthConfig:
    return SynthConfig(out=Path("unset"), sequences=2, frames=3, tracking=1, tracking_frames=6, size=SIZE, seed=5)


@pytest.fixture(scope="session")
def made(small: SynthConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    out = tmp_path_factory.mktemp("synth") / "data"
    return out, run(small.model_copy(update={"out": out}))
