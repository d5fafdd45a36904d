"""The header: undo and redo, the source of pictures, the way to sorting, and the three choices."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from fewshot_gui.gui.actions import plain
from fewshot_gui.gui.row_list import Choice
from fewshot_gui.gui.selectors import Selectors
from fewshot_gui.gui.widgets import PushButton, Segmented, ToolButton

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtCore import QSize
    from PySide6.QtGui import QAction, QResizeEvent

    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.session import Session
    from fewshot_gui.gui.theme import Appearance


_WORDS_FROM: Final = 1160
"""Narrower than so many pixels the sources are icons alone: the three choices need the room."""


class Header(QFrame):
    """Lays out what stands above the three panels."""

    def __init__(
        self, session: Session, actions: Mapping[str, QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self.source = Segmented(
            [
                ("folder", self.tr("Folder"), "folder"),
                ("camera", self.tr("Camera"), "camera"),
                ("video", self.tr("Video"), "video"),
                ("draw", self.tr("Draw"), "draw"),
            ],
            self,
        )
        self.source.setObjectName("sourceSelector")
        self.source.setAccessibleName(self.tr("Source of pictures"))
        self.selectors = Selectors(session, self)
        self.notice = self.selectors.notice
        self._history: list[QWidget] = []
        self._sort: list[QWidget] = []
        self._lay_out(actions)
        self._order_tabs()
        self.source.show_words(on=False)
        self._bare_width = super().minimumSizeHint().width() - self._choices_width()
        self.source.show_words(on=True)

    def _lay_out(self, actions: Mapping[str, QAction]) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        for name, icon_name, key in (
            ("undoAction", "undo", "Ctrl+Z"),
            ("redoAction", "redo", "Ctrl+Shift+Z"),
        ):
            self._history.append(_button(actions[name], icon_name, key, self))
            row.addWidget(self._history[-1])
        row.addSpacing(8)
        row.addWidget(self.source)
        if "sortAction" in actions:
            row.addSpacing(8)
            self._sort.append(_sort_button(actions["sortAction"], self))
            row.addWidget(self._sort[-1])
        row.addStretch(1)
        choices = QHBoxLayout(self.selectors)
        choices.setContentsMargins(0, 0, 0, 0)
        choices.setSpacing(8)
        for choice in (self.selectors.learner, self.selectors.backbone, self.selectors.device):
            choices.addWidget(choice)
        row.addWidget(self.selectors)
        column = QVBoxLayout(self)
        # The notice is as wide as the panels below; the controls stand a little further in.
        row.setContentsMargins(8, 0, 8, 0)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.notice)

    def minimumSizeHint(self) -> QSize:
        """Return the room that is needed where the sources are icons alone."""
        # Not what the layout says at present: it hears of words that have gone only by and by.
        hint = super().minimumSizeHint()
        hint.setWidth(self._bare_width + self._choices_width())
        return hint

    def _choices_width(self) -> int:
        return sum(choice.minimumSizeHint().width() for choice in self.selectors.findChildren(Choice))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the words of the sources where there is room."""
        super().resizeEvent(event)
        self.source.show_words(on=event.size().width() >= _WORDS_FROM)

    def _order_tabs(self) -> None:
        """Lead the Tab key from left to right; Qt's own order is that of making."""
        choices = (self.selectors.learner, self.selectors.backbone, self.selectors.device)
        order = [*self._history, *self.source.findChildren(QToolButton), *self._sort, *choices]
        for former, latter in pairwise(order):
            self.setTabOrder(former, latter)

    def follow(self, predictor: Predictor, gallery: Gallery, appearance: Appearance) -> None:
        """Mind the pictures and what cannot be learned from them, and draw in the colours of the theme."""
        self.selectors.follow(predictor, gallery)
        self.notice.wear(appearance)


def _button(action: QAction, icon_name: str, key: str, parent: QWidget) -> ToolButton:
    """Return a button that does what `action` does and is enabled when it is."""
    button = ToolButton(icon_name, plain(action.text()), parent, key=key)  # type: ignore[arg-type]
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.set_tip(plain(action.text()), key)

    action.changed.connect(follow)
    follow()
    return button


def _sort_button(action: QAction, parent: QWidget) -> PushButton:
    """Return the button with words that leads to sorting, enabled when the action is."""
    button = PushButton(parent.tr("Sort…"), parent, icon_name="sort")
    button.setObjectName("sortButton")
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setToolTip(f"{plain(action.text())} ({action.shortcut().toString()})")

    action.changed.connect(follow)
    follow()
    return button
