"""What the gallery, the machine and the person say now, as one value for another thread."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from fewshot_gui.core.backbones.bundle_info import BundleError
from fewshot_gui.engine.deciding.piles import sort_into_piles
from fewshot_gui.engine.scores import unknown
from fewshot_gui.engine.sorter import PlanRequest
from fewshot_gui.engine.sorting.plan import Machine
from fewshot_gui.gui.query.deciding import boldness_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from fewshot_gui.engine.deciding.piles import Pile, Piles
    from fewshot_gui.engine.library import Library
    from fewshot_gui.engine.scores import Scores
    from fewshot_gui.engine.sorting.plan import SameName, Way
    from fewshot_gui.engine.workspace import Workspace


def scores_and_piles(workspace: Workspace) -> tuple[Scores, Piles]:
    """Return what the machine says of the rows, unknown where nothing was taught, and the piles of it."""
    gallery = workspace.gallery
    scores = workspace.predictor.scores
    if scores is None:
        scores = unknown(gallery.count, ())
    missing = gallery.missing
    return scores, sort_into_piles(scores, boldness_of(workspace.session), missing[: scores.count])


def snapshot(
    workspace: Workspace,
    *,
    machine: Collection[Pile],
    none_name: str | None,
    destination: str,
    way: Way,
    same_name: SameName,
    only: frozenset[str] | None = None,
    trash: frozenset[str] = frozenset(),
) -> PlanRequest:
    """Return what is to be planned, of these paths alone where some are given."""
    gallery = workspace.gallery
    gone = {gallery.files[row].path for row in gallery.missing.nonzero()[0].tolist()}
    scores, piles = scores_and_piles(workspace)
    settings, choice = workspace.session.document.settings, workspace.predictor.status.choice
    learner = choice.learner if choice else settings.learner
    return PlanRequest(
        files=tuple(gallery.files),
        ids=tuple(gallery.ids),
        scores=scores,
        piles=piles,
        document=workspace.session.document,
        machine=tuple(machine),
        none_name=none_name,
        destination=destination,
        way=way,
        same_name=same_name,
        gone=frozenset(gone),
        trash=trash,
        only=only,
        steps=workspace.session.steps,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        made_by=partial(_machine, workspace.library, learner, settings.backbone),
    )


def _machine(library: Library, learner: str, backbone: str) -> Machine:
    """Return what makes the scores, without a hash where the bundle is gone: the labels hold all the same."""
    try:
        weights = library.info(backbone).hash
    except BundleError:
        weights = ""
    return Machine(learner, backbone, weights)
