"""Finds a Chromium that is on this machine: prints its path, or ends with 2. Nothing is ever downloaded.

usage: python -m tools.chromium
"""

from __future__ import annotations

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find() -> str:
    """The path of the browser that ``CHROME`` names, or of the first of :data:`NAMES` on the path.

    Raises:
        FileNotFoundError: there is none, or not where ``CHROME`` says.
    """
    if named := os.environ.get("CHROME"):
        if found := shutil.which(named):
            return found
        raise FileNotFoundError(f"CHROME={named} is no program: correct it, or leave it out")
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("no Chromium on the path: install it (Debian: apt install chromium), or name it in CHROME")


if __name__ == "__main__":
    try:
        sys.stdout.write(find() + "\n")
    except FileNotFoundError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
