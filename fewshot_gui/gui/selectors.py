"""The three choices in the header: learner, backbone and device, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QWidget

from fewshot_gui.core.backbones.bundle import BundleError, describe_bundle
from fewshot_gui.core.backbones.catalogue import shipped_sound
from fewshot_gui.engine.commands import ChooseBackbone, ChooseDevice, ChooseLearner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.engine.devices import Device
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Document

translate = QCoreApplication.translate
_FROM_FILE = "\0file"


def learner_choices() -> list[tuple[str, str, str]]:
    """Return (name, words, one line on it) of each learner that the window offers."""
    return [
        (
            "prototypical",
            translate("Selectors", "Prototypes"),
            translate("Selectors", "Each category is the average of its examples. The best start with a few."),
        ),
        (
            "prototypical-cosine",
            translate("Selectors", "Prototypes by angle"),
            translate("Selectors", "The same, comparing directions: indifferent to how strong a picture's features are."),
        ),
        (
            "nearest",
            translate("Selectors", "Nearest example"),
            translate("Selectors", "The most similar example decides. Good where one category has many looks."),
        ),
        (
            "ridge",
            translate("Selectors", "Ridge regression"),
            translate("Selectors", "Learns what parts the categories. Often the best from five examples each."),
        ),
    ]  # fmt: skip


class Choice(QComboBox):
    """A list of (value, words, hint); `picked(value)` is emitted when the person picks one."""

    picked = Signal(str)

    def __init__(self, name: str, accessible: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.activated.connect(lambda index: self.picked.emit(self.itemData(index)))

    def offer(self, choices: Sequence[tuple[str, str, str]], current: str) -> None:
        """List the choices and show the current one; one that is not among them is shown as it is called."""
        self.blockSignals(True)  # noqa: FBT003 - Qt's own signature
        self.clear()
        for value, words, hint in choices:
            self.addItem(words, value)
            self.setItemData(self.count() - 1, hint, Qt.ItemDataRole.ToolTipRole)
        self.show_value(current)
        self.blockSignals(False)  # noqa: FBT003 - Qt's own signature

    def show_value(self, value: str) -> None:
        """Show `value` as chosen; nothing is emitted."""
        index = self.findData(value)
        if index < 0:
            self.insertItem(0, value.rsplit("/", 1)[-1], value)
            index = 0
        self.setCurrentIndex(index)
        hint = self.itemData(index, Qt.ItemDataRole.ToolTipRole)
        self.setToolTip(f"{self.accessibleName()}: {self.currentText()}\n{hint or ''}".strip())


class Selectors(QWidget):
    """Owns the three choices, keeps them in step with the document, and sends the commands.

    `refused(text)` is emitted with the reason when a chosen file is no backbone.
    """

    refused = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.learner = Choice("learnerSelector", self.tr("Learner"), self)
        self.backbone = Choice("backboneSelector", self.tr("Backbone"), self)
        self.device = Choice("deviceSelector", self.tr("Device"), self)
        settings = session.document.settings
        self.learner.offer(learner_choices(), settings.learner)
        self.backbone.offer(_backbone_choices(), settings.backbone)
        self.show_devices(())
        self.learner.picked.connect(lambda name: session.do(ChooseLearner(name)))
        self.backbone.picked.connect(self._choose_backbone)
        self.device.picked.connect(lambda name: session.do(ChooseDevice(name)))
        self._disconnect = session.changed.connect(self._follow)

    def show_devices(self, devices: Sequence[Device]) -> None:
        """Offer the devices of this machine; only "automatic" and the CPU until they are known."""
        found = [(device.name, device.title, "") for device in devices] or [
            ("cpu", self.tr("Processor (CPU)"), "")
        ]
        automatic = ("auto", self.tr("Automatic device"), self.tr("The fastest device that works"))
        self.device.offer([automatic, *found], self._session.document.settings.device)

    def release(self) -> None:
        """Follow the session no more."""
        self._disconnect()

    def _choose_backbone(self, name: str) -> None:
        chosen = self._ask_for_file() if name == _FROM_FILE else name
        former = self._session.document.settings.backbone
        if not chosen:
            self.backbone.show_value(former)
            return
        try:
            describe_bundle(chosen)
        except BundleError as error:
            self.backbone.show_value(former)
            self.refused.emit(self.tr("This backbone cannot be used: {0}").format(error.detail))
            return
        self._session.do(ChooseBackbone(chosen))

    def _ask_for_file(self) -> str:
        chosen, _ = QFileDialog.getOpenFileName(
            self, self.tr("Load a backbone"), "", self.tr("Weights of this program (*.safetensors)")
        )
        return chosen

    def _follow(self, before: Document, after: Document) -> None:
        if before.settings != after.settings:
            self.learner.show_value(after.settings.learner)
            self.backbone.show_value(after.settings.backbone)
            self.device.show_value(after.settings.device)


def _backbone_choices() -> list[tuple[str, str, str]]:
    """Return the shipped backbones and the door to others; a damaged one must not keep the window from opening."""
    found = [
        (info.name, info.title, _hint(info.preprocessing.side, info.size_bytes)) for info in shipped_sound()
    ]
    door = (
        translate("Selectors", "Load from a file…"),
        translate("Selectors", "Weights trained by this program"),
    )
    return [*found, (_FROM_FILE, *door)]


def _hint(side: int, size: int) -> str:
    text = translate("Selectors", "Sees {0} × {0} pixels; {1:.1f} MB of weights")
    return text.format(side, size / 1e6)
