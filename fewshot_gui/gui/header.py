"""The header: undo and redo, the source of pictures, and the three choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from fewshot_gui.gui.selectors import Selectors
from fewshot_gui.gui.widgets import Segmented, ToolButton

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QAction

    from fewshot_gui.engine.session import Session


class Header(QFrame):
    """Lays out what stands above the three panels."""

    def __init__(
        self, session: Session, actions: Mapping[str, QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(8)
        for name, icon_name, key in (
            ("undoAction", "undo", "Ctrl+Z"),
            ("redoAction", "redo", "Ctrl+Shift+Z"),
        ):
            row.addWidget(_button(actions[name], icon_name, key, self))
        row.addSpacing(8)
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
        row.addWidget(self.source)
        row.addStretch(1)
        self.selectors = Selectors(session, self)
        layout = QHBoxLayout(self.selectors)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for choice in (self.selectors.learner, self.selectors.backbone, self.selectors.device):
            layout.addWidget(choice)
        row.addWidget(self.selectors)


def _button(action: QAction, icon_name: str, key: str, parent: QWidget) -> ToolButton:
    """Return a button that does what `action` does and is enabled when it is."""
    button = ToolButton(icon_name, action.text(), parent, key=key)  # type: ignore[arg-type]
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.set_tip(action.text(), key)

    action.changed.connect(follow)
    follow()
    return button
