"""What every test shares."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from fewshot_gui.gui.garbage import collect_due

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same examples every time, so that a change is blamed for what it broke and for nothing else. Others, and
# many more, are looked for by `pytest --hypothesis-profile=searching`. How long one takes says nothing on a
# machine that also does other things.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("searching", deadline=None, max_examples=2000)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True, scope="session")
def no_models_of_this_person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no test see, or add to, the backbones of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEWSHOT_MODELS", str(tmp_path_factory.mktemp("models") / "backbones"))
        yield


@pytest.fixture(autouse=True, scope="session")
def garbage_on_the_main_thread() -> Iterator[None]:
    """Let no lane of a test destroy the widgets of another one: see fewshot_gui.gui.garbage."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def garbage_after_the_test() -> Iterator[None]:
    """Collect, here on the main thread, what is due."""
    yield
    collect_due()
