"""The detectors and the mining methods, each one line: a name, and where what it names is."""

from __future__ import annotations

from pipeline.plugins import Registry

DETECTORS = Registry(
    "detector",
    {
        "yolo": "pipeline.detect.yolo.detector:build",
        "faster-rcnn": "pipeline.detect.faster_rcnn:build",
        "boxes": "pipeline.detect.boxes_file:build",
    },
)
"""Functions that build a :class:`pipeline.detect.Detector` from a :class:`pipeline.detect.DetectorSpec`."""
READ_DETECTIONS = frozenset({"boxes"})
"""The detectors that look boxes up in ``--detections``; the others take ``--weights``, one's own may take both."""
METHODS = Registry(
    "mining method",
    {
        "center": "pipeline.mine.methods.center:Center",
        "random": "pipeline.mine.methods.random:Random",
        "detection": "pipeline.mine.methods.detection:Detection",
    },
)
"""Classes derived from :class:`pipeline.mine.methods.Method`."""
