"""The video page: play a file, see what the program makes of it, and teach from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from fewshot_gui.engine.sources.frames import SourceTrouble
from fewshot_gui.gui.live.live_page import LivePage
from fewshot_gui.gui.widgets import ElidedLabel, EmptyState, PushButton, ToolButton

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent

    from fewshot_gui.engine.intake import Intake
    from fewshot_gui.engine.live import LiveLoop
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.sources.frames import Frame, SourceProblem
    from fewshot_gui.engine.sources.video import VideoSource
    from fewshot_gui.gui.theme import Appearance

SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".ogv", ".3gp", ".gif")
_STEPS_A_SECOND = 100  # the slider counts whole numbers


def clock_time(seconds: float) -> str:
    """Return a time as m:ss, or h:mm:ss from one hour on."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


class VideoPage(LivePage):
    """Plays a file that was chosen or dropped, in a loop if wanted; space plays and pauses.

    Args:
        choose: asks the person for a file; empty where none was chosen.
    """

    def __init__(
        self,
        session: Session,
        source: VideoSource,
        loop: LiveLoop,
        intake: Intake,
        appearance: Appearance,
        parent: QWidget | None = None,
        *,
        choose: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(session, loop, intake, appearance, origin="video", parent=parent)
        self._source = source
        self._ask = choose or self._ask_for_file
        self._resumes, self._stood = False, True
        self.setObjectName("videoPage")
        self.view.setObjectName("videoView")
        self.setAcceptDrops(True)
        self._make_transport()
        self.build(self._top_row(), self._empty(), self.transport)
        self._connections += [
            source.frame.connect(self._on_frame),
            source.failed.connect(self._on_failed),
            source.moved.connect(self._on_moved),
            source.changed.connect(self._on_changed),
        ]
        self._update()

    def _top_row(self) -> QWidget:
        self.name = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.name.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.open_button = PushButton(self.tr("Open video…"), icon_name="folder")
        self.open_button.setObjectName("openVideoButton")
        self.open_button.clicked.connect(self.choose)
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.name, 1)
        layout.addWidget(self.open_button)
        return row

    def _empty(self) -> EmptyState:
        button = PushButton(self.tr("Open video…"))
        button.setObjectName("openFirstVideoButton")
        button.clicked.connect(self.choose)
        self.empty = EmptyState(
            "video", self.tr("No video open"), self.tr("Open a video file, or drop one here."), (button,)
        )
        return self.empty

    def _make_transport(self) -> None:
        self.play = ToolButton("play", self.tr("Play"), key=self.tr("Space"))
        self.play.setObjectName("playButton")
        self.play.clicked.connect(self._play_or_pause)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("videoSlider")
        self.slider.setAccessibleName(self.tr("Position in the video"))
        self.slider.setToolTip(self.tr("Position in the video"))
        self.slider.sliderPressed.connect(self._grab)
        self.slider.sliderReleased.connect(self._release)
        self.slider.valueChanged.connect(self._seek)
        self.time = QLabel()
        self.time.setProperty("role", "muted")
        self.time.setFont(self._appearance.theme.font("number"))
        self.loop = QCheckBox(self.tr("Loop"))
        self.loop.setObjectName("loopBox")
        self.loop.setToolTip(self.tr("Begin again at the end"))
        self.loop.toggled.connect(self._set_loop)
        self.transport = QWidget()
        row = QHBoxLayout(self.transport)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.play)
        row.addWidget(self.slider, 1)
        row.addWidget(self.time)
        row.addWidget(self.loop)

    def open(self, path: str) -> None:
        """Play the file from its beginning."""
        self.forget()
        self.name.setText(Path(path).name)
        self._source.start(path)

    def choose(self) -> None:
        """Ask for a file and play it."""
        path = self._ask()
        if path:
            self.open(path)

    def hint(self) -> str:
        """Return what to do while nothing is taught."""
        return self.tr("Go to something you know and hold the button of its category.")

    def enter(self) -> None:
        """Play on if it played when the page was left."""
        if self._resumes:
            self._source.play()

    def leave(self) -> None:
        """Stand still while nobody looks."""
        self._resumes = self._source.playing
        self._source.pause()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Play and pause with the space bar; the rest as on every live page."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._play_or_pause()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a video file."""
        if self._dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Play the file that was dropped."""
        path = self._dropped(event)
        if path:
            event.acceptProposedAction()
            self.open(path)

    def _dropped(self, event: QDropEvent) -> str:
        """Return the first video among what is dragged; empty where there is none."""
        files = (url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile())
        return next((path for path in files if path.lower().endswith(SUFFIXES)), "")

    def _ask_for_file(self) -> str:
        kinds = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        path, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Open video"),
            "",
            self.tr("Videos ({0});;All files (*)").format(kinds),
        )
        return path

    def _play_or_pause(self) -> None:
        if self._source.playing:
            self._source.pause()
        else:
            self._source.play()

    def _grab(self) -> None:
        """Stand still while the handle is dragged; each place that is passed is shown."""
        self._resumes = self._source.playing
        self._source.pause()

    def _release(self) -> None:
        if self._resumes:
            self._source.play()

    def _seek(self, value: int) -> None:
        self._source.seek(value / _STEPS_A_SECOND)

    def _set_loop(self, wanted: bool) -> None:
        self._source.loop = wanted

    def _on_frame(self, frame: Frame, captured_at: float) -> None:
        self.show_frame(frame, captured_at, alone=not self._source.playing)

    def _on_moved(self, position: float) -> None:
        if not self.slider.isSliderDown():
            with QSignalBlocker(self.slider):
                self.slider.setValue(round(position * _STEPS_A_SECOND))
        self._show_time(position)

    def _show_time(self, position: float) -> None:
        info = self._source.info
        total = clock_time(info.duration) if info and info.duration else "–:––"
        self.time.setText(f"{clock_time(position)} / {total}")

    def _on_failed(self, problem: SourceProblem) -> None:
        self.forget()
        name = Path(problem.source).name
        title, text = self._trouble(problem)
        self.empty.title.setText(title.format(name))
        self.empty.text.setText(text)
        self.name.setText("")
        self.stack.setCurrentWidget(self.empty)
        self._update()

    def _trouble(self, problem: SourceProblem) -> tuple[str, str]:
        """Return what is wrong in a title, and what to do in a sentence."""
        if problem.kind is SourceTrouble.MISSING:
            return self.tr("{0} is not there"), self.tr("It was moved or deleted. Open another one.")
        if problem.kind is SourceTrouble.NO_PERMISSION:
            return self.tr("{0} may not be read"), self.tr("Change its permissions, or open another one.")
        return (
            self.tr("{0} cannot be played"),
            self.tr("It is damaged or no video ({0}). Open another one.").format(problem.detail),
        )

    def _on_changed(self) -> None:
        self._update()
        stands = not self._source.playing
        if stands and not self._stood and self._frame is not None and self.isVisible():
            self._loop.offer(self._frame, self._captured_at, alone=True)  # no other comes to clear it up
        self._stood = stands

    def _update(self) -> None:
        """Fit the controls to what is open and whether it plays."""
        there, playing, info = self._source.path is not None, self._source.playing, self._source.info
        self.transport.setVisible(there)
        self.open_button.setVisible(there)
        self.play.set_icon("pause" if playing else "play")
        self.play.set_tip(self.tr("Pause") if playing else self.tr("Play"), self.tr("Space"))
        if info is not None:
            with QSignalBlocker(self.slider):
                self.slider.setRange(0, round(info.duration * _STEPS_A_SECOND))
            self.slider.setPageStep(5 * _STEPS_A_SECOND)
            self.slider.setSingleStep(_STEPS_A_SECOND)
        self.slider.setEnabled(info is not None and info.duration > 0)
        self._show_time(self._source.position)
