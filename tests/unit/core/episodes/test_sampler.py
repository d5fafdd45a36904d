from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.episodes.sampler import ClassIndex, Episode, EpisodeError, sample_episode

LABELS = torch.arange(6).repeat_interleave(8)[torch.randperm(48, generator=torch.Generator().manual_seed(1))]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def same(first: Episode, second: Episode) -> bool:
    return all(torch.equal(getattr(first, name), getattr(second, name)) for name in Episode.__slots__)


@given(ways=st.integers(1, 6), shots=st.integers(1, 5), queries=st.integers(0, 3), seed=st.integers(0, 2**31))
def test_an_episode_is_what_was_asked_for(ways: int, shots: int, queries: int, seed: int) -> None:
    episode = sample_episode(LABELS, ways=ways, shots=shots, queries=queries, generator=seeded(seed))
    assert len(set(episode.classes.tolist())) == ways
    assert torch.equal(LABELS[episode.support_index], episode.classes[episode.support_labels])
    assert torch.equal(LABELS[episode.query_index], episode.classes[episode.query_labels])
    assert episode.support_labels.bincount(minlength=ways).tolist() == [shots] * ways
    assert episode.query_labels.bincount(minlength=ways).tolist() == [queries] * ways
    drawn = episode.support_index.tolist() + episode.query_index.tolist()
    assert len(set(drawn)) == len(drawn)


@given(seed=st.integers(0, 2**31))
def test_the_same_generator_state_gives_the_same_episode(seed: int) -> None:
    arguments = {"ways": 3, "shots": 2, "queries": 4}
    first, second = seeded(seed), seeded(seed)
    for _ in range(3):
        assert same(
            sample_episode(LABELS, **arguments, generator=first),
            sample_episode(LABELS, **arguments, generator=second),
        )


def test_one_generator_gives_different_episodes_one_after_another() -> None:
    generator = seeded(0)
    episodes = [sample_episode(LABELS, ways=3, shots=2, queries=4, generator=generator) for _ in range(5)]
    assert not any(same(episodes[0], other) for other in episodes[1:])


def test_the_global_generator_is_not_touched() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    sample_episode(LABELS, ways=3, shots=2, queries=4, generator=seeded(0))
    assert torch.equal(torch.rand(3), expected)


def test_an_index_made_once_gives_the_same_episodes_as_the_labels() -> None:
    from_index = sample_episode(ClassIndex.of(LABELS), ways=4, shots=1, queries=2, generator=seeded(3))
    assert same(from_index, sample_episode(LABELS, ways=4, shots=1, queries=2, generator=seeded(3)))


def chi_squared(counts: torch.Tensor) -> float:
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum())


def test_classes_and_pictures_are_drawn_uniformly() -> None:
    generator = seeded(0)
    index = ClassIndex.of(LABELS)
    classes, supports, queries = torch.zeros(6), torch.zeros(48), torch.zeros(48)
    for _ in range(3000):
        episode = sample_episode(index, ways=2, shots=1, queries=2, generator=generator)
        classes[episode.classes] += 1
        supports[episode.support_index] += 1
        queries[episode.query_index] += 1
    # 99.99 % points of chi-squared, 5 and 47 degrees of freedom; the seed is fixed, so it never flickers.
    assert chi_squared(classes) < 25.7
    assert chi_squared(supports) < 90
    assert chi_squared(queries) < 90


def test_queries_come_in_no_order() -> None:
    generator = seeded(0)
    sorted_ones = sum(
        bool((episode.query_labels.diff() >= 0).all())
        for episode in (
            sample_episode(LABELS, ways=3, shots=1, queries=3, generator=generator) for _ in range(100)
        )
    )
    # One order in 1,680 is sorted.
    assert sorted_ones <= 2


def test_labels_need_not_be_contiguous() -> None:
    labels = torch.tensor([7, -2, 7, 100, -2, 100])
    episode = sample_episode(labels, ways=3, shots=1, queries=1, generator=seeded(0))
    assert sorted(episode.classes.tolist()) == [-2, 7, 100]


def test_a_class_with_too_few_pictures_is_named_with_its_count_and_the_need() -> None:
    index = ClassIndex.of(torch.tensor([0, 0, 0, 1, 1]), names=("cat", "dog"))
    with pytest.raises(EpisodeError, match="'dog' has 2 pictures, an episode needs 3"):
        sample_episode(index, ways=2, shots=1, queries=2, generator=seeded(0))


def test_a_class_without_a_name_is_called_by_its_number() -> None:
    with pytest.raises(EpisodeError, match="'4' has 1 pictures"):
        sample_episode(torch.tensor([3, 3, 4]), ways=2, shots=1, queries=1, generator=seeded(0))


@pytest.mark.parametrize("ways", [0, 7])
def test_too_few_classes_are_told(ways: int) -> None:
    with pytest.raises(EpisodeError, match=f"{ways} classes are needed for an episode, the data has 6"):
        sample_episode(LABELS, ways=ways, shots=1, queries=1, generator=seeded(0))


@pytest.mark.parametrize(("shots", "queries"), [(0, 1), (1, -1)])
def test_impossible_numbers_are_refused(shots: int, queries: int) -> None:
    with pytest.raises(EpisodeError, match="at least 1 shot and 0 queries"):
        sample_episode(LABELS, ways=2, shots=shots, queries=queries, generator=seeded(0))
