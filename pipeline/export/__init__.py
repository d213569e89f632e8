"""Mined pairs and boxes in the formats of other programs: COCO JSON, YOLO text, or plain folders."""

from pipeline.export.result import ExportResult
from pipeline.export.settings import ExportConfig, ExportSettings
from pipeline.export.stage import run

__all__ = ["ExportConfig", "ExportResult", "ExportSettings", "run"]
