"""House fronts: a wall with storeys of windows, doors, shops and vents, lit, heated and set into the perspective."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from pipeline.synthetic.objects.people import pick
from pipeline.synthetic.optics.camera import Points, View
from pipeline.synthetic.optics.heat import Climate
from pipeline.synthetic.optics.light import Colour, Light, srgb
from pipeline.synthetic.optics.noise import Plane, fractal, grain, resize

_DENSITY = 36
_STOREY = 3.2
WALLS = (
    ("brick", srgb(150, 84, 66)),
    ("brick", srgb(176, 132, 104)),
    ("plaster", srgb(206, 198, 182)),
    ("plaster", srgb(190, 172, 138)),
    ("plaster", srgb(168, 174, 178)),
    ("concrete", srgb(142, 142, 138)),
)
_SIGNS = (srgb(170, 40, 44), srgb(36, 84, 150), srgb(40, 116, 78), srgb(222, 186, 70), srgb(228, 226, 220))
_GLASS, _FRAME = srgb(56, 70, 82), srgb(214, 212, 206)


@dataclass
class Sheet:
    """A flat surface while it is being painted, row 0 on top.

    Attributes:
        rgb: (h, w, 3) linear reflectance.
        heat: (h, w) apparent temperature in kelvin.
        climate: the weather.
        sun: share of the sun that it gets.
        density: texels a metre.
        glow: (h, w) light of its own.
    """

    rgb: Plane
    heat: Plane
    climate: Climate
    sun: float
    density: float
    glow: Plane = field(init=False)

    def __post_init__(self) -> None:
        self.glow = np.zeros_like(self.heat)

    def rect(
        self, box: tuple[float, float, float, float], rgb: Colour, material: str, heat: float = 0, glow: float = 0
    ) -> None:
        """Paint x0, y0, x1, y1 in metres, y up from the foot of the wall."""
        height, width = self.heat.shape
        x0, x1 = (min(max(round(v * self.density), 0), width) for v in (box[0], box[2]))
        y0, y1 = (min(max(height - round(v * self.density), 0), height) for v in (box[3], box[1]))
        self.rgb[y0:y1, x0:x1] = rgb
        self.heat[y0:y1, x0:x1] = self.climate.apparent(material, self.sun, heat)
        self.glow[y0:y1, x0:x1] = glow


def _wall(rng: np.random.Generator, width: float, height: float, climate: Climate, sun: float, density: float) -> Sheet:
    """Bare wall: courses of brick or stained plaster, floors and rising damp showing as heat."""
    rows, columns = max(8, round(height * density)), max(8, round(width * density))
    material, base = WALLS[int(rng.integers(len(WALLS)))]
    stains = fractal(rng, rows, columns, 2.5 * density, 3)
    tone = 1 + 0.07 * stains + 0.04 * grain(rng, rows, columns, 2.0)
    if material == "brick" and density > 16:
        y, x = np.ogrid[0:rows, 0:columns]
        course, brick = (y * 6 / density * 6).astype(int), (x * 5 / density * 2).astype(int)
        tone *= rng.normal(1, 0.10, (course.max() + 1, brick.max() + 1))[course, brick]
        tone[(y * 36 / density % 6 < 1)[:, 0]] *= 1.2
    rgb = np.clip(tone[..., None] * np.array(pick(rng, (base,)), np.float32), 0.01, 0.95).astype(np.float32)
    up = np.linspace(height, 0, rows, dtype=np.float32)[:, None]
    slab = np.exp(-(((up + 0.15) % _STOREY - 0.15) ** 2) / 0.03)
    heat = climate.apparent(material, sun) + 0.5 * stains + (0.9 if climate.night else 0.4) * slab - 0.08 * up
    return Sheet(rgb, heat.astype(np.float32), climate, sun, density)


def _window(sheet: Sheet, rng: np.random.Generator, x: float, y: float, width: float, height: float) -> None:
    """Frame, two panes that mirror the sky, perhaps a curtain or a lit room, and a sill that leaks heat."""
    night = sheet.climate.night
    sheet.rect((x - 0.12, y - 0.16, x + width + 0.12, y), srgb(176, 172, 164), "concrete", 1.5 if night else 0)
    sheet.rect((x - 0.08, y, x + width + 0.08, y + height + 0.1), _FRAME, "plastic", 1.0)
    lit = night and rng.random() < 0.3
    room = pick(rng, (srgb(255, 214, 150), srgb(236, 232, 220), srgb(255, 196, 120)))
    for pane in range(2):
        x0 = x + 0.06 + pane * (width / 2)
        box = (x0, y + 0.07, x0 + width / 2 - 0.12, y + height)
        warm = rng.normal(1.5 if night else 0.0, 0.8) + (3.0 if lit else 0.0)
        sheet.rect(box, room if lit else _GLASS, "glass", warm, float(rng.uniform(0.25, 0.6)) if lit else 0.0)
        if rng.random() < 0.35:
            low = box[3] - height * float(rng.uniform(0.15, 0.7))
            sheet.rect((box[0], low, box[2], box[3]), srgb(198, 190, 176), "glass", warm + 1, 0.12 if lit else 0.0)
        elif not lit:
            sheet.rect((box[0], box[3] - 0.35 * height, box[2], box[3]), srgb(104, 124, 142), "glass", warm - 1.5)


def _storeys(sheet: Sheet, rng: np.random.Generator, width: float, height: float) -> None:
    """Windows in rows, with the odd air conditioner under one."""
    step, wide, tall = float(rng.uniform(2.1, 3.2)), float(rng.uniform(1.0, 1.5)), float(rng.uniform(1.3, 1.9))
    count = max(1, int((width - 0.8) / step))
    start = (width - count * step) / 2 + (step - wide) / 2
    for floor in range(1, max(1, int(height / _STOREY - 0.1))):
        for column in range(count):
            x, y = start + column * step, floor * _STOREY + 0.9
            _window(sheet, rng, x, y, wide, tall)
            if rng.random() < 0.12:
                sheet.rect((x + 0.1, y - 0.85, x + 0.95, y - 0.25), srgb(206, 206, 200), "metal", 3)
                sheet.rect((x + 0.2, y - 0.77, x + 0.65, y - 0.33), srgb(60, 62, 64), "plastic", 13)


def _ground_floor(sheet: Sheet, rng: np.random.Generator, width: float) -> None:
    """Plinth, then bay by bay a shop with its sign, a door, or windows."""
    sheet.rect((0, 0, width, 0.55), srgb(96, 92, 88), "concrete", 0.5)
    shops = rng.random() < 0.6
    x = 0.5
    while x < width - 2.4:
        bay = float(rng.uniform(2.6, 4.2))
        right = min(x + bay - 0.4, width - 0.4)
        lit = 0.32 if sheet.climate.night and rng.random() < 0.45 else 0.0
        if shops:
            glass = srgb(240, 226, 196) if lit else srgb(70, 78, 84)
            sheet.rect((x, 0.45, right, 2.5), srgb(70, 64, 60), "metal", 1)
            sheet.rect((x + 0.1, 0.6, right - 0.1, 2.4), glass, "glass", 2.0 if sheet.climate.night else -1.0, lit)
            for _ in range(4):
                left = float(rng.uniform(x + 0.1, max(right - 0.8, x + 0.2)))
                goods = pick(rng, _SIGNS)
                sheet.rect((left, 0.6, left + 0.5, float(rng.uniform(1.0, 1.8))), goods, "glass", 1.0, 0.4 * lit)
            sheet.rect((x - 0.1, 2.5, right + 0.1, 3.05), pick(rng, _SIGNS), "plastic", 0.5, 0.9 * lit)
            sheet.rect((x + 0.5, 2.66, right - 0.5, 2.88), srgb(240, 238, 232), "plastic", 1.5, 1.1 * lit)
        elif rng.random() < 0.35:
            sheet.rect((x + 0.3, 0.0, x + 1.5, 2.3), pick(rng, (srgb(88, 54, 38), srgb(48, 66, 58))), "plastic", 1.5)
            sheet.rect((x + 0.45, 1.3, x + 1.35, 2.15), _GLASS, "glass", 2)
        else:
            _window(sheet, rng, x + 0.4, 0.95, min(1.5, right - x - 0.5), 1.5)
        x += bay


def front(rng: np.random.Generator, width: float, height: float, climate: Climate, sun: float, density: float) -> Sheet:
    """A house front of ``width`` by ``height`` metres; ``sun``: its share of the sun; ``density``: texels a metre."""
    sheet = _wall(rng, width, height, climate, sun, float(np.clip(density, 7, _DENSITY)))
    _storeys(sheet, rng, width, height)
    _ground_floor(sheet, rng, width)
    sheet.rect((0, height - 0.35, width, height), srgb(120, 116, 110), "concrete", -1)
    pipe = float(rng.uniform(0.1, 0.9))
    sheet.rect((pipe, 0, pipe + 0.12, height), srgb(110, 112, 112), "metal", 1.0)
    return sheet


def erect(
    canvas: Plane, sheet: Sheet, foot: Points, height: float, view: View, light: Light, sun: Plane | None
) -> None:
    """Set a painted wall on the ground line ``foot`` (2, 3), left end first as seen, with its light, haze and distance.

    Args:
        canvas: (H, W, 4), changed in place.
        sheet: the painted wall.
        foot: its lower corners in metres, left to right on screen.
        height: metres.
        view: camera.
        light: of the sequence.
        sun: (H, W) plane of sunlit ground, cleared where the wall now stands.
    """
    rows, columns = sheet.heat.shape
    u, v = np.meshgrid(np.linspace(0, 1, 24, dtype=np.float32), np.linspace(1, 0, 16, dtype=np.float32))
    place = foot[0] + u[..., None] * (foot[1] - foot[0]) + v[..., None] * np.array([0, height, 0])
    along = foot[1] - foot[0]
    normal = np.array([along[2], 0, -along[0]]) / np.linalg.norm(along)
    depth = place[..., 2].astype(np.float32)
    clear = np.exp(-depth / light.visibility)[..., None]
    lit = resize(light.at(place, normal, sheet.sun) * clear, columns, rows)
    air = resize(np.asarray(light.haze, np.float32) * (1 - clear), columns, rows)
    image = np.empty((rows, columns, 4), np.float32)
    image[..., :3] = sheet.rgb * (lit + (sheet.glow * resize(clear, columns, rows))[..., None]) + air
    share = sheet.climate.haze(float(depth.mean()))
    image[..., 3] = sheet.heat * share + sheet.climate.air * (1 - share)
    up = np.array([0, height, 0])
    corners = view.project(np.stack([foot[0] + up, foot[1] + up, foot[1], foot[0]]))
    _lay(canvas, image, corners, sun)


def _lay(canvas: Plane, image: Plane, corners: Points, sun: Plane | None) -> None:
    """Warp a sheet onto the quad of its four corners and blend its edge."""
    size = canvas.shape[1], canvas.shape[0]
    left, right = int(max(corners[:, 0].min() - 2, 0)), int(min(corners[:, 0].max() + 3, size[0]))
    top, bottom = int(max(corners[:, 1].min() - 2, 0)), int(min(corners[:, 1].max() + 3, size[1]))
    if right - left < 2 or bottom - top < 2:
        return
    rows, columns = image.shape[:2]
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, (corners - [left, top] - 0.5).astype(np.float32))
    window = right - left, bottom - top
    shrink = rows / max(float(corners[3, 1] - corners[0, 1]), 1.0)
    soft = cv2.GaussianBlur(image, (0, 0), 0.4 * shrink) if shrink > 1.3 else image
    warped = cv2.warpPerspective(soft, matrix, window, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((window[1], window[0]), np.float32)
    cv2.fillConvexPoly(mask, np.rint((corners - [left, top] - 0.5) * 16).astype(np.int32), (1.0,), cv2.LINE_8, 4)
    area = canvas[top:bottom, left:right]
    area += mask[..., None] * (warped - area)
    if sun is not None:
        sun[top:bottom, left:right] *= 1 - mask
