"""The three choices in the header: learner, backbone and device, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QWidget

from fewshot_gui.core.backbones.bundle_info import BundleError, describe_bundle
from fewshot_gui.core.backbones.catalogue import installed_sound
from fewshot_gui.engine.commands import ChooseBackbone, ChooseDevice
from fewshot_gui.gui.learner_notice import LearnerNotice
from fewshot_gui.gui.learner_offers import Offer, Task, offers_for, task_of
from fewshot_gui.gui.learner_words import family_title, learner_line, learner_title, misfit_words
from fewshot_gui.gui.row_list import Choice, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fewshot_gui.engine.devices import Device
    from fewshot_gui.engine.gallery import Gallery
    from fewshot_gui.engine.predictor import Predictor
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.state import Document

translate = QCoreApplication.translate
_MORE = "\0more"


class Selectors(QWidget):
    """Owns the three choices, keeps them in step with the document, and sends the commands.

    `refused(text)` is emitted with the reason when a chosen backbone cannot be used, `moreWanted` when others
    than those listed are asked for. `notice` is the line to put below, shown where the learner does not fit.
    """

    refused = Signal(str)
    moreWanted = Signal()  # noqa: N815 - reads like Qt's own signals

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._gallery: Gallery | None = None
        self._task: Task | None = None
        self._offers: dict[str, Offer] = {}
        self.learner = Choice("learnerSelector", self.tr("Learner"), self, named=True)
        self.backbone = Choice("backboneSelector", self.tr("Backbone"), self, named=True)
        self.device = Choice("deviceSelector", self.tr("Device"), self)
        self.notice = LearnerNotice(self)
        self.notice.wanted.connect(session.do)
        self.show_backbones()
        self.show_devices(())
        self.learner.picked.connect(self._choose_learner)
        self.backbone.picked.connect(self._choose_backbone)
        self.device.picked.connect(lambda name: session.do(ChooseDevice(name)))
        self._disconnect = [session.changed.connect(self._on_document)]
        self._show_learners()

    def follow(self, predictor: Predictor, gallery: Gallery) -> None:
        """Mind how many pictures there are, and what the predictor cannot learn from, until `release`."""
        self._gallery = gallery
        self._disconnect += [
            gallery.listed.connect(self._show_learners),
            gallery.cleared.connect(self._show_learners),
            predictor.status_changed.connect(self.notice.show_status),
        ]
        self.notice.show_status(predictor.status)
        self._show_learners()

    def show_devices(self, devices: Sequence[Device]) -> None:
        """Offer the devices of this machine; only "automatic" and the CPU until they are known."""
        found = [Row(device.name, device.title) for device in devices] or [
            Row("cpu", self.tr("Processor (CPU)"))
        ]
        automatic = Row("auto", self.tr("Automatic device"), self.tr("The fastest device that works"))
        self.device.offer([automatic, *found], self._session.document.settings.device)

    def release(self) -> None:
        """Follow the session no more."""
        for disconnect in self._disconnect:
            disconnect()

    # Learners ---------------------------------------------------------------------------------------

    def _show_learners(self) -> None:
        """List what fits the present task, unless nothing that matters has changed."""
        document = self._session.document
        task = task_of(document, self._gallery.count if self._gallery is not None else 0)
        if task != self._task:
            self._task = task
            self._offers = {offer.name: offer for offer in offers_for(task)}
            self.learner.offer(_learner_rows(list(self._offers.values())), document.settings.learner)
        self.learner.show_value(document.settings.learner)
        self.notice.show_chosen(self._offers.get(document.settings.learner))

    def _choose_learner(self, name: str) -> None:
        offer, present = self._offers.get(name), self._session.document.settings.learner
        if offer is None or name == present:
            self.notice.ask(None)
        elif offer.misfit is None:
            self.notice.ask(None)
            self._session.do(offer.command)
        else:
            # Another backbone looks at every picture anew: asked for, not done in passing.
            self.learner.show_value(present)
            self.notice.ask(offer)

    # Backbones --------------------------------------------------------------------------------------

    def show_backbones(self) -> None:
        """List the backbones that are here now."""
        self.backbone.offer(_backbone_rows(), self._session.document.settings.backbone)

    def _choose_backbone(self, name: str) -> None:
        former = self._session.document.settings.backbone
        if name == _MORE:
            self.backbone.show_value(former)
            self.moreWanted.emit()
            return
        try:
            describe_bundle(name)
        except BundleError as error:
            self.backbone.show_value(former)
            self.refused.emit(self.tr("This backbone cannot be used: {0}").format(error.detail))
            return
        self._session.do(ChooseBackbone(name))

    def _on_document(self, before: Document, after: Document) -> None:
        if before.settings != after.settings:
            self.notice.ask(None)
            self.backbone.show_value(after.settings.backbone)
            self.device.show_value(after.settings.device)
        if before.settings != after.settings or before.categories is not after.categories:
            self._show_learners()


def _learner_rows(offers: Sequence[Offer]) -> list[Row]:
    """Return the rows of the list of learners, each family under its heading."""
    rows: list[Row] = []
    family = None
    for offer in offers:
        if offer.family != family:
            family = offer.family
            rows.append(Row("", family_title(family)))
        line = learner_line(offer.name)
        if offer.misfit is None:
            rows.append(Row(offer.name, learner_title(offer.name), line))
        else:
            reason = misfit_words(offer.misfit, offer.most, offer.bundle)
            title = learner_title(offer.name)
            rows.append(Row(offer.name, title, reason, faded=True, enabled=offer.possible, tip=line))
    return rows


def _backbone_rows() -> list[Row]:
    """Return the backbones that are here and the door to others; a damaged one must not keep the window shut."""
    found = [
        Row(info.name, info.title, _hint(info.preprocessing.side, info.size_bytes))
        for info in installed_sound()
    ]
    door = Row(
        _MORE,
        translate("Selectors", "More backbones…"),
        translate("Selectors", "Download a stronger one, or load your own"),
    )
    return [*found, door]


def _hint(side: int, size: int) -> str:
    text = translate("Selectors", "Sees {0} × {0} pixels; {1:.1f} MB of weights")
    return text.format(side, size / 1e6)
