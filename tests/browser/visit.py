"""Opens a page as people do: at three widths, clicks all that can be clicked, prints it, reads it without scripts."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page

WIDTHS = (1280, 800, 390)
HEIGHT = 800
TIMEOUT = 20_000
"""Of one click, milliseconds."""
BROKEN = """Promise.allSettled([...document.images].map(image => image.decode())).then(
  all => all.filter(one => one.status === "rejected").length)"""
SORTED = """head => {
  const rows = [...head.closest("table").tBodies[0].rows];
  const values = rows.map(row => parseFloat(row.cells[head.cellIndex].textContent));
  const down = head.getAttribute("aria-sort") === "descending", known = values.filter(value => !isNaN(value));
  return known.every((value, i) => !i || (down ? known[i - 1] >= value : known[i - 1] <= value));
}"""


def visit(browser: Browser, path: Path) -> dict[str, int]:
    """Open a page and use it.

    Returns:
        How often each kind of thing was clicked, all widths together.

    Raises:
        AssertionError: it is wider than the window, a click does not do its work, something is loaded, or the browser
            complains of it.
    """
    clicked = {"heads": 0, "pictures": 0, "sliders": 0, "folds": 0, "anchors": 0}
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": HEIGHT})
        page.set_default_timeout(TIMEOUT)
        told: list[str] = []
        page.on("console", lambda message, told=told: told.append(message.text))
        page.on("pageerror", lambda error, told=told: told.append(str(error)))
        page.on("request", lambda request, told=told: told.append(request.url[:100]))
        page.goto(path.as_uri())
        _check_width(page, width)
        clicked["folds"] += sum(_unfold(each) for each in page.locator("summary").all())
        clicked["heads"] += sum(_sort(each) for each in page.locator(".sortable th").all())
        clicked["pictures"] += sum(_enlarge(page, each) for each in page.locator("[role=button]").all())
        clicked["sliders"] += sum(_slide(each) for each in page.locator(".strip input").all())
        clicked["anchors"] += sum(_follow(page, each) for each in page.locator("a[href^='#']").all())
        _check_width(page, width)
        broken = page.evaluate(BROKEN)
        told += [f"{broken} pictures cannot be decoded"] if broken else []
        told = [line for line in told if not line.startswith(("data:", path.as_uri()))]
        assert not told, f"{path.name} at {width}: {told}"
        page.close()
    _print(browser, path)
    _read_without_scripts(browser, path)
    return clicked


def _check_width(page: Page, width: int) -> None:
    needed = page.evaluate("document.documentElement.scrollWidth")
    assert needed <= width, f"needs {needed} pixels of {width}"


def _unfold(summary: Locator) -> bool:
    before = summary.evaluate("s => s.parentNode.open")
    summary.click()
    assert summary.evaluate("s => s.parentNode.open") != before
    return True


def _sort(head: Locator) -> bool:
    for order in ("descending", "ascending"):
        head.click()
        assert head.get_attribute("aria-sort") == order
        assert head.evaluate(SORTED), f"{head.inner_text()} is not {order}"
    return True


def _enlarge(page: Page, button: Locator) -> bool:
    """By click and by key; a picture is shown at a whole multiple of its pixels, and Escape or a click closes it."""
    view = page.locator("dialog")
    for opened, closed in (
        (button.click, lambda: page.keyboard.press("Escape")),
        (lambda: button.press("Enter"), lambda: view.locator("figcaption").click()),
    ):
        opened()
        assert view.is_visible()
        for image in view.locator("img").all():
            shown, own = image.evaluate("i => i.decode().then(() => [i.getBoundingClientRect().width, i.naturalWidth])")
            assert own > 0
            assert abs(shown / own - round(shown / own)) < 1e-3, f"{own} pixels over {shown}"
        for slider in view.locator("input").all():
            _slide(slider)
        closed()
        assert not view.is_visible()
    return True


def _slide(slider: Locator) -> bool:
    for value in ("0", "100", "30"):
        slider.fill(value)
        cut = slider.evaluate("s => getComputedStyle(s.previousElementSibling.querySelector('img + img')).clipPath")
        assert re.search(rf"\b{value}%", cut) or (value == "0" and "%" in cut), cut
    return True


def _follow(page: Page, anchor: Locator) -> bool:
    anchor.click()
    target = anchor.get_attribute("href") or ""
    assert page.evaluate("document.querySelector(':target') !== null"), f"{target} leads nowhere"
    return True


def _print(browser: Browser, path: Path) -> None:
    """As a file for the printer; before and after stand beside one another on paper."""
    page = browser.new_page()
    page.goto(path.as_uri())
    printed = page.pdf()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") >= 1
    page.emulate_media(media="print")
    _check_beside(page)
    page.close()


def _read_without_scripts(browser: Browser, path: Path) -> None:
    """Every picture is there, and nothing that would do nothing."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("section").count() > 0
    for image in page.locator("img").all():
        box = image.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 10
    assert not any(slider.is_visible() for slider in page.locator("input").all())
    _check_beside(page)
    context.close()


def _check_beside(page: Page) -> None:
    for change in page.locator(".change").all():
        before, after = (image.bounding_box() for image in change.locator("img").all())
        assert before is not None
        assert after is not None
        assert before["x"] + before["width"] <= after["x"] + 0.5
