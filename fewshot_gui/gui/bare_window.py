"""An empty window with PySide6 alone, run as a process: what every start of a Qt program costs."""

from __future__ import annotations

import json
import sys
import time

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow


class _Painted(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self._tell)
        return False

    def _tell(self) -> None:
        print(json.dumps({"painted_at": time.time()}))  # noqa: T201 - the process that measures reads it
        QApplication.quit()


def main() -> int:
    """Return 0 after an empty window was painted and the moment printed, in seconds since 1970."""
    app = QApplication(sys.argv)
    window, watcher = QMainWindow(), _Painted()
    window.installEventFilter(watcher)
    window.resize(1280, 760)
    window.show()
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
