"""What is sorted, where to, and how: the left side of the sorting dialog."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from fewshot_gui.engine.deciding.piles import Pile
from fewshot_gui.engine.sorting.names import safe_folder_name
from fewshot_gui.engine.sorting.plan import RUN_WAYS, SameName, Way
from fewshot_gui.gui.sorting.trash_list import NONE_OF_THESE, TrashList
from fewshot_gui.gui.sorting.words import alone_words, scope_words, way_words
from fewshot_gui.gui.widgets import ComboBox, PushButton

if TYPE_CHECKING:
    from collections.abc import Collection

    from fewshot_gui.engine.session import Session

KEY = "sorting"
PILES: dict[str, tuple[Pile, ...]] = {
    "decided": (),
    "sure": (Pile.SURE, Pile.NONE_OF_THESE),
    "all": (Pile.SURE, Pile.ASK, Pile.NONE_OF_THESE),
}


class Choices(QWidget):
    """The choices of a person, kept in the session; `changed` when one of them is another.

    Args:
        session: keeps them.
        folder: of the pictures.
        parent: owns this.
        selected: the paths of the chosen pictures, which may be sorted alone; that is not kept.
    """

    changed = Signal()

    def __init__(
        self,
        session: Session,
        folder: str,
        parent: QWidget | None = None,
        *,
        selected: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._session, self._selected = session, frozenset(selected)
        self.setObjectName("sortChoices")
        self.scope = self._combo("sortScope", self.tr("What is sorted"))
        for words, key in scope_words():
            self.scope.addItem(words, key)
        self.alone = QCheckBox(alone_words(len(self._selected)), self)
        self.alone.setObjectName("sortSelected")
        self.alone.setVisible(bool(self._selected))
        self.destination = QLineEdit(self)
        self.destination.setObjectName("sortDestination")
        self.destination.setAccessibleName(self.tr("Folder of the category folders"))
        self.browse = PushButton(self.tr("Choose…"), self)
        self.browse.setObjectName("sortBrowse")
        self.way = self._combo("sortWay", self.tr("How the pictures go"))
        for way in RUN_WAYS:
            self.way.addItem(way_words()[way][0], way.value)
        self.way_note = self._note()
        self.same_name = self._combo("sortSameName", self.tr("Where a name is taken"))
        self.same_name.addItem(self.tr("Give it a number: “name (2).jpg”"), SameName.RENAME.value)
        self.same_name.addItem(self.tr("Leave the picture where it is"), SameName.SKIP.value)
        self.none = QCheckBox(self.tr("Into a folder of their own:"), self)
        self.none.setObjectName("sortNone")
        self.none_name = QLineEdit(self.tr("None of these"), self)
        self.none_name.setObjectName("sortNoneName")
        self.none_name.setAccessibleName(self.tr("Folder of pictures that are none of these"))
        self.trash = TrashList(session.document.categories, self)
        self.trash_note = self._note()
        self.trash_note.setText(
            self.tr(
                "They go to the system's trash, or else to the program's own quarantine, and come "
                "home when you take the run back."
            )
        )
        self._lay_out()
        self._restore(folder)
        self._connect()
        self._follow()

    def _combo(self, name: str, accessible: str) -> ComboBox:
        combo = ComboBox(self)
        combo.setObjectName(name)
        combo.setAccessibleName(accessible)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return combo

    def _note(self) -> QLabel:
        note = QLabel(self)
        note.setProperty("role", "small")
        note.setWordWrap(True)
        return note

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        place = QHBoxLayout()
        place.setSpacing(8)
        place.addWidget(self.destination, 1)
        place.addWidget(self.browse)
        for words, parts in (
            (self.tr("What"), (self.scope, self.alone)),
            (self.tr("Where to"), (place,)),
            (self.tr("How"), (self.way, self.way_note)),
            (self.tr("Where a name is taken"), (self.same_name,)),
            (self.tr("None of these"), (self.none, self.none_name)),
            (self.tr("To the trash"), (self.trash, self.trash_note)),
        ):
            heading = QLabel(words, self)
            heading.setProperty("role", "heading")
            column.addWidget(heading)
            for part in parts:
                if isinstance(part, QHBoxLayout):
                    column.addLayout(part)
                else:
                    column.addWidget(part)
            column.addSpacing(8)
        column.addStretch(1)

    def _restore(self, folder: str) -> None:
        kept = self._session.recall(KEY)
        kept = kept if isinstance(kept, dict) else {}
        for combo, key in ((self.scope, "what"), (self.way, "way"), (self.same_name, "same_name")):
            combo.setCurrentIndex(max(0, combo.findData(kept.get(key))))
        places = kept.get("places")
        known = places.get(folder) if isinstance(places, dict) else None
        self.destination.setText(known if isinstance(known, str) else beside(folder))
        self.none.setChecked(bool(kept.get("none")))
        if kept.get("none_name"):
            self.none_name.setText(str(kept["none_name"]))
        trash = kept.get("trash")
        self.trash.tick(trash if isinstance(trash, list) else ())
        self._folder = folder

    def keep(self) -> None:
        """Keep the choices in the session, the destination for this folder alone."""
        kept = self._session.recall(KEY)
        places = kept.get("places") if isinstance(kept, dict) else None
        self._session.remember(
            KEY,
            {
                "what": self.scope.currentData(),
                "way": self.way.currentData(),
                "same_name": self.same_name.currentData(),
                "none": self.none.isChecked(),
                "none_name": self.none_name.text(),
                "trash": list(self.trash.keys),
                "places": {**(places if isinstance(places, dict) else {}), self._folder: self.target},
            },
        )

    def _connect(self) -> None:
        for combo in (self.scope, self.way, self.same_name):
            combo.currentIndexChanged.connect(self._follow_and_tell)
        self.none.toggled.connect(self._follow_and_tell)
        self.alone.toggled.connect(self.changed)
        self.trash.itemChanged.connect(self._follow_and_tell)
        for line in (self.destination, self.none_name):
            line.editingFinished.connect(self.changed)
        self.browse.clicked.connect(self._browse)

    def _follow_and_tell(self) -> None:
        self._follow()
        self.changed.emit()

    def _follow(self) -> None:
        self.way_note.setText(way_words()[self.chosen_way][1])
        sidecars = self.chosen_way is Way.SIDECAR
        for widget in (self.destination, self.browse, self.same_name, self.trash):
            widget.setEnabled(not sidecars)
        self.none.setEnabled(not sidecars and not self._none_is_trash)
        self.none_name.setVisible(self.none.isChecked() and self.none.isEnabled())
        self.trash_note.setVisible(bool(self.trash.keys) and not sidecars)
        self.destination.setToolTip(self.target)

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Sort into"), self.target)
        if chosen:
            with QSignalBlocker(self.destination):
                self.destination.setText(os.path.normpath(chosen))
            self.changed.emit()

    # What was chosen ----------------------------------------------------------------------------------

    @property
    def machine(self) -> tuple[Pile, ...]:
        """The piles that go where the machine says."""
        return PILES[self.scope.currentData()]

    @property
    def only(self) -> frozenset[str] | None:
        """The paths that are sorted alone; None: all are."""
        return self._selected if self.alone.isChecked() else None

    @property
    def target(self) -> str:
        """The folder of the category folders; with sidecars the folder of the pictures."""
        if self.chosen_way is Way.SIDECAR:
            return self._folder
        text = self.destination.text().strip() or beside(self._folder)
        return os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 - a string, as all paths

    @property
    def chosen_way(self) -> Way:
        """How the files go."""
        return Way(self.way.currentData())

    @property
    def chosen_same_name(self) -> SameName:
        """What becomes of a file whose name is taken."""
        return SameName(self.same_name.currentData())

    @property
    def chosen_none(self) -> str | None:
        """What pictures that are none of these are called, in a folder or in the trash; None: they stay."""
        if self.chosen_way is Way.SIDECAR:
            return None
        name = self.none_name.text().strip()
        if self._none_is_trash:  # not under the name of a category, whose pictures would go with them
            taken = {category.name for category in self._session.document.categories}
            return safe_folder_name(name or self.tr("None of these"), taken)
        return name if name and self.none.isChecked() else None

    @property
    def chosen_trash(self) -> frozenset[str]:
        """The categories, by name, that go to the trash; what `chosen_none` says is one of them."""
        if self.chosen_way is Way.SIDECAR:
            return frozenset()
        none = self.chosen_none if self._none_is_trash else None
        return frozenset(self.trash.names) | ({none} if none else frozenset())

    @property
    def _none_is_trash(self) -> bool:
        return NONE_OF_THESE in self.trash.keys


def beside(folder: str) -> str:
    """Return the folder that is proposed for the categories: beside the pictures, never among them."""
    words = QCoreApplication.translate("Choices", "{0} sorted")
    return words.format(folder.rstrip(os.sep)) if folder else os.path.expanduser("~")  # noqa: PTH111
