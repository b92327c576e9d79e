"""Small pictures for the sample, drawn: a house before and after something was put right. Of no real place."""

import io
from collections.abc import Callable

from PIL import Image, ImageDraw

from grids.models import FacilityKind, PhotoStage

_SIZE = (640, 480)
_SKY, _GROUND, _WALL, _WINDOW = (
    {PhotoStage.BEFORE: before, PhotoStage.AFTER: after}
    for before, after in (
        ("#b9bec2", "#bcdcf2"),
        ("#8b857b", "#9ea7ad"),
        ("#a89d8c", "#e2c9a0"),
        ("#5d6468", "#7fa6bd"),
    )
)
_DARK, _LIGHT, _GREEN, _STEEL = "#3c3f41", "#f4f4f0", "#4f8f5b", "#7d8b96"

Brush = Callable[[ImageDraw.ImageDraw, bool], None]


def draw(kind: str, stage: str) -> bytes:
    """A JPEG of 640 by 480 pixels."""
    canvas = Image.new("RGB", _SIZE, _SKY[PhotoStage(stage)])
    brush = ImageDraw.Draw(canvas)
    done = stage == PhotoStage.AFTER
    _house(brush, PhotoStage(stage))
    _BRUSHES.get(FacilityKind(kind), _road)(brush, done)
    out = io.BytesIO()
    canvas.save(out, format="JPEG", quality=80, optimize=True)
    return out.getvalue()


def _house(brush: ImageDraw.ImageDraw, stage: PhotoStage) -> None:
    brush.rectangle((0, 360, 640, 480), fill=_GROUND[stage])
    brush.rectangle((90, 70, 470, 360), fill=_WALL[stage])
    for floor in range(4):
        for row in range(5):
            left, top = 112 + row * 72, 92 + floor * 66
            brush.rectangle((left, top, left + 44, top + 40), fill=_WINDOW[stage], outline=_LIGHT, width=3)
    brush.rectangle((250, 300, 310, 360), fill=_DARK)


def _lift(brush: ImageDraw.ImageDraw, done: bool) -> None:
    if not done:
        brush.rectangle((470, 330, 560, 360), fill="#6f675c")
        return
    brush.rectangle((470, 60, 550, 360), fill="#c9dbe6", outline=_STEEL, width=5)
    for top in range(80, 340, 46):
        brush.line((470, top, 550, top), fill=_STEEL, width=3)
    brush.rectangle((488, 292, 532, 356), fill=_STEEL)
    brush.line((510, 292, 510, 356), fill=_LIGHT, width=3)


def _door(brush: ImageDraw.ImageDraw, done: bool) -> None:
    brush.rectangle((242, 288, 318, 360), fill="#2f6b4a" if done else "#6a5a48", outline=_DARK, width=4)
    if done:
        brush.rectangle((324, 306, 342, 336), fill=_LIGHT, outline=_DARK, width=2)
        brush.ellipse((329, 326, 337, 334), fill=_GREEN)
    else:
        brush.line((250, 296, 300, 352), fill=_DARK, width=3)


def _camera(brush: ImageDraw.ImageDraw, done: bool) -> None:
    brush.rectangle((540, 120, 552, 400), fill=_STEEL)
    if done:
        brush.rectangle((500, 120, 546, 144), fill=_LIGHT, outline=_DARK, width=3)
        brush.ellipse((492, 122, 512, 142), fill=_DARK)


def _parking(brush: ImageDraw.ImageDraw, done: bool) -> None:
    for number in range(6):
        left = 40 + number * 96
        if done:
            brush.line((left, 384, left - 24, 470), fill=_LIGHT, width=5)
        else:
            brush.ellipse((left, 400 + number % 3 * 14, left + 60, 440 + number % 3 * 14), fill="#77705f")
    if done:
        brush.rounded_rectangle((150, 404, 226, 448), 12, fill="#3b6ea5")
        brush.rounded_rectangle((342, 404, 418, 448), 12, fill="#b04a3c")


def _green(brush: ImageDraw.ImageDraw, done: bool) -> None:
    for left in range(20, 620, 84):
        brush.ellipse((left, 372, left + 56, 412), fill=_GREEN if done else "#8d8468")


def _road(brush: ImageDraw.ImageDraw, done: bool) -> None:
    if done:
        brush.rectangle((0, 396, 640, 470), fill="#70777c")
        brush.line((0, 434, 640, 434), fill=_LIGHT, width=4)
        return
    for left in range(30, 600, 120):
        brush.polygon(((left, 420), (left + 50, 404), (left + 88, 432), (left + 36, 456)), fill="#655f55")


_BRUSHES: dict[FacilityKind, Brush] = {
    FacilityKind.LIFT: _lift,
    FacilityKind.DOOR_SYSTEM: _door,
    FacilityKind.CAMERA: _camera,
    FacilityKind.PARKING: _parking,
    FacilityKind.GREENERY: _green,
}
