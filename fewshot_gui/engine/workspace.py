"""The engine put together: the lanes of the program, and everything that one session needs on them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fewshot_gui.engine.comparing import Comparer
from fewshot_gui.engine.drop_watch import DropWatch
from fewshot_gui.engine.folders import cache_folder
from fewshot_gui.engine.gallery import Gallery
from fewshot_gui.engine.intake import Intake
from fewshot_gui.engine.library import Library, decode_threads
from fewshot_gui.engine.live import LiveLoop
from fewshot_gui.engine.predictor import Predictor
from fewshot_gui.engine.problems import ProblemLog
from fewshot_gui.engine.recipe import recipe_of
from fewshot_gui.engine.session_places import moved_along
from fewshot_gui.engine.sources.camera import CameraSource
from fewshot_gui.engine.sources.video import VideoSource
from fewshot_gui.engine.worker import Worker

if TYPE_CHECKING:
    from fewshot_gui.core.images.identity import PictureId
    from fewshot_gui.engine.session import Session
    from fewshot_gui.engine.worker import Post

CLOSE_SECONDS = 1.0
DRAIN_SECONDS = 0.5
FOLDER_KEY = "folder"
_SESSION_KEY = "folder.session"


@dataclass(frozen=True)
class Lanes:
    """The threads of the program, by what they touch."""

    decode: Worker
    model: Worker
    disk: Worker
    camera: Worker
    video: Worker

    @classmethod
    def start(cls, post: Post) -> Lanes:
        """Return running lanes whose results arrive through `post`."""
        return cls(
            decode=Worker("decode", post, threads=decode_threads()),
            model=Worker("model", post),
            disk=Worker("disk", post),
            # A camera's driver may hang for minutes; the second thread lets another camera start meanwhile.
            camera=Worker("camera", post, threads=2),
            video=Worker("video", post),
        )

    def all(self) -> tuple[Worker, ...]:
        """Return every lane, in the order in which they close."""
        return self.camera, self.video, self.decode, self.model, self.disk

    def close(self) -> bool:
        """Cancel what runs, end the threads, and return True if all ended within a second.

        One that loads torch, or waits for the driver of a camera, does not: the process may go without it.
        """
        for lane in self.all():
            lane.close(timeout=0.0)
        deadline = time.monotonic() + CLOSE_SECONDS
        return all([lane.close(max(0.0, deadline - time.monotonic())) for lane in self.all()])  # noqa: C419 - every one


def remembered_folder(session: Session) -> str:
    """Return the folder that a session showed last, where it lies now; empty where it showed none."""
    folder, former = session.recall(FOLDER_KEY), session.recall(_SESSION_KEY)
    if not isinstance(folder, str):
        return ""
    return moved_along(folder, former, session.path) if isinstance(former, str) else folder


class Workspace:
    """One open session and everything that works for it. Belongs to the main thread.

    Args:
        session: open; closed by `close`.
        lanes: outlive the workspace.
        post: hands a call to the main thread.
    """

    def __init__(self, session: Session, lanes: Lanes, post: Post) -> None:
        recipe = recipe_of(session.document)
        self.session = session
        self.lanes = lanes
        self.problems = ProblemLog()
        self.library = Library(post, lanes.decode, lanes.model, cache_folder(), self.problems)
        self.gallery = Gallery(
            self.library, lanes.decode, self.problems, backbone=recipe.backbone, device=recipe.device
        )
        self.predictor = Predictor(session, self.library, self.gallery, lanes.model)
        self.comparer = Comparer(session, self.library, self.gallery, self.predictor, lanes.model)
        self.intake = Intake(session, self.problems, lanes.decode)
        self.drops = DropWatch(session, self.intake, self.predictor, lanes.decode)
        self.camera = CameraSource(lanes.camera, post)
        self.video = VideoSource(lanes.video, post)
        self.camera_loop = LiveLoop(self.predictor, time.perf_counter)
        self.video_loop = LiveLoop(self.predictor, time.perf_counter)
        self._searched = ""
        self._late: set[PictureId] = set()  # examples that were read after they were taught
        self._closed = False
        self.intake.pictured.connect(self._on_pictured)
        self.predictor.status_changed.connect(lambda _status: self._refit_with_late())
        self.gallery.listed.connect(self._remember_folder)
        self.gallery.progressed.connect(lambda _done, _total: self._find_moved())
        self.intake.read_unpictured()

    def _on_pictured(self, picture: PictureId) -> None:
        self._late.add(picture)
        self._refit_with_late()

    def _refit_with_late(self) -> None:
        """Fit again, once, where examples had no picture to be read when the classifier was made."""
        if self._closed or not self._late or self.predictor.status.busy:
            return
        fitted = self.predictor.fitted
        used = frozenset(() if fitted is None else fitted.support_ids)
        late, self._late = self._late, set()
        if (late - used).intersection(self.session.document.pictures()):
            self.predictor.refresh()

    def _remember_folder(self) -> None:
        """Remember the folder, so that the session shows it when it is opened again."""
        if self.gallery.folder:
            self.session.remember(FOLDER_KEY, self.gallery.folder)
            self.session.remember(_SESSION_KEY, self.session.path)

    def _find_moved(self) -> None:
        """Look once among the pictures of a folder for examples whose files were moved."""
        if self.gallery.folder and not self.gallery.listing and self.gallery.folder != self._searched:
            self._searched = self.gallery.folder
            self.intake.find_moved(self.gallery.files)

    def warm_up(self) -> None:
        """Load the backbone in the background, so that the first drop is answered at once."""
        recipe = recipe_of(self.session.document)
        self.library.warm_up(recipe.backbone, recipe.device)

    def close(self, *, discard: bool = False) -> bool:
        """Return True once the session is on disk and all has stopped; False where it cannot be written.

        Args:
            discard: close even so, and lose what is not on disk.
        """
        if self._closed:
            return True
        if not self.session.close(discard=discard):
            return False
        self._closed = True
        self.intake.close()
        self.drops.close()
        self.camera.stop()
        self.video.stop()
        self.camera_loop.reset()
        self.video_loop.reset()
        self.predictor.close()
        self.gallery.close()
        # For what is being embedded, to keep it; what takes longer, such as loading torch, may end later.
        deadline = time.monotonic() + DRAIN_SECONDS
        for lane in (self.lanes.decode, self.lanes.model):
            lane.drain(max(0.0, deadline - time.monotonic()))
        self.library.close()
        return True
