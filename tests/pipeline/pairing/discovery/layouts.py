"""A sketch of the tree of every data set of pairs that ships, and the pairs that are in it."""

import json
from pathlib import Path

import cv2
import numpy as np

LAYOUTS: dict[str, tuple[list[str], dict[str, str]]] = {
    "kaist": (
        [
            "set00/V000/visible/I00000.jpg",
            "set00/V000/lwir/I00000.png",
            "set06/V001/visible/I1.jpg",
            "set06/V001/lwir/I1.jpg",
            "set06/V001/visible/Thumbs.db",
        ],
        {"set00/V000/I00000": "set00/V000", "set06/V001/I1": "set06/V001"},
    ),
    "flir": (
        [
            "train/RGB/FLIR_00001.jpg",
            "train/thermal_8_bit/FLIR_00001.jpeg",
            "train/thermal_annotations.json",
            "train/thermal_16_bit/FLIR_00001.tiff",
            "val/RGB/FLIR_9.jpg",
            "val/thermal_8_bit/FLIR_9.jpeg",
        ],
        {"train/FLIR_00001": "rig", "val/FLIR_9": "rig"},
    ),
    "flir_16bit": (
        [
            "train/RGB/FLIR_00001.jpg",
            "train/thermal_16_bit/FLIR_00001.tiff",
        ],
        {"train/FLIR_00001": "rig"},
    ),
    "flir_v2": (
        [
            "video_rgb_test/data/video-AAAAAAAAAAAAAAAAA-frame-000000-x1.jpg",
            "rgb_to_thermal_vid_map.json",
            "video_thermal_test/data/video-BBBBBBBBBBBBBBBBB-frame-000003-y1.jpg",
        ],
        {"video-AAAAAAAAAAAAAAAAA/video-AAAAAAAAAAAAAAAAA-frame-000000-x1": "rig"},
    ),
    "flir_aligned": (
        [
            "JPEGImages/FLIR_00001_RGB.jpg",
            "JPEGImages/FLIR_00001_PreviewData.jpeg",
            "align_train.txt",
        ],
        {"flir_aligned/FLIR_00001": "flir_aligned"},
    ),
    "llvip": (
        [
            "visible/train/010001.jpg",
            "infrared/train/010001.jpg",
            "visible/test/190001.jpg",
            "infrared/test/190001.jpg",
            "Annotations/010001.xml",
        ],
        {"test/19/190001": "19", "train/01/010001": "01"},
    ),
    "msrs": (
        [
            "train/vi/00001D.png",
            "train/ir/00001D.png",
            "test/vi/00004N.png",
            "test/ir/00004N.png",
        ],
        {"test/00004N": "test", "train/00001D": "train"},
    ),
    "mfnet": (
        [
            "images/00001D.png",
            "images/00001D_flip.png",
            "labels/00001D.png",
            "train.txt",
        ],
        {"mfnet/00001D": "mfnet"},
    ),
    "cvc14": (
        [
            "Day/Visible/Train/FramesPos/2014_05_05_17_21_41_236000.tif",
            "Day/FIR/Train/FramesPos/2014_05_05_17_21_41_230000.tif",
            "Night/Visible/NewTest/FramesPos/2014_05_05_23_21_41_1.tif",
            "Night/FIR/NewTest/FramesPos/2014_05_05_23_21_41_1.tif",
        ],
        {"Day/Train/Pos/2014_05_05_17_21_41_236000": "Day", "Night/NewTest/Pos/2014_05_05_23_21_41_1": "Night"},
    ),
    "roadscene": (
        [
            "crop_LR_visible/FLIR_00006.jpg",
            "cropinfrared/FLIR_00006.jpg",
            "crop_LR_visible/Thumbs.db",
            "crop_HR_visible/FLIR_00006.jpg",
            "infrared/FLIR_00006.png",
        ],
        {"roadscene/FLIR_00006": "roadscene"},
    ),
    "m3fd": (
        [
            "Vis/00000.png",
            "Ir/00000.png",
            "Annotation/00000.xml",
        ],
        {"m3fd/00000": "m3fd"},
    ),
    "vt821": (
        [
            "RGB/1.jpg",
            "T/1t.jpg",
            "RGB/10.jpg",
            "T/10.jpg",
            "GT/1.png",
        ],
        {"vt821/1": "vt821", "vt821/10": "vt821"},
    ),
    "vt1000": (
        [
            "RGB/1.jpg",
            "T/1.jpg",
            "GT/1.png",
        ],
        {"vt1000/1": "vt1000"},
    ),
    "vt5000": (
        [
            "Train/RGB/1.jpg",
            "Train/T/1.jpg",
            "Test/RGB/2.jpg",
            "Test/T/2.jpg",
        ],
        {"Test/2": "Test", "Train/1": "Train"},
    ),
    "gtot": (
        [
            "BlackCar/v/00001v.png",
            "BlackCar/i/00001i.png",
            "BlackCar/init.txt",
        ],
        {"BlackCar/00001": "BlackCar"},
    ),
    "rgbt234": (
        [
            "afterrain/visible/00000v.jpg",
            "afterrain/infrared/00000i.jpg",
            "afterrain/visible/00003v.jpg",
            "afterrain/infrared/00003i.jpg",
            "afterrain/visible.txt",
        ],
        {"afterrain/00000v": "afterrain", "afterrain/00003v": "afterrain"},
    ),
    "lasher": (
        [
            "trainingset/1boygo/visible/v00000.jpg",
            "trainingset/1boygo/infrared/i00000.jpg",
        ],
        {"1boygo/00000": "1boygo"},
    ),
    "m3svd": (
        [
            "visible_Enhance/0831_1012/0001.png",
            "infrared_Enhance/0831_1012/0001.png",
            "infrared_noise/0831_1012/0001.png",
        ],
        {"0831_1012/0001": "0831_1012"},
    ),
    "m3svd_video": (
        [
            "Video/test/visible/0831_1012.avi",
            "Video/test/infrared/0831_1012.avi",
        ],
        {f"test/0831_1012/{i:06d}": "test/0831_1012" for i in range(3)},
    ),
    "metu_vistir": (
        [
            "scene_1/visible/images/IM_00001.jpg",
            "scene_1/thermal/images/IM_00001.jpg",
            "index/val.npz",
        ],
        {"scene_1/IM_00001": "scene_1"},
    ),
    "dji": (
        [
            "DJI_202401011200_001/DJI_20240101120000_0001_W.JPG",
            "DJI_202401011200_001/DJI_20240101120001_0001_T.JPG",
            "DJI_202401011200_001/DJI_20240101120000_0001_Z.JPG",
            "DJI_202401011200_001/DJI_20240101120003_0002_V.JPG",
            "DJI_202401011200_001/DJI_20240101120003_0002_T.JPG",
        ],
        {
            "DJI_202401011200_001/20240101120000_0001": "DJI_202401011200_001",
            "DJI_202401011200_001/20240101120003_0002": "DJI_202401011200_001",
        },
    ),
    "pairs": (
        [
            "Color/a.jpg",
            "Thermal/A.PNG",
            "left/day/rgb/1.jpg",
            "left/day/ir/1.jpg",
        ],
        {"pairs/a": "pairs", "left/day/1": "left/day"},
    ),
    "collection": (
        [
            "Kaist/set00/V000/visible/I0.jpg",
            "Kaist/set00/V000/lwir/I0.jpg",
            "RoadScene/crop_LR_visible/1.jpg",
            "RoadScene/cropinfrared/1.jpg",
            "notes/todo.txt",
        ],
        {"Kaist/set00/V000/I0": "Kaist/set00/V000", "RoadScene/roadscene/1": "RoadScene/roadscene"},
    ),
}


def _clip(path: Path) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (32, 24))
    for i in range(3):
        writer.write(np.full((24, 32, 3), 40 + 60 * i, np.uint8))
    writer.release()


def build(root: Path, files: list[str]) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".avi":
            _clip(path)
        elif path.name == "rgb_to_thermal_vid_map.json":
            names = sorted(Path(file).name for file in files if file.endswith(".jpg"))
            path.write_text(json.dumps({names[0]: names[1]}))
        elif path.suffix == ".png":
            path.write_bytes(cv2.imencode(".png", np.zeros((4, 6, 4), np.uint8))[1].tobytes())
        else:
            path.write_bytes(b"")
    return root
