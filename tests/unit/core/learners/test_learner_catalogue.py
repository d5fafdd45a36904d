from __future__ import annotations

import subprocess
import sys

import pytest

from fewshot_gui.core.learners.catalogue import LEARNERS, LearnerError, make_learner


@pytest.mark.parametrize("name", LEARNERS)
def test_every_name_makes_its_learner_with_the_defaults_of_the_bundle(name: str) -> None:
    learner = make_learner(name, default_temperature=0.25, default_novelty=0.9)
    assert learner.name == name
    assert learner.default_temperature == 0.25  # type: ignore[attr-defined]
    assert learner.default_novelty == 0.9  # type: ignore[attr-defined]


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(LearnerError) as caught:
        make_learner("protonet")
    assert "'protonet'" in str(caught.value)
    assert all(name in str(caught.value) for name in LEARNERS)


def test_the_names_are_known_without_torch() -> None:
    script = "import sys, fewshot_gui.core.learners.catalogue; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
