import numpy as np
import pytest

from pipeline.synthetic.optics.heat import BODY, MATERIALS, ZERO, Climate
from pipeline.synthetic.optics.noise import stream

COLD_NIGHT = Climate(True, ZERO + 6, ZERO - 28)
HOT_DAY = Climate(False, ZERO + 30, ZERO - 2)


def test_at_night_bodies_are_warmest_and_the_sky_is_coldest() -> None:
    skin = COLD_NIGHT.apparent("skin")
    others = [COLD_NIGHT.apparent(name) for name in MATERIALS if name not in ("skin", "lamp")]
    assert skin > max(others) + 5
    assert min(others) > COLD_NIGHT.sky + 10


def test_a_sunlit_wall_outshines_a_person_on_a_hot_day() -> None:
    assert HOT_DAY.apparent("brick", sun=1.0) > HOT_DAY.apparent("cloth") + 1
    assert HOT_DAY.apparent("brick", sun=0.0) < HOT_DAY.apparent("skin")


def test_glass_and_bare_metal_mirror_the_cold_sky() -> None:
    assert HOT_DAY.apparent("glass", 0.5) < HOT_DAY.apparent("plaster", 0.5) - 3
    assert COLD_NIGHT.apparent("car") < COLD_NIGHT.apparent("asphalt") - 3


@pytest.mark.parametrize("name", sorted(MATERIALS))
def test_sun_warms_and_heat_adds(name: str) -> None:
    assert HOT_DAY.apparent(name, 1.0) >= HOT_DAY.apparent(name, 0.0)
    gain = HOT_DAY.apparent(name, 0.5, heat=10) - HOT_DAY.apparent(name, 0.5)
    assert gain == pytest.approx(10 * MATERIALS[name].emissivity)


def test_air_hides_distant_heat() -> None:
    assert HOT_DAY.haze(0) == 1
    assert 0 < HOT_DAY.haze(2000) < HOT_DAY.haze(100) < 1


@pytest.mark.parametrize("night", [False, True])
def test_weather_is_drawn_within_reason(night: bool) -> None:
    for seed in range(20):
        climate = Climate.draw(stream(seed), night)
        assert ZERO < climate.air < BODY
        assert 20 < climate.air - climate.sky < 45
        assert np.isfinite(climate.apparent("asphalt"))
