"""Torch's threads: one for a frame, half of them for many pictures, and the former number afterwards."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.engine.torch_threads import FEW, embedding_threads, single_threads, threads_for


class Torch(SimpleNamespace):
    """Knows its number of threads, as torch does."""

    threads = 8

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, threads: int) -> None:
        self.threads = threads


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Torch:
    fake = Torch()
    monkeypatch.setitem(sys.modules, "torch", fake)
    return fake


def test_a_frame_is_embedded_on_one_thread(torch: Torch) -> None:
    with embedding_threads(1):
        assert torch.threads == 1
    assert torch.threads == 8


def test_many_pictures_leave_half_of_the_threads_to_decoding(torch: Torch) -> None:
    with embedding_threads(32):
        assert torch.threads == 4
    assert torch.threads == 8


def test_the_former_number_comes_back_after_an_error(torch: Torch) -> None:
    with pytest.raises(MemoryError), embedding_threads(32):
        raise MemoryError
    assert torch.threads == 8


def test_without_torch_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)

    with embedding_threads(32):
        assert "torch" not in sys.modules


@given(st.integers(1, 10_000), st.integers(1, 512))
def test_there_is_always_one_and_never_more_than_there_are(pictures: int, most: int) -> None:
    threads = threads_for(pictures, most)

    assert 1 <= threads <= most
    assert threads == 1 or pictures > FEW


def test_each_thread_of_a_pool_computes_alone_and_without_gradients() -> None:
    import torch

    before = torch.get_num_threads()
    with single_threads(2) as pool:
        seen = list(pool.map(lambda _: (torch.get_num_threads(), torch.is_grad_enabled()), range(4)))
        assert seen == [(1, False)] * 4
        assert torch.is_grad_enabled(), "here nothing has changed"
    assert torch.get_num_threads() == before
