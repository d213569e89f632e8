"""Sequences to track and to measure on: frames, rows of boxes, benchmarks. No torch."""

from trainer.sequences.benchmark import Benchmark, load_benchmark
from trainer.sequences.box_file import BoxFile, read_boxes
from trainer.sequences.dataset import Clip, DataSet, load_data_set
from trainer.sequences.frames import read_frames
from trainer.sequences.rows import Boxes

__all__ = [
    "Benchmark",
    "BoxFile",
    "Boxes",
    "Clip",
    "DataSet",
    "load_benchmark",
    "load_data_set",
    "read_boxes",
    "read_frames",
]
