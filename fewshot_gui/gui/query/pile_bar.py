"""The bar of the piles: which one is shown, how boldly they are cut, and one button for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QProgressBar, QSlider, QToolButton, QWidget

from fewshot_gui.engine.deciding.piles import Pile, probability_needed
from fewshot_gui.gui.widgets import PushButton, Segmented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QResizeEvent

_ONE_LINE_WIDTH: Final = 1100
_STEPS: Final = 20
_SETTLE_MS: Final = 60
_KEYS: Final[dict[str, Pile | None]] = {
    "all": None,
    "sure": Pile.SURE,
    "ask": Pile.ASK,
    "none": Pile.NONE_OF_THESE,
    "decided": Pile.DECIDED,
}
_ACCEPTABLE: Final = frozenset({Pile.SURE, Pile.ASK, Pile.NONE_OF_THESE})


class PileBar(QWidget):
    """Shows the piles with live counts and lets one be chosen, cut and accepted.

    `chosen` carries a Pile, or None for all; `cut` a boldness from 0 to 1 while the slider moves, and
    `settled` says that it rests; `accepted` asks to accept what the button names; `stacked` and
    `teaching_changed` carry what their buttons say.
    """

    chosen = Signal(object)
    cut = Signal(float)
    settled = Signal()
    accepted = Signal()
    stacked = Signal(bool)
    teaching_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pileBar")
        self.setAccessibleName(self.tr("Piles"))
        self._names = {
            "all": self.tr("All"),
            "sure": self.tr("Sure"),
            "ask": self.tr("Ask me"),
            "none": self.tr("Surely none"),
            "decided": self.tr("Decided"),
        }
        self._meanings = {
            "all": "",
            "sure": self.tr("Certain enough to be accepted all at once; the slider says how certain that is"),
            "ask": self.tr("The program has its doubts: your answers to these help it most"),
            "none": self.tr("Certain to be none of these; what only may be so is under “Ask me”"),
            "decided": self.tr("You have said where these belong"),
        }
        self.choice = Segmented([(key, name, None) for key, name in self._names.items()], self)
        self.choice.setObjectName("pileChoice")
        self.choice.setAccessibleName(self.tr("Pile"))
        self.choice.chosen.connect(lambda key: self.chosen.emit(_KEYS[key]))
        self.slider = self._make_slider()
        self.stacks = self._toggle(
            "stacksButton", self.tr("Stacks"), self.tr("Show look-alikes as one, and label them as one")
        )
        self.stacks.toggled.connect(self.stacked)
        self.teaching = self._toggle(
            "keysTeachButton",
            self.tr("Keys teach"),
            self.tr("On: the key of a category teaches it with the picture. Off: the key only labels it."),
        )
        self.teaching.setChecked(True)
        self.teaching.toggled.connect(self.teaching_changed)
        self.accept = PushButton(self.tr("Accept all"), self, icon_name="check", role="primary")
        self.accept.setObjectName("acceptPileButton")
        self.accept.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.accept.clicked.connect(self.accepted)
        policy = self.accept.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # else the pictures below would jump by two pixels
        self.accept.setSizePolicy(policy)
        self.progress = QProgressBar(self)
        self.progress.setObjectName("stacksProgress")
        self.progress.setAccessibleName(self.tr("Looking for look-alikes"))
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(64)
        self.progress.hide()
        self._lay_out()
        self.show_counts({}, None)

    def _make_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setObjectName("boldnessSlider")
        slider.setAccessibleName(self.tr("Ask more or less"))
        slider.setRange(0, _STEPS)
        slider.setPageStep(4)
        slider.setMinimumWidth(48)
        slider.setMaximumWidth(104)
        self._settle = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(self.settled)
        slider.valueChanged.connect(self._slid)
        return slider

    def _toggle(self, name: str, words: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setProperty("role", "framed")
        button.setText(words)
        button.setAccessibleName(words)
        button.setToolTip(tip)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        for words, widget in ((self.tr("Ask more"), self.slider), (self.tr("Ask less"), None)):
            label = QLabel(words, self)
            label.setProperty("role", "muted")
            row.addWidget(label)
            if widget is not None:
                row.addWidget(widget, 2)
        row.addSpacing(8)
        row.addWidget(self.stacks)
        row.addWidget(self.progress)
        row.addWidget(self.teaching)
        row.addStretch(1)
        row.addWidget(self.accept)
        self._lines = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        # The edges are those of the tiles, as in the bar above.
        self._lines.setContentsMargins(16, 0, 26, 8)
        self._lines.setSpacing(8)
        self._lines.addWidget(self.choice)
        self._lines.addLayout(row)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lie in one line where there is room: the height belongs to the pictures."""
        super().resizeEvent(event)
        one_line = event.size().width() >= _ONE_LINE_WIDTH
        way = QBoxLayout.Direction.LeftToRight if one_line else QBoxLayout.Direction.TopToBottom
        self._lines.setDirection(way)

    # What is chosen ----------------------------------------------------------------------------------

    @property
    def pile(self) -> Pile | None:
        """The pile that is chosen, None for all."""
        return _KEYS[self.choice.current]

    def choose(self, pile: Pile | None) -> None:
        """Choose this pile, or all, and say so where it was not chosen already."""
        if pile is not self.pile:
            self.choice.choose(next(key for key, each in _KEYS.items() if each is pile))
            self.chosen.emit(pile)

    @property
    def boldness(self) -> float:
        """Where the slider stands, 0 careful to 1 bold."""
        return self.slider.value() / _STEPS

    def set_boldness(self, boldness: float) -> None:
        """Move the slider there without a word."""
        self.slider.blockSignals(True)  # noqa: FBT003 - Qt's own name for it
        self.slider.setValue(round(boldness * _STEPS))
        self.slider.blockSignals(False)  # noqa: FBT003 - the same
        self._say_boldness()

    def _slid(self) -> None:
        self._say_boldness()
        self.cut.emit(self.boldness)
        self._settle.start()

    def _say_boldness(self) -> None:
        percent = f"{100 * probability_needed(self.boldness):.1f}"
        self.slider.setToolTip(
            self.tr("Left: more questions, fewer mistakes. Now sure from {percent} % on").format(
                percent=percent
            )
        )
        self.slider.setAccessibleDescription(self.slider.toolTip())

    # What is shown -----------------------------------------------------------------------------------

    def show_counts(self, counts: Mapping[Pile | None, int], acceptable: int | None) -> None:
        """Show how many pictures each pile has, None standing for all, and how many the button accepts."""
        for key, pile in _KEYS.items():
            button, number = self.choice.button(key), counts.get(pile, 0)
            words = f"{self._names[key]}  {_short(number)}"
            if button.text() != words:
                button.setText(words)
                button.setAccessibleName(f"{self._names[key]}, {number:,}")
                button.setToolTip(f"{button.accessibleName()}\n{self._meanings[key]}".strip())
        number = acceptable or 0
        self.accept.setVisible(self.pile in _ACCEPTABLE)
        self.accept.setEnabled(number > 0)
        words = (
            self.tr("Accept this one")
            if number == 1
            else self.tr("Accept all {count}").format(count=f"{number:,}")
            if number
            else self.tr("Accept all")
        )
        self.accept.setText(words)
        self.accept.setAccessibleName(words)
        # A click takes all the doubtful ones as they are: that must not look like the way through them.
        self.accept.set_role("quiet" if self.pile is Pile.ASK else "primary")
        self.accept.setToolTip(
            self.tr("Accept what is suggested for every picture of this pile (Ctrl+Enter)")
        )

    def show_progress(self, share: float | None) -> None:
        """Show how far the look-alikes are looked for, 0 to 1, or with None nothing."""
        self.progress.setVisible(share is not None)
        self.progress.setValue(round(100 * (share or 0)))


def _short(number: int) -> str:
    """Return at most five signs: the bar must not grow with the folder; the tooltip has the exact number."""
    return f"{number:,}" if number < 10_000 else f"{number // 1000:,}k"
