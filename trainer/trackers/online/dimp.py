"""DiMP-18, DiMP-50 and SuperDiMP (pytracking's tracker.dimp; Bhat et al., ICCV 2019)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor

from pipeline.images import Rgb
from trainer.net import DimpNet
from trainer.net.backbone import Features
from trainer.net.correlation import FILTER_SIZE
from trainer.trackers.engine import Outcome
from trainer.trackers.geometry import Target, Window, search_side
from trainer.trackers.localization import Grid, Peak, Scores, cosine_window, search
from trainer.trackers.online.augment import View, with_dropout
from trainer.trackers.online.engine import OnlineEngine, at
from trainer.trackers.online.memory import Memory
from trainer.trackers.parameters.params import DimpParams, pair
from trainer.trackers.patch import Vector, location


class DimpEngine(OnlineEngine):
    """A tracker whose filter is predicted from the first frame and improved on the memory."""

    def __init__(self, net: DimpNet, params: DimpParams, generator: torch.Generator, device: torch.device) -> None:
        super().__init__(net, params, generator, device)
        self._net, self._params = net, params
        self.border_mode, self.max_scale_change = params.border_mode, params.patch_max_scale_change
        self.sample_size = np.array(pair(params.image_sample_size), np.float32)
        self._memory: Memory | None = None
        if params.filter_reg is not None:
            with torch.no_grad():
                net.classifier.filter_optimizer.filter_reg.fill_(params.filter_reg)
        self._cells = self.sample_size
        self.filter: Tensor
        """(1, C, 4, 4)."""

    def start(self, image: Rgb, box: ArrayLike) -> None:
        """See :meth:`Engine.start`."""
        self._frame, self._refined = 1, None
        self.target = target = Target(box, image.shape[:2])
        target.set_scale(search_side(target.size, self._params.search_area_scale) / np.sqrt(self.sample_size.prod()))
        window, offset = self._first_window()
        shown, features = self._views(image, window.pos, window.scale, offset)
        first = window.box(target.pos, target.size)
        boxes = torch.from_numpy(np.stack([first + _moved(view) for view in shown]).astype(np.float32)).to(self._device)
        self._learn_filter(features, boxes)
        if self._params.use_iou_net:
            self._learn_box(shown, features, boxes)

    def update(self, image: Rgb) -> Outcome:
        """See :meth:`Engine.update`."""
        self._frame += 1
        crops = self._crops(image, self._centred(self.target))
        windows = [Window(*location(crop.coord, self.sample_size), self.sample_size) for crop in crops]
        features = self._features([crop.image for crop in crops])
        seen = self._net.classification_features(features)
        peak, move = self._localize(self._net.classify(self.filter, seen)[:, 0], windows)
        window = windows[peak.map]
        self._locate(at(features, peak.map), window, window.pos + move, peak.flag)
        if self._memory is not None and peak.flag in ("normal", "hard_negative"):
            self._learn(seen[peak.map : peak.map + 1], window, peak)
        return self._outcome(peak.score, peak.flag)

    def _first_window(self) -> tuple[Window, Vector]:
        """Where the first frame is cut, and how far its content is then moved to keep the window inside the image."""
        target, scale, offset = self.target, self.target.scale, np.zeros(2, np.float32)
        if self._params.border_mode == "inside":
            size = scale * self.sample_size
            bound = self._params.patch_max_scale_change
            factor = np.clip((size / target.image).max(), 1, np.float32(np.inf if bound is None else bound))
            size = size / factor
            scale = np.sqrt((size / self.sample_size).prod())
            low, high = target.pos - (size - 1) / 2, target.pos + size / 2 + 1
            offset = -(np.maximum(-low, 0) - np.maximum(high - target.image, 0)) / scale
        return Window(np.rint(target.pos), scale, self.sample_size), np.asarray(offset, np.float32)

    def _learn_filter(self, features: Features, boxes: Tensor) -> None:
        """Predict the filter from n views and their boxes (n, 4), and begin the memory."""
        params = self._params
        shown = self._net.classification_features(features)
        samples = with_dropout(shown, params, self._generator)
        boxes = torch.cat([boxes, boxes[:1].expand(len(samples) - len(boxes), 4)])
        self._cells = np.array(samples.shape[-2:], np.float32)
        self.filter = self._net.predict_filter(samples, boxes[:, None], params.net_opt_iter).filter
        if params.update_classifier:
            self._memory = Memory(samples, boxes, params.sample_memory_size, params.init_samples_minimum_weight)

    def _centred(self, target: Target) -> Vector:
        """Where to cut the window so that the target is on a score cell, for odd feature maps."""
        odd = (self._cells + FILTER_SIZE) % 2
        return np.asarray(target.pos + odd * target.scale * self.sample_size / (2 * self._cells), np.float32)

    def _localize(self, raw: Tensor, windows: list[Window]) -> tuple[Peak, Vector]:
        """The best peak of score maps (S, h, w), and its offset (2,) from its window's centre in frame pixels."""
        params = self._params
        scores = self._processed(raw).cpu().numpy()
        grid = Grid.of(scores.shape[1:], self.sample_size, FILTER_SIZE)
        layouts = [grid.layout(each.scale, self.target.size, self.target.pos - each.pos, params) for each in windows]
        # So the reference: elsewhere DiMP leaves its window aside.
        windowed = params.window_output and params.advanced_localization and params.perform_hn_without_windowing
        window: Scores | None = cosine_window(scores.shape[1:]) if windowed else None
        peak = search(scores, layouts, params, window)
        return peak, peak.offset * grid.pitch * windows[peak.map].scale

    def _processed(self, scores: Tensor) -> Tensor:
        """Score maps (S, h, w) as the parameters want them."""
        params = self._params
        if params.score_preprocess == "exp":
            scores = scores.exp()
        elif params.score_preprocess == "softmax":
            scores = scores.flatten(1).softmax(1).view_as(scores)
        side = params.score_filter_ksz
        if side > 1:
            box = scores.new_ones(1, 1, side, side)
            scores = F.conv2d(scores[:, None], box, padding=side // 2)[:, 0]
        return scores

    def _learn(self, sample: Tensor, window: Window, peak: Peak) -> None:
        """Store the sample (1, C, h, w) with the target's box, and improve the filter if it is time."""
        params, memory = self._params, self._memory
        hard = params.hard_negative_learning_rate if peak.flag == "hard_negative" else None
        if memory is None:
            return
        if hard is not None or self._frame % params.train_sample_interval == 0:
            box = torch.from_numpy(window.box(self.target.pos, self.target.size))
            memory.add(sample, box, params.learning_rate if hard is None else hard)
        steps = self._steps(peak.score, hard is not None)
        if steps > 0:
            boxes, shares = memory.targets[:, None], memory.shares
            self.filter = self._net.optimize_filter(self.filter, memory.samples, boxes, steps, shares).filter

    def _steps(self, score: float, hard: bool) -> int:
        """Optimizer steps of this frame."""
        params = self._params
        if hard:
            return params.net_opt_hn_iter
        if params.low_score_opt_threshold is not None and score < params.low_score_opt_threshold:
            return params.net_opt_low_iter
        return params.net_opt_update_iter if (self._frame - 1) % params.train_skipping == 0 else 0


def _moved(view: View) -> Vector:
    """(4,) what a view's shift does to a box x, y, w, h."""
    return np.array([view.shift[1], view.shift[0], 0, 0], np.float32)
