"""First-frame views: shapes, shifts, order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from trainer.trackers.online import augment
from trainer.trackers.parameters.params import DimpParams

SIZE = np.array([48, 48], np.float32)
PARAMS = DimpParams()


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_dimp_has_thirteen_views_of_one_size() -> None:
    wide = augment.wide_size(PARAMS, SIZE)
    patch = np.random.default_rng(0).random((*wide.astype(int), 3)).astype(np.float32)
    shown = augment.views(PARAMS, SIZE, generator())
    assert [view.upright for view in shown] == [True] * 9 + [False] * 4
    assert [view.shift for view in shown[:5]] == [(0, 0), (14, 14), (-14, 14), (14, -14), (-14, -14)]
    assert all(abs(row) <= 8 and abs(column) <= 8 for row, column in (view.shift for view in shown[5:]))
    assert len({view.shift for view in shown[5:]}) > 4
    cut = [view(patch, (48, 48)) for view in shown]
    assert {each.shape for each in cut} == {(48, 48, 3)}
    np.testing.assert_array_equal(cut[0], patch[24:72, 24:72])


def test_content_moves_by_the_shift() -> None:
    patch = np.zeros((96, 96, 1), np.float32)
    patch[48, 48] = 1
    view = augment.View(augment.identity, (5, -7))(patch, (48, 48))
    assert tuple(np.argwhere(view[..., 0])[0]) == (29, 17)


def test_blur_keeps_the_mean_and_widens_rows_by_its_first_number() -> None:
    patch = np.zeros((41, 41), np.float32)
    patch[20, 20] = 1
    blurred = augment.blur((3, 1))(patch)
    assert np.isclose(blurred.sum(), 1, atol=1e-5)
    assert blurred[25, 20] > blurred[20, 25]
    assert blurred[27, 20] == 0


def test_rotation_by_a_quarter_turns_about_the_middle() -> None:
    patch = np.zeros((21, 21), np.float32)
    patch[10, 15] = 1
    turned = augment.rotate(90)(patch)
    assert np.isclose(turned.sum(), 1, atol=1e-4)
    assert turned[15, 10] > 0.99 or turned[5, 10] > 0.99


def test_scale_keeps_the_middle() -> None:
    patch = np.zeros((40, 40, 3), np.float32)
    patch[15:25, 15:25] = 1
    small = augment.scale(2)(patch)
    assert small.shape == (20, 20, 3)
    view = augment.View(augment.scale(2), (0, 0))(patch, (40, 40))
    assert view.shape == (40, 40, 3)
    assert view[20, 20, 0] == 1
    assert view[14, 20, 0] == 0


def test_the_wide_patch_is_as_even_as_the_window() -> None:
    odd = np.array([45, 45], np.float32)
    factor = replace(PARAMS, augmentation_expansion_factor=1.5)
    assert (augment.wide_size(factor, odd) == 67).all()
    assert (augment.wide_size(replace(PARAMS, augmentation_expansion_factor=1.6), odd) == 73).all()
    assert (augment.wide_size(replace(PARAMS, augmentation_expansion_factor=None), odd) == odd).all()


def test_without_augmentation_there_is_one_view_and_no_dropout() -> None:
    none = replace(PARAMS, use_augmentation=False)
    features = torch.ones(1, 6, 2, 2)
    assert len(augment.views(none, SIZE, generator())) == 1
    assert augment.with_dropout(features, none, generator()) is features


def test_dropout_switches_whole_channels_off() -> None:
    features = torch.ones(13, 400, 3, 3)
    samples = augment.with_dropout(features, PARAMS, generator())
    assert samples.shape == (15, 400, 3, 3)
    dropped = samples[13:]
    assert set(dropped.unique().tolist()) == {0.0, 1.25}
    assert (dropped.flatten(2).std(dim=2) == 0).all()
    assert 0.1 < (dropped == 0).float().mean() < 0.3


def test_the_draws_depend_on_the_seed_alone() -> None:
    first, again = ([view.shift for view in augment.views(PARAMS, SIZE, generator())] for _ in range(2))
    other = [view.shift for view in augment.views(PARAMS, SIZE, torch.Generator().manual_seed(1))]
    assert first == again != other
