"""The picture of a camera or a video with what the program makes of it, painted over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle
from fewshot_gui.gui.live.guess import Guess, guess_of
from fewshot_gui.gui.live.overlay import Badge, paint_badge, paint_caption, paint_note, paint_readout
from fewshot_gui.gui.theme import DARK, RADIUS
from fewshot_gui.gui.widgets import qimage

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from fewshot_gui.engine.live import LivePrediction
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.sources.frames import Frame
    from fewshot_gui.engine.state import Document
    from fewshot_gui.gui.theme import Appearance

STALE_SECONDS = 1.0
"""A prediction of a frame this much older than the one shown is not painted."""
_FLASH_MS = 160
_BADGE_MS = 900
_LETTERBOX = QColor("#0b0c0f")
_GUIDE = QColor(255, 255, 255, 150)


class LiveView(QWidget):
    """Paints the newest frame, fitted into the widget, with label, bars, frame rate and delay over it.

    The frame may be shown mirrored; the network and every captured example get it as the camera sees
    it, so that turning the mirror on or off changes no prediction, and text in an example can be read.
    """

    def __init__(self, session: Session, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._image: QImage | None = None
        self._shown_at = 0.0
        self._live: LivePrediction | None = None
        self._mirrored = False
        self._note = ""
        self._flash_colour: QColor | None = None
        self._badge: Badge | None = None
        self._flash_end = QTimer(self, interval=_FLASH_MS, singleShot=True)
        self._flash_end.timeout.connect(self._end_flash)
        self._badge_end = QTimer(self, interval=_BADGE_MS, singleShot=True)
        self._badge_end.timeout.connect(self._end_badge)
        self.setObjectName("cameraView")
        self.setAccessibleName(self.tr("Live picture"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._guided: bool | None = None  # found out at the first frame: the file is read for it
        disconnect = session.changed.connect(self._on_changed)
        self.destroyed.connect(disconnect)

    @property
    def mirrored(self) -> bool:
        """True where the picture is shown as in a mirror."""
        return self._mirrored

    @property
    def image(self) -> QImage | None:
        """The newest frame as it came, not mirrored; None before the first."""
        return self._image

    def set_mirrored(self, *, mirrored: bool) -> None:
        """Show the picture as in a mirror, or as it is."""
        self._mirrored = mirrored
        self.update()

    def show_frame(self, frame: Frame, captured_at: float) -> None:
        """Paint `frame`, captured at so many seconds, from now on."""
        self._image, self._shown_at = qimage(frame), captured_at
        self.update()

    def show_prediction(self, live: LivePrediction | None) -> None:
        """Paint this prediction until it is stale; None paints none."""
        self._live = live
        guess = self.guess()
        if guess is not None:
            self.setAccessibleDescription(guess.label)
        self.update()

    def show_note(self, text: str) -> None:
        """Show a hint at the lower edge while there is no prediction; empty shows none."""
        if text != self._note:
            self._note = text
            self.update()

    def flash(self, badge: Badge) -> None:
        """Show the badge, and its colour around the picture, for a moment: an example was taken."""
        self._flash_colour, self._badge = badge.back, badge
        self._flash_end.start()
        self._badge_end.start()
        self.update()

    def clear(self) -> None:
        """Paint nothing but the background."""
        self._image = self._live = None
        self._shown_at = 0.0
        self.update()

    def guess(self) -> Guess | None:
        """Return what is painted over the picture, or None where nothing current is known."""
        if self._image is None or self._live is None:
            return None
        if self._shown_at - self._live.captured_at > STALE_SECONDS:
            return None
        # The dark theme's colours, whatever the theme: they lie on a dark veil over the picture.
        return guess_of(self._live.prediction, self._session.document, DARK)

    def sizeHint(self) -> QSize:
        """Return room for a picture of 640 x 480."""
        return QSize(640, 480)

    def minimumSizeHint(self) -> QSize:
        """Return the least that can be made out."""
        return QSize(160, 120)

    def picture_area(self) -> QRectF:
        """Return where the picture lies: as large as fits, centred, in its own proportions."""
        whole = QRectF(self.rect())
        if self._image is None:
            return whole
        scale = min(whole.width() / self._image.width(), whole.height() / self._image.height())
        area = QRectF(0, 0, self._image.width() * scale, self._image.height() * scale)
        area.moveCenter(whole.center())
        return area

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture and what is known of it."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        sheet = QPainterPath()
        sheet.addRoundedRect(QRectF(self.rect()), RADIUS - 1, RADIUS - 1)
        painter.fillPath(sheet, _LETTERBOX)
        if self._image is None:
            return
        painter.setClipPath(sheet)
        area = self.picture_area()
        self._paint_picture(painter, self._image, area)
        if self._is_guided():
            _paint_guides(painter, area)
        self._paint_flash(painter)
        theme = self._appearance.theme
        guess = self.guess()
        if guess is not None and self._live is not None:
            paint_caption(painter, QRectF(self.rect()), guess, theme)
            paint_readout(painter, QRectF(self.rect()), self._live.fps, self._live.latency_ms, theme)
        elif self._note:
            paint_note(painter, QRectF(self.rect()), self._note, theme)
        if self._badge is not None:
            paint_badge(painter, QRectF(self.rect()), self._badge, theme)

    def _is_guided(self) -> bool:
        if self._guided is None:
            self._guided = _sees_the_middle_alone(self._session.document.settings.backbone)
        return self._guided

    def _on_changed(self, before: Document, after: Document) -> None:
        if before.settings.backbone != after.settings.backbone:
            self._guided = None
        self.update()

    def _paint_flash(self, painter: QPainter) -> None:
        if self._flash_colour is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._flash_colour, 6))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(3, 3, -3, -3), RADIUS - 3, RADIUS - 3)

    def _paint_picture(self, painter: QPainter, image: QImage, area: QRectF) -> None:
        painter.save()
        if self._mirrored:
            painter.translate(area.left() + area.right(), 0)
            painter.scale(-1, 1)
        painter.drawImage(area, image)
        painter.restore()

    def _end_flash(self) -> None:
        self._flash_colour = None
        self.update()

    def _end_badge(self) -> None:
        self._badge = None
        self.update()


def _sees_the_middle_alone(backbone: str) -> bool:
    try:
        views = describe_bundle(backbone).preprocessing.views
    except BundleError:  # told wherever it is asked to predict
        return False
    return not any(view.whole for view in views)


def _paint_guides(painter: QPainter, area: QRectF) -> None:
    """Mark the corners of the middle square, which is what such a network sees."""
    side = min(area.width(), area.height())
    if abs(area.width() - area.height()) < 2:
        return
    square = QRectF(0, 0, side, side)
    square.moveCenter(area.center())
    square.adjust(1, 1, -1, -1)
    arm = max(8.0, side * 0.04)
    painter.setPen(QPen(_GUIDE, 1.5))
    corners = [
        line
        for x, step_x in ((square.left(), arm), (square.right(), -arm))
        for y, step_y in ((square.top(), arm), (square.bottom(), -arm))
        for line in (QLineF(x, y, x + step_x, y), QLineF(x, y, x, y + step_y))
    ]
    painter.drawLines(corners)
