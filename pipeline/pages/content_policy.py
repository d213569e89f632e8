"""The content security policy of a page: its one script runs, and nothing is loaded."""

from __future__ import annotations

import base64
import hashlib


def policy(script: str) -> str:
    """What a browser lets a page do: run this script, told by its hash, and load nothing that is not in the page."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Plots bring styles of their own.
    allowed = f"img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
