"""Icons: one family of line drawings, tinted to the colour they are asked in."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from fewshot_gui.core.data_files import assets_folder

IconName = Literal[
    "add", "camera", "capture", "check", "chip", "clear", "clipboard", "close", "down", "drag", "draw",
    "edit", "folder", "grid", "help", "image", "info", "list", "merge", "mirror", "moon", "more", "palette",
    "pause", "play", "redo", "remove", "sample", "search", "settings", "sort", "stop", "sun", "target",
    "undo", "up", "video", "warning",
]  # fmt: skip
ICON_NAMES: tuple[IconName, ...] = get_args(IconName)

# Device pixels: what 16, 20, 24 and 48 px icons need on screens of 100 % and 200 %. Qt picks the
# nearest and only ever shrinks it.
_SIZES = (16, 20, 24, 32, 40, 48, 64, 96)


@lru_cache(maxsize=256)
def _tinted(name: str, colour: str, *, gap: bool) -> QIcon:
    svg = (assets_folder() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    drawing = QSvgRenderer(QByteArray(svg.replace("currentColor", colour).encode()))
    result = QIcon()
    for size in _SIZES:
        result.addPixmap(_drawn(drawing, size, size // 4 if gap else 0))
    return result


def _drawn(drawing: QSvgRenderer, size: int, gap: int) -> QPixmap:
    pixmap = QPixmap(size + gap, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    drawing.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def icon(name: IconName, colour: QColor) -> QIcon:
    """Return the icon `name` in `colour`, crisp at 16 to 48 px on screens up to 200 %.

    Raises:
        FileNotFoundError: there is no drawing of that name.
    """
    return _tinted(name, colour.name(), gap=False)


def icon_before_words(name: IconName, colour: QColor) -> QIcon:
    """Return the icon with a gap at its right, 5 wide to 4 high: Qt sets words too near to an icon.

    Raises:
        FileNotFoundError: there is no drawing of that name.
    """
    return _tinted(name, colour.name(), gap=True)
