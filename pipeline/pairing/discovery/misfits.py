"""What a folder lacks of a layout that does not fit it, and what is odd about the folder itself."""

from __future__ import annotations

from itertools import islice
from pathlib import Path, PurePosixPath

from pipeline.errors import DataError, some
from pipeline.files.names import natural
from pipeline.images.headers import SUFFIXES
from pipeline.manifests import Manifest
from pipeline.pairing.discovery.sources import VIDEO_SUFFIXES
from pipeline.pairing.discovery.tree import Tree

LOOKED_AT = 5
"""Folders of a side in which pictures are looked for."""


def missing(root: Path, manifest: Manifest) -> tuple[int, str]:
    """How near a folder comes to a layout whose folders or pictures are not there, and what it lacks.

    Returns:
        one for each side whose folder is there, and one more where it holds pictures; and the lack in words.
    """
    tree, near = Tree(root), 0
    lacks = []
    suffixes = VIDEO_SUFFIXES if manifest.rule == "video" else SUFFIXES
    for pattern in dict.fromkeys(filter(None, (manifest.rgb, manifest.tir))):
        *above, name = pattern.split("/")
        folders = [folder for _, folder in islice(tree.walk(above), LOOKED_AT)]
        near += bool(folders) and above != ["**"]
        if any(tree.pictures(folder, name, suffixes) for folder in folders):
            near += 1
        else:
            lacks.append(_no_pictures(tree, folders[0], name, suffixes) if folders else f"no folder {'/'.join(above)}")
    said = f" (read are {', '.join(sorted(suffixes))})" if any("files are" in lack for lack in lacks) else ""
    return near, " and ".join(lacks) + said


def _no_pictures(tree: Tree, folder: str, name: str, suffixes: frozenset[str]) -> str:
    """Why none of the files in a folder is a picture of the layout."""
    folders, files = tree.scan(folder)
    place = folder or "the root"
    if not files:
        held = f"holds {len(folders)} folders ({some(sorted(folders, key=natural))})" if folders else "is empty"
        return f"no pictures in {place}, which {held}"
    endings = {PurePosixPath(file).suffix.casefold() or "no extension" for file in files}
    if not endings & suffixes:
        clips = "; clips need a manifest with rule: video" if endings & VIDEO_SUFFIXES else ""
        return f"no pictures in {place}: its {len(files)} files are {some(sorted(endings))}{clips}"
    return f"no pictures called {name} in {place}: it holds {min(files, key=natural)}"


def oddity(root: Path) -> str:
    """What is odd about a folder whatever its layout; empty where nothing is."""
    try:
        folders, files = Tree(root).scan("")
    except DataError as error:
        return str(error)
    if split := [name for name in files if "\\" in name]:
        return (
            f"{len(split)} file names hold backslashes ({min(split, key=natural)}), as of an archive made on Windows: "
            "unpack it with a tool that makes folders of them"
        )
    pictures = [name for name in files if PurePosixPath(name).suffix.casefold() in SUFFIXES]
    if pictures and not folders:
        return f"it holds {len(pictures)} pictures and no folder: give the folder above, which holds both sides"
    return ""
