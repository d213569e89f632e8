"""COCO's classes: the one table that makes a class number mean the same thing whichever detector wrote it.

Shards use 0 to 79, as YOLO and detectron2 do. COCO's annotation files and torchvision use the published category ids,
1 to 90 with ten never used (Lin et al., ECCV 2014).
"""

from __future__ import annotations

COCO_NAMES = tuple(
    """person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,
    bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,
    snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,
    fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,
    potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,
    refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush""".replace("\n    ", "").split(",")
)
"""Name of class 0 to 79."""

UNUSED_IDS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""Category ids from 1 to 90 that COCO never gave to a box."""

COCO_CLASS = {category: index for index, category in enumerate(sorted(set(range(1, 91)) - UNUSED_IDS))}
"""COCO category id (1 to 90) -> class (0 to 79)."""
