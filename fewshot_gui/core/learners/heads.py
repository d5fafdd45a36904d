"""The heads by kind, made from the architecture that a bundle or a recipe states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fewshot_gui.core.learners.feat import FeatHead
from fewshot_gui.core.learners.matching import MatchingHead
from fewshot_gui.core.learners.prototypical_head import PrototypicalHead
from fewshot_gui.core.learners.r2d2 import RidgeHead
from fewshot_gui.core.learners.relation import RelationHead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fewshot_gui.core.learners.head import Head


class HeadError(ValueError):
    """An architecture of which no head can be made; its sentence says why."""


def _mann(dimension: int, **settings: Any) -> Head:
    from fewshot_gui.core.learners.memory import Mann  # noqa: PLC0415 - few bundles need it

    return Mann(dimension, **settings)


def _snail(dimension: int, **settings: Any) -> Head:
    from fewshot_gui.core.learners.snail import Snail  # noqa: PLC0415 - few bundles need it

    return Snail(dimension, **settings)


def _caml(dimension: int, **settings: Any) -> Head:
    from fewshot_gui.core.learners.caml import Caml  # noqa: PLC0415 - few bundles need it

    return Caml(dimension, **settings)


# From the dimension of the embeddings and the settings of the kind, all by keyword, to the head.
HEADS: Mapping[str, Callable[..., Head]] = {
    "prototypical": PrototypicalHead,
    "matching": MatchingHead,
    "relation": RelationHead,
    "feat": FeatHead,
    "ridge": RidgeHead,
    "mann": _mann,
    "snail": _snail,
    "caml": _caml,
}


def build_head(architecture: Mapping[str, Any], dimension: int) -> Head:
    """Return a new head with its initial values.

    Args:
        architecture: `kind`, one of `HEADS`, and the settings of that kind.
        dimension: D of the embeddings.

    Raises:
        HeadError: there is no such kind, a setting that it does not know or that does not fit the embeddings.
    """
    settings = dict(architecture)
    kind = settings.pop("kind", None)
    if kind not in HEADS:
        raise HeadError(f"there is no head {kind!r}; choose one of {', '.join(HEADS)}")
    try:
        return HEADS[kind](dimension, **settings)
    except (TypeError, ValueError) as error:
        raise HeadError(f"no {kind} head can be made: {error}") from error
