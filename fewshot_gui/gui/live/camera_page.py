"""The camera page: choose a camera, see what the program makes of it, and teach by holding a button."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QWidget

from fewshot_gui.engine.sources.frames import SourceTrouble
from fewshot_gui.gui.live.live_page import LivePage
from fewshot_gui.gui.widgets import ComboBox, EmptyState, PushButton, ToolButton

if TYPE_CHECKING:
    from fewshot_gui.engine.intake import Intake
    from fewshot_gui.engine.live import LiveLoop
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.sources.camera import CameraSource
    from fewshot_gui.engine.sources.devices import CameraDevice
    from fewshot_gui.engine.sources.frames import Frame, SourceProblem
    from fewshot_gui.gui.theme import Appearance

_CHECK_MS = 500
_SEEK_EVERY = 4  # checks: every two seconds, as often as somebody with a plug in the hand looks up


class CameraPage(LivePage):
    """Looks for cameras when it is shown, starts the one used last, and lets it go when it is hidden."""

    def __init__(
        self,
        session: Session,
        source: CameraSource,
        loop: LiveLoop,
        intake: Intake,
        appearance: Appearance,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(session, loop, intake, appearance, origin="camera", parent=parent)
        self._source = source
        self._devices: tuple[CameraDevice, ...] = ()
        self._wanted = True
        self._opened: CameraDevice | None = None
        self._lost: CameraDevice | None = None
        self._checked = 0
        self._checks = QTimer(self, interval=_CHECK_MS)
        self._checks.timeout.connect(self.check)
        self.setObjectName("cameraPage")
        self._make_controls()
        self.build(self._top_row(), self.empty)
        self._say_looking()
        self._update()
        self._connections += [
            source.frame.connect(self._on_frame),
            source.failed.connect(self._on_failed),
            source.found.connect(self._on_found),
            source.returned.connect(self._on_returned),
        ]
        mirrored = session.recall("camera.mirrored", default=True) is not False
        self.mirror.setChecked(mirrored)
        self.view.set_mirrored(mirrored=mirrored)

    def _make_controls(self) -> None:
        self.devices = ComboBox()
        self.devices.setObjectName("cameraDevice")
        self.devices.setAccessibleName(self.tr("Camera"))
        self.devices.setToolTip(self.tr("Which camera to use"))
        self.devices.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.devices.setMinimumContentsLength(14)
        self.devices.setMaximumWidth(320)
        self.devices.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.devices.activated.connect(self._choose)
        self.again = ToolButton("search", self.tr("Look for cameras again"))
        self.again.setObjectName("lookForCamerasButton")
        self.again.clicked.connect(self.look)
        self.mirror = ToolButton("mirror", self.tr("Mirror the picture on the screen"))
        self.mirror.setObjectName("mirrorButton")
        self.mirror.setCheckable(True)
        self.mirror.toggled.connect(self._set_mirrored)
        self.switch = PushButton(self.tr("Start"))
        self.switch.setObjectName("cameraSwitch")
        self.switch.clicked.connect(self._start_or_stop)
        self.act = PushButton(self.tr("Look again"))
        self.act.setObjectName("cameraTryAgainButton")
        self.act.clicked.connect(self._try_again)
        self.empty = EmptyState("camera", "", "", (self.act,))

    def _top_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.devices, 4)
        layout.addWidget(self.again)
        layout.addStretch(1)
        layout.addWidget(self.mirror)
        layout.addWidget(self.switch)
        return row

    @property
    def running(self) -> bool:
        """True while a camera runs or is being opened."""
        return self._source.device is not None

    def enter(self) -> None:
        """Look for cameras, and start the one used last unless the person had stopped it."""
        self._checks.start()
        self.look()

    def check(self) -> None:
        """Report a camera that hangs, and look now and then for one that was unplugged."""
        self._source.check()
        self._checked += 1
        if self._lost is not None and self._checked % _SEEK_EVERY == 0:
            self._source.seek(self._lost)

    def _on_returned(self, device: CameraDevice) -> None:
        """Go on with the camera that was unplugged, under the number that it has now."""
        if self._lost is None or not self.isVisible():
            return
        if device not in self._devices:
            # The place of the lost one; what else changed meanwhile is seen when somebody looks for cameras.
            self._devices = (*(each for each in self._devices if each != self._lost), device)
            self._offer_devices(device)
        self.start(device)

    def leave(self) -> None:
        """Let the camera go: its light is out while nobody looks."""
        self._checks.stop()
        self._stop()

    def look(self) -> None:
        """Look which cameras there are."""
        if not self.running:
            self._say_looking()
        self._source.look()

    def start(self, device: CameraDevice) -> None:
        """Open the camera and show it."""
        self.forget()
        self._wanted = True
        self._opened, self._lost = device, None
        self._source.start(device)
        self._say(self.tr("Opening {0}").format(self._name(device)), self.tr("This takes a moment."))
        self._update()

    def _stop(self) -> None:
        self._source.stop()
        self._lost = None
        self.forget()
        self._update()

    def _on_found(self, devices: tuple[CameraDevice, ...]) -> None:
        self._devices = devices
        chosen = self._source.device or self._remembered()
        self._offer_devices(chosen)
        if self.running or not self.isVisible():
            return
        if not devices:
            self._say_none()
        elif self._wanted and chosen is not None:
            self.start(chosen)
        else:
            self._say_stopped()

    def _offer_devices(self, chosen: CameraDevice | None) -> None:
        """Show which cameras there are, and this one as the chosen one."""
        self.devices.clear()
        self.devices.addItems([self._name(device) for device in self._devices])
        if chosen is not None and chosen in self._devices:
            self.devices.setCurrentIndex(self._devices.index(chosen))
        self._update()

    def _remembered(self) -> CameraDevice | None:
        """Return the camera used last where it is there, else the first."""
        last = self._session.recall("camera.device")
        same = (device for device in self._devices if [device.index, device.name] == last)
        return next(same, self._devices[0] if self._devices else None)

    def _name(self, device: CameraDevice) -> str:
        name = device.name or self.tr("Camera {0}").format(device.index + 1)
        twins = [each for each in self._devices if each.name == device.name]
        return f"{name} ({device.index})" if device.name and len(twins) > 1 else name

    def _choose(self, row: int) -> None:
        device = self._devices[row]
        self._session.remember("camera.device", [device.index, device.name])
        if device != self._source.device:
            self.start(device)

    def _start_or_stop(self) -> None:
        if self.running:
            self._wanted = False
            self._stop()
            self._say_stopped()
        else:
            self._try_again()

    def _try_again(self) -> None:
        """Start the chosen camera; look for one where there was none."""
        self._wanted = True
        row = self.devices.currentIndex()
        if 0 <= row < len(self._devices):
            self.start(self._devices[row])
        else:
            self.look()

    def _set_mirrored(self, mirrored: bool) -> None:
        self.view.set_mirrored(mirrored=mirrored)
        self._session.remember("camera.mirrored", mirrored)

    def _on_frame(self, frame: Frame, captured_at: float) -> None:
        self.show_frame(frame, captured_at)

    def _on_failed(self, problem: SourceProblem) -> None:
        self.forget()
        self._update()
        if problem.kind in {SourceTrouble.LOST, SourceTrouble.NO_CAMERA}:
            self._lost = self._opened
        if problem.kind is SourceTrouble.NO_CAMERA:
            self._devices = ()
            self.devices.clear()
            self._update()
            self._say_none()
            return
        title, text = self._trouble(problem)
        self._say(title, text, self.tr("Try again"))

    def _trouble(self, problem: SourceProblem) -> tuple[str, str]:
        """Return what is wrong in a title, and what to do in a sentence."""
        name = problem.source or self.tr("The camera")
        words = {
            SourceTrouble.BUSY: (
                self.tr("{0} is in use"),
                self.tr("Close the other program or browser tab that shows it, then try again."),
            ),
            SourceTrouble.NO_PERMISSION: (
                self.tr("{0} may not be used"),
                self.tr(
                    "Allow this program to use the camera in the settings of your system, then try again."
                ),
            ),
            SourceTrouble.LOST: (
                self.tr("{0} was disconnected"),
                self.tr("Plug it in again, and it goes on. Everything you taught is still here."),
            ),
            SourceTrouble.TIMED_OUT: (
                self.tr("{0} gives no picture"),
                self.tr(
                    "It is there but sends nothing. Unplug it and plug it in again, or choose another one."
                ),
            ),
        }
        fallback = (
            self.tr("{0} cannot be read"),
            problem.detail or self.tr("Choose another one, or try again."),
        )
        title, text = words.get(problem.kind, fallback)
        return title.format(name), text

    def _say_looking(self) -> None:
        self._say(self.tr("Looking for cameras"), self.tr("This takes a moment."))

    def _say_none(self) -> None:
        # Only Linux lists its cameras; elsewhere one that cannot be opened looks like none.
        hints = {
            "win32": self.tr(
                "If one is connected, close other programs that use it, and allow cameras in the system's "
                "privacy settings."
            ),
            "darwin": self.tr(
                "If one is connected, close other programs that use it, and allow the camera in System "
                "Settings > Privacy & Security > Camera."
            ),
        }
        text = f"{self.tr('Plug one in, then press Look again.')} {hints.get(sys.platform, '')}"
        self._say(self.tr("No camera found"), text.rstrip(), self.tr("Look again"))

    def _say_stopped(self) -> None:
        self._say(
            self.tr("The camera is off"),
            self.tr("Nothing is recorded: pictures are kept only while you hold a category."),
            self.tr("Start the camera"),
        )

    def _say(self, title: str, text: str, button: str = "") -> None:
        """Show a title, a sentence and, where named, a button in place of the picture."""
        self.empty.title.setText(title)
        self.empty.text.setText(text)
        self.act.setText(button)
        self.act.setAccessibleName(button)
        self.act.setVisible(bool(button))
        self.stack.setCurrentWidget(self.empty)

    def _update(self) -> None:
        """Fit the controls to what runs and what is there."""
        self.switch.setText(self.tr("Stop") if self.running else self.tr("Start"))
        self.switch.setAccessibleName(self.switch.text())
        self.switch.setToolTip(self.tr("Stop the camera") if self.running else self.tr("Start the camera"))
        self.switch.setEnabled(bool(self._devices))
        self.devices.setEnabled(bool(self._devices))
        self.devices.setPlaceholderText(self.tr("No camera"))
