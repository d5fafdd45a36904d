"""The query panel: the four sources of pictures, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStackedWidget, QWidget

from fewshot_gui.gui.live.camera_page import CameraPage
from fewshot_gui.gui.live.draw_page import DrawPage
from fewshot_gui.gui.live.video_page import VideoPage
from fewshot_gui.gui.query.folder_page import FolderPage

if TYPE_CHECKING:
    from fewshot_gui.engine.state import CategoryId
    from fewshot_gui.engine.workspace import Workspace
    from fewshot_gui.gui.theme import Appearance

SOURCES = ("folder", "camera", "video", "draw")


class QueryPanel(QStackedWidget):
    """Shows one page a source; a page that is hidden stops its camera or video by itself."""

    def __init__(self, workspace: Workspace, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("queryPanel")
        self.setAccessibleName(self.tr("Pictures to classify"))
        space = workspace
        self.folder = FolderPage(
            space.session,
            space.gallery,
            space.predictor,
            space.library,
            space.intake,
            appearance,
            self,
            lane=space.lanes.decode,
            problems=space.problems,
        )
        self.camera = CameraPage(
            space.session, space.camera, space.camera_loop, space.intake, appearance, self
        )
        self.video = VideoPage(space.session, space.video, space.video_loop, space.intake, appearance, self)
        self.draw = DrawPage(space.session, space.predictor, space.intake, appearance, self)
        for page in (self.folder, self.camera, self.video, self.draw):
            self.addWidget(page)

    def show_source(self, source: str) -> None:
        """Show the page of "folder", "camera", "video" or "draw"."""
        self.setCurrentIndex(SOURCES.index(source))
        (self.folder, self.camera, self.video, self.draw)[self.currentIndex()].setFocus()

    def can_capture(self) -> bool:
        """Return whether the present source has frames to capture examples from."""
        return self.currentWidget() in {self.camera, self.video}

    def capture(self, category: CategoryId, *, held: bool) -> None:
        """Capture frames of the present source into a category while its button is held."""
        page = self.currentWidget()
        if isinstance(page, CameraPage | VideoPage):
            page.capture(category, held=held)
