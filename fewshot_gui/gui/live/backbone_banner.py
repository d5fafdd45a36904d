"""A calm offer to switch to the backbone that fits what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from fewshot_gui.core.backbones.catalogue import default_bundle
from fewshot_gui.engine.commands import ChooseBackbone
from fewshot_gui.gui.icons import icon
from fewshot_gui.gui.widgets import PushButton

if TYPE_CHECKING:
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Document
    from fewshot_gui.gui.theme import Appearance


class BackboneBanner(QFrame):
    """Shown only while the chosen backbone is the default one of the other kind; one button switches.

    For drawings it is shown with every backbone but the one for drawings: the others were made for photos.
    """

    def __init__(
        self,
        session: Session,
        appearance: Appearance,
        kind: Literal["photo", "drawing"],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._appearance = appearance
        self._kind: Literal["photo", "drawing"] = kind
        self.setObjectName("backboneBanner")
        self.setProperty("role", "card")
        self._icon = QLabel(self)
        text = QLabel(self._words(), self)
        text.setWordWrap(True)
        text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = PushButton(self._offer(), self)
        self.button.setObjectName("switchBackboneButton")
        self.button.setToolTip(self.tr("Your examples stay; they are looked at with the other backbone."))
        self.button.clicked.connect(self._switch)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(text, 1)
        row.addWidget(self.button)
        disconnect = session.changed.connect(self._on_changed)
        self.destroyed.connect(disconnect)
        appearance.changed.connect(self._tint)
        self._tint()
        self._update()

    def _words(self) -> str:
        if self._kind == "drawing":
            return self.tr(
                "The backbone in use was made for photos. The one for drawings tells symbols apart better."
            )
        return self.tr(
            "The backbone in use was made for drawings. The one for photos tells pictures apart better."
        )

    def _offer(self) -> str:
        return self.tr("Use “Drawings and symbols”") if self._kind == "drawing" else self.tr("Use “Photos”")

    def _switch(self) -> None:
        self._session.do(ChooseBackbone(default_bundle(self._kind)))

    def _on_changed(self, before: Document, after: Document) -> None:
        if before.settings != after.settings:
            self._update()

    def _update(self) -> None:
        chosen = self._session.document.settings.backbone
        wrong = (
            chosen != default_bundle("drawing")
            if self._kind == "drawing"
            else chosen == default_bundle("drawing")
        )
        self.setVisible(wrong)

    def _tint(self) -> None:
        self._icon.setPixmap(icon("info", self._appearance.theme.accent).pixmap(20, 20))
