"""Which shipped bundle fits a learner and a kind of pictures, and what is said where none does."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fewshot_gui.core.backbones import bundle_info, catalogue
from fewshot_gui.core.backbones.bundle import describe_bundle, save_bundle
from fewshot_gui.core.backbones.catalogue import bundle_for, default_bundle, kind_of_bundle
from fewshot_gui.core.backbones.fits import MOST_BYTES, Misfit, misfit, require_fit
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.learners.facts import LEARNERS, LearnerError, facts_of

if TYPE_CHECKING:
    from pathlib import Path


def shelve(
    folder: Path, name: str, *, learner: str = "", channels: int = 3, side: int = 84, **more: Any
) -> None:
    """Write a bundle of which only the header is looked at."""
    description = {
        "title": name, "architecture": {}, "dimension": 4, "normalise": False, "temperature": 1.0,
        "preprocessing": asdict(Preprocessing(side, channels, (0.5,) * channels, (0.2,) * channels)),
        "novelty": 1.0, "training": {}, "learner": learner, **more,
    }  # fmt: skip
    save_bundle(folder / f"{name}.safetensors", {"centre": np.zeros(4, np.float32)}, description)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (bundle_info, catalogue):
        monkeypatch.setattr(module, "models_folder", lambda: tmp_path)
    shelve(tmp_path, "photo")
    shelve(tmp_path, "omniglot-conv4", channels=1, side=28)
    shelve(tmp_path, "omniglot-maml", learner="maml", channels=1, side=28)
    shelve(tmp_path, "omniglot-snail", learner="snail", channels=1, side=28, ways=5)
    shelve(tmp_path, "photo-feat", learner="feat")
    return tmp_path


@pytest.mark.parametrize(
    ("learner", "kind", "name"),
    [
        ("prototypical", "photo", "photo"),
        ("prototypical", "drawing", "omniglot-conv4"),
        ("maml", "drawing", "omniglot-maml"),  # trained for it
        ("maml", "photo", "photo"),  # adapts any
        ("feat", "photo", "photo-feat"),
        ("feat", "drawing", "photo-feat"),  # rather than none
        ("snail", "photo", "omniglot-snail"),
    ],
)
def test_the_bundle_fits_learner_and_pictures(shelf: Path, learner: str, kind: Any, name: str) -> None:
    assert bundle_for(learner, kind) == name


def test_a_learner_without_any_bundle_says_how_to_get_one(shelf: Path) -> None:
    with pytest.raises(LearnerError, match="none is shipped; train one"):
        bundle_for("relation", "photo")
    with pytest.raises(LearnerError, match="choose one of"):
        bundle_for("oracle", "photo")


def test_more_pixels_than_memory_holds_are_refused() -> None:
    """The system would end the program without a word."""
    require_fit("maml", describe_bundle("photo"), pictures=1000)
    require_fit("ridge", describe_bundle("photo"), pictures=10**9)
    with pytest.raises(LearnerError, match="1,000,000 pictures"):
        require_fit("maml", describe_bundle("photo"), pictures=10**6)


def test_a_misfit_names_the_bundles_that_fit(shelf: Path) -> None:
    require_fit("ridge", describe_bundle("photo"))
    require_fit("maml", describe_bundle("photo"))
    require_fit("feat", describe_bundle("photo-feat"))
    with pytest.raises(LearnerError, match=r"feat works only on .* not on photo; use photo-feat"):
        require_fit("feat", describe_bundle("photo"))
    with pytest.raises(LearnerError, match="not on photo; none is shipped"):
        require_fit("relation", describe_bundle("photo"))
    shelve(shelf, "a-feat", learner="feat", channels=1)
    with pytest.raises(LearnerError, match="use photo-feat or a-feat"):  # the same kind first
        require_fit("feat", describe_bundle("photo"))


def test_each_learner_may_be_kept_away_by_something(shelf: Path) -> None:
    info = describe_bundle("photo")
    found = {name: misfit(facts_of(name), info, ways=5, pictures=1000) for name in LEARNERS}
    assert found["prototypical"] is None
    assert found["maml"] is None
    assert found["relation"] == Misfit.NEEDS_OWN_BUNDLE


def test_a_head_of_five_ways_does_not_take_six(shelf: Path) -> None:
    info = describe_bundle("omniglot-snail")
    assert misfit(facts_of("snail"), info, 5, 100) is None
    assert misfit(facts_of("snail"), info, 6, 100) == Misfit.TOO_MANY_WAYS
    shelve(shelf, "wide", learner="mann", head={"kind": "mann", "max_ways": 8}, ways=5)
    assert misfit(facts_of("mann"), describe_bundle("wide"), 8, 100) is None
    assert misfit(facts_of("mann"), describe_bundle("wide"), 9, 100) == Misfit.TOO_MANY_WAYS


def test_what_does_not_fit_into_memory_is_not_adapted(shelf: Path) -> None:
    info = describe_bundle("photo")
    most = MOST_BYTES // (3 * 84 * 84 * 4)
    assert misfit(facts_of("maml"), info, 5, most) is None
    assert misfit(facts_of("maml"), info, 5, most + 1) == Misfit.TOO_MANY_PICTURES
    assert misfit(facts_of("ridge"), info, 5, 10 * most) is None


def test_kinds(shelf: Path) -> None:
    assert kind_of_bundle(describe_bundle("photo")) == "photo"
    assert kind_of_bundle(describe_bundle("omniglot-conv4")) == "drawing"
    assert default_bundle("drawing") == "omniglot-conv4"


def test_a_network_that_sees_pictures_together_is_for_learners_that_adapt(shelf: Path) -> None:
    """Its embedding of a picture depends on the batch: prototypes on it told nothing, and none was warned."""
    shelve(shelf, "task", learner="maml", architecture={"kind": "conv4", "norm": "task"})
    info = describe_bundle("task")
    assert misfit(facts_of("maml"), info) is None
    assert {misfit(facts_of(name), info) for name in ("prototypical", "auto", "ridge")} == {
        Misfit.SEES_TOGETHER
    }
    with pytest.raises(LearnerError, match="depends on the others that it sees"):
        require_fit("prototypical", info)
