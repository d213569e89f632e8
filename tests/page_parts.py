"""What a browser would take from a page, read without one: scripts, what allows them, ids, what points to them."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser


class Parts(HTMLParser):
    """Scripts, policy, ids, pointers and handlers of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.policy = ""
        self.ids: list[str] = []
        self.pointers: set[str] = set()
        self.handlers: list[str] = []
        self.loads: list[str] = []
        self._in_script = False
        self.feed(page)
        self.pointers |= set(re.findall(r"url\(#([^)]+)\)", page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._in_script = tag == "script"
        if found.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = found["content"]
        if "id" in found:
            self.ids.append(found["id"])
        self.handlers += [name for name in found if name.startswith("on")]
        for name in ("href", "xlink:href", "src"):
            target = found.get(name, "")
            if target.startswith("#"):
                self.pointers.add(target[1:])
            elif target and not target.startswith("data:image/"):
                self.loads.append(target)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


def check_parts(page: str, leads_to: tuple[str, ...] = ()) -> None:
    """One script, the one that the policy's hash allows; every pointer finds its place; nothing is loaded.

    Args:
        page: the text of it.
        leads_to: files beside the page to which it may lead.
    """
    parts = Parts(page)
    (script,) = parts.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = dict(rule.strip().split(maxsplit=1) for rule in parts.policy.split(";"))
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert page.index("Content-Security-Policy") < page.index("<style")
    assert not parts.handlers, "a handler in a tag is a script that the policy refuses"
    assert parts.pointers <= set(parts.ids), f"leads nowhere: {sorted(parts.pointers - set(parts.ids))}"
    assert set(parts.loads) <= set(leads_to), f"leaves the page: {parts.loads}"
