"""Settings of the stages: typed, frozen, and an unknown key is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Base of every settings object."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


OnExisting = Literal["resume", "overwrite", "fail"]
Model = Literal["auto", "identity", "translation", "similarity", "affine", "homography"]
Method = Literal["center", "random", "detection"]
DetectorName = Literal["yolo", "faster-rcnn", "boxes"]
Backend = Literal["auto", "torchvision", "detectron2"]


class SynthConfig(Settings):
    """Settings of ``cmd-prep synth``.

    Attributes:
        out: folder to make.
        sequences: RGB-TIR sequences; each is one camera rig with its own TIR -> RGB homography.
        frames: pairs a sequence.
        tracking: TIR tracking sequences with per-frame ground truth.
        tracking_frames: frames of each of them.
        size: (width, height) of the pictures in pixels.
        seed: everything drawn is a function of it and of the sequence and frame.
        workers: processes.
        overwrite: replace what an earlier run left in ``out``.
    """

    out: Path
    sequences: int = Field(default=4, ge=0)
    frames: int = Field(default=24, ge=0)
    tracking: int = Field(default=4, ge=0)
    tracking_frames: int = Field(default=60, ge=0)
    size: tuple[Annotated[int, Field(ge=96, le=4096)], Annotated[int, Field(ge=96, le=4096)]] = (640, 512)
    seed: int = 0
    workers: int = Field(default=1, ge=1)
    overwrite: bool = False


class AlignConfig(Settings):
    """Settings of ``cmd-prep align``.

    Attributes:
        root: the data set's folder.
        out: folder for ``aligned.jsonl``, ``rejects.jsonl``, ``align.json`` and ``report.html``.
        manifest: name of a shipped manifest, a layout, or a YAML file; ``auto`` recognises the layout.
        model: the family of TIR -> RGB matrices; ``auto`` takes the simplest that the evidence supports.
        estimate: ``pair``, ``sequence`` (one matrix a camera), or None for what the manifest says.
        min_score: pairs that score lower are rejected; 0 keeps every pair that decodes, with its best estimate.
        tir_range: raw values of 16-bit TIR that become 0 and 255; None takes the manifest's policy.
        homographies: JSON file of known matrices, as ``align`` writes it.
        write_images: also write the aligned pictures.
        preview: do only this many pairs, spread over the data set; 0 does all.
        max_reject_ratio: above this share of rejects the command ends with exit code 1.
        workers: local processes.
        scheduler: address of a Dask scheduler, instead of local processes.
        on_existing: what to do with an output folder that an earlier run made.
        seed: kept for the record; nothing in this stage is drawn at random.
    """

    root: Path
    out: Path
    manifest: str = "auto"
    model: Model = "auto"
    estimate: Literal["pair", "sequence"] | None = None
    min_score: float = Field(default=0.3, ge=0, le=1)
    tir_range: tuple[float, float] | None = None
    homographies: Path | None = None
    write_images: bool = False
    preview: int = Field(default=0, ge=0)
    max_reject_ratio: float = Field(default=0.5, ge=0, le=1)
    workers: int = Field(default=1, ge=1)
    scheduler: str | None = None
    on_existing: OnExisting = "resume"
    seed: int = 0


class MineConfig(Settings):
    """Settings of ``cmd-prep mine``; those that decide the result are :meth:`recipe`.

    Attributes:
        aligned: folder that ``align`` wrote.
        out: folder for the shards.
        method: where the pseudo boxes come from.
        detector: ``yolo``, ``faster-rcnn`` or ``boxes`` (files); for ``detection`` only.
        weights: the detector's weights file.
        detector_config: detectron2 configuration name or file.
        backend: which Faster R-CNN: torchvision's, detectron2's, or whichever is installed.
        detections: file or folder with boxes, for ``boxes``.
        confidence: lowest detector score kept.
        classes: class ids kept (COCO, 0 to 79); empty keeps all.
        min_size: shortest side kept, pixels.
        max_size: longest side kept, pixels; 0 is no limit.
        device: where the detector runs.
        batch_size: pictures given to the detector at once.
        fallback: what a pair without detections gets: a random patch, or nothing.
        patches_per_pair: at most this many patches a pair (center makes one).
        patch_size: side of the stored tight patches in pixels; 0 leaves them out.
        fraction: size of a random region relative to the picture.
        fraction_of: whether that is a share of each side or of the area.
        center_fraction: side of the centre square as a share of the common area's short side.
        max_overlap: largest IoU of two random regions of one pair.
        warped_format: how a TIR picture that had to be resampled is encoded.
        pairs_per_shard: pairs planned for one shard.
        root: the data set's folder where it is not where ``align`` found it.
        max_reject_ratio: above this share of rejected pairs the command ends with exit code 1.
        workers: local processes.
        scheduler: address of a Dask scheduler, instead of local processes.
        worker_resources: Dask worker resources one task needs.
        on_existing: what to do with an output folder that an earlier run made.
        seed: random regions are a function of it and of the pair's id.
    """

    aligned: Path
    out: Path
    method: Method
    detector: DetectorName = "yolo"
    weights: Path | None = None
    detector_config: str | None = None
    backend: Backend = "auto"
    detections: Path | None = None
    confidence: float = Field(default=0.25, ge=0, le=1)
    classes: tuple[int, ...] = ()
    min_size: float = Field(default=16, ge=1)
    max_size: float = Field(default=0, ge=0)
    device: str = "cpu"
    batch_size: int = Field(default=8, ge=1)
    fallback: Literal["random", "skip"] = "random"
    patches_per_pair: int = Field(default=5, ge=1, le=1000)
    patch_size: int = Field(default=100, ge=0, le=4096)
    fraction: float = Field(default=1 / 6, gt=0, le=1)
    fraction_of: Literal["side", "area"] = "side"
    center_fraction: float = Field(default=1 / 3, gt=0, le=1)
    max_overlap: float = Field(default=0.1, ge=0, le=1)
    warped_format: Literal["jpg", "png"] = "jpg"
    pairs_per_shard: int = Field(default=500, ge=1, le=100_000)
    root: Path | None = None
    max_reject_ratio: float = Field(default=0.5, ge=0, le=1)
    workers: int = Field(default=1, ge=1)
    scheduler: str | None = None
    worker_resources: dict[str, float] | None = None
    on_existing: OnExisting = "resume"
    seed: int = 0

    def recipe(self) -> dict[str, object]:
        """The settings that decide the shards' content, as JSON.

        Left out are where and how the work runs, and the paths of input files: a run is tied to their content.
        """
        running = {"out", "aligned", "root", "workers", "scheduler", "worker_resources", "on_existing", "device"}
        every = self.model_dump(mode="json", exclude=running | {"max_reject_ratio", "batch_size"})
        used = {
            "center": {"center_fraction"},
            "random": {"fraction", "fraction_of", "patches_per_pair", "max_overlap"},
            "detection": {"fraction", "fraction_of", "patches_per_pair", "max_overlap", "detector"}
            | {"detector_config", "backend", "confidence", "classes", "min_size", "max_size", "fallback"},
        }[self.method]
        shared = {"method", "patch_size", "warped_format", "pairs_per_shard", "seed"}
        return {key: value for key, value in every.items() if key in used | shared}
