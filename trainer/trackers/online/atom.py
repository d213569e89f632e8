"""ATOM (pytracking's tracker.atom; Danelljan et al., CVPR 2019): an online classifier, and the IoU-net."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from pipeline.images import Rgb
from pipeline.labels import gaussian_label
from trainer.net import AtomNet
from trainer.net.filter_optimizer import STRIDE
from trainer.trackers.engine import Outcome
from trainer.trackers.geometry import Target, Window
from trainer.trackers.localization import Layout, Peak, cosine_window, search
from trainer.trackers.online.atom_classifier import OnlineClassifier
from trainer.trackers.online.augment import with_dropout
from trainer.trackers.online.engine import OnlineEngine, at
from trainer.trackers.online.memory import Memory
from trainer.trackers.parameters.params import AtomParams
from trainer.trackers.patch import Vector

_EPSILON = 1e-10


class AtomEngine(OnlineEngine):
    """A tracker whose filter and projection are learnt on the first frame, the filter again while tracking."""

    def __init__(self, net: AtomNet, params: AtomParams, generator: torch.Generator, device: torch.device) -> None:
        super().__init__(net, params, generator, device)
        self._params = params
        self._classifier: OnlineClassifier
        self._memory: Memory
        self._sigma = 0.0
        self._fine: tuple[Tensor, Tensor]

    def start(self, image: Rgb, box: ArrayLike) -> None:
        """See :meth:`Engine.start`."""
        params = self._params
        self._frame = 1
        self.target = target = Target(box, image.shape[:2])
        self._refined = target.pos
        area = float((target.size * np.float32(params.search_area_scale)).prod())
        target.set_scale(math.sqrt(area / min(max(area, params.min_image_sample_size), params.max_image_sample_size)))
        self.sample_size = self._window_size()
        shown, features = self._views(image, target.pos, target.scale)
        window = Window(np.rint(target.pos), target.scale, self.sample_size)
        moved = np.array([[view.shift[1], view.shift[0], 0, 0] for view in shown], np.float32)
        if params.use_iou_net:
            boxes = torch.from_numpy(window.box(target.pos, target.size) + moved)
            self._learn_box(shown, features, boxes.to(self._device))
        samples = with_dropout(_normalised(features["layer3"]), params, self._generator)
        shifts = [view.shift for view in shown] + [shown[0].shift] * (len(samples) - len(shown))
        self._prepare_maps(samples.shape[-2:])
        labels = torch.cat([self._label(window, np.array(shift, np.float32)) for shift in shifts])
        self._classifier = OnlineClassifier(samples, params, self._generator)
        self._classifier.learn_first(samples, labels)
        self._memory = Memory(
            self._classifier.project(samples), labels, params.sample_memory_size, params.init_samples_minimum_weight
        )

    def update(self, image: Rgb) -> Outcome:
        """See :meth:`Engine.update`."""
        self._frame += 1
        target = self.target
        # The sampler truncates where this rounds, as in the reference: the two may differ by a pixel.
        centre = np.rint(target.pos)
        scales = [target.scale * np.float32(factor) for factor in self._params.scale_factors]
        features = self._features([crop.image for crop in self._crops(image, target.pos)])
        seen = self._classifier.project(_normalised(features["layer3"]))
        peak, move = self._localize(self._classifier.score(seen))
        window = Window(centre, scales[peak.map], self.sample_size)
        self._locate(at(features, peak.map), window, centre + move, peak.flag)
        self._learn(seen[peak.map : peak.map + 1], window, peak)
        return self._outcome(peak.score, peak.flag)

    def _window_size(self) -> Vector:
        """(2,) the search window in network pixels: a square with an even (or odd) number of cells."""
        side = np.rint(np.sqrt((self.target.base * np.float32(self._params.search_area_scale)).prod()))
        cycle = 2 * STRIDE
        over = side % cycle if self._params.feature_size_odd else (side + STRIDE) % cycle
        return np.full(2, side + STRIDE - over, np.float32)

    def _prepare_maps(self, cells: tuple[int, ...]) -> None:
        """Take the size (h, w) of the feature maps: of it depend the label's width and the interpolation of scores."""
        pitch = np.array(cells, np.float32) / self.sample_size
        self._sigma = float(np.sqrt((pitch * self.target.base).prod())) * self._params.output_sigma_factor
        outs = (int(self._params.score_upsample_factor * side) for side in self.sample_size)
        rows, columns = (
            torch.from_numpy(_interpolation(cell, out, kernel)).to(self._device)
            for cell, out, kernel in zip(cells, outs, self._params.kernel_size)
        )
        self._fine = rows, columns

    def _label(self, window: Window, shift: Vector | float = 0.0) -> Tensor:
        """The Gaussian label (1, h, w) of the target in a window whose content moved by ``shift`` (2,) pixels."""
        side, cells = float(self.sample_size[0]), self._fine[0].shape[1]
        row, column = side / 2 + (self.target.pos - window.pos) / window.scale + shift
        label = gaussian_label(
            (column, row, 0, 0),
            feature_size=cells,
            kernel_size=self._params.kernel_size[0],
            image_size=side,
            sigma_factor=self._sigma / cells,
        )
        return torch.from_numpy(label[None, :cells, :cells]).to(self._device)

    def _localize(self, scores: Tensor) -> tuple[Peak, Vector]:
        """The best peak of score maps (S, h, w), and its offset (2,) from the window's centre in frame pixels."""
        params, target = self._params, self.target
        fine = (self._fine[0] @ scores @ self._fine[1].T).cpu().numpy()
        size = np.array(fine.shape[1:], np.float32)
        neighbourhood = np.float32(params.target_neighborhood_scale) * target.size / target.scale
        layout = Layout(np.floor(size / 2), neighbourhood, np.zeros(2, np.float32))
        window = None
        if params.window_output and (params.advanced_localization or not params.perform_hn_without_windowing):
            window = cosine_window(fine.shape[1:], centred=False)
        peak = search(fine, [layout] * len(fine), params, window)
        move = peak.offset * (self.sample_size / size) * target.scale
        if not params.advanced_localization:
            move = move * np.float32(params.scale_factors[peak.map])
        return peak, np.asarray(move, np.float32)

    def _learn(self, sample: Tensor, window: Window, peak: Peak) -> None:
        """Store the sample (1, D, h, w) with its label if it can be trusted, and improve the filter if it is time."""
        params, memory = self._params, self._memory
        hard = peak.flag == "hard_negative"
        if peak.flag in ("normal", "hard_negative"):
            rate = params.hard_negative_learning_rate if hard else None
            memory.add(sample, self._label(window)[0], params.learning_rate if rate is None else rate)
        steps = params.hard_negative_CG_iter if hard else params.CG_iter
        if hard or (self._frame - 1) % params.train_skipping == 0:
            self._classifier.learn(memory.samples, memory.targets, memory.shares, steps)


def _normalised(features: Tensor) -> Tensor:
    """Every image's map (n, C, h, w) scaled to unit mean square."""
    return features / (features.square().mean(dim=(1, 2, 3), keepdim=True) + _EPSILON).sqrt()


def _interpolation(cells: int, out: int, kernel: int) -> NDArray[np.float32]:
    """Fourier interpolation along one axis, (out, cells): displacement 0 is at ``out // 2``.

    The series of an even number of cells holds its highest frequency twice, as the reference's does: so the fine map
    does not quite pass through the scores.
    """
    place = (cells - kernel % 2) / 2 + (np.arange(out) - out // 2) * cells / out
    distance = place[:, None] - np.arange(cells)
    frequencies = np.arange(1, cells // 2 + 1)[:, None, None]
    waves = 1 + 2 * np.cos(2 * np.pi * frequencies * distance / cells).sum(axis=0)
    return np.asarray(waves / cells, np.float32)
