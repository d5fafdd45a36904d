"""The row index: which rows show which picture, and whose they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import AcceptLabels, Command, LabelNoneOfThese, LabelPictures, WithdrawLabels
from fewshot_gui.engine.scores import NONE_OF_THESE, UNKNOWN, Said
from fewshot_gui.engine.state import Category, CategoryId, Document, Example
from fewshot_gui.engine.taught import RowIndex

A, B = PictureId("a"), PictureId("b")
CAT, DOG = CategoryId("cat"), CategoryId("dog")


def document() -> Document:
    return Document(
        (
            Category(CAT, "cat", 0, "1", (Example(A, "a.jpg"),)),
            Category(DOG, "dog", 1, "2", (Example(B, "b.jpg"),)),
        )
    )


def test_every_copy_of_a_taught_picture_is_taught() -> None:
    index = RowIndex()
    index.note([0, 1, 2, 3], [A, B, A, None])
    assert index.taught(document(), (CAT, DOG), 4).tolist() == [0, 1, 0, -1]
    assert index.rows(A) == [0, 2]


def test_columns_follow_the_given_order() -> None:
    index = RowIndex()
    index.note([0, 1], [A, B])
    assert index.taught(document(), (DOG,), 2).tolist() == [-1, 0]


def test_a_row_that_shows_another_picture_is_noted_anew() -> None:
    index = RowIndex()
    index.note([0], [A])
    index.note([0], [None])
    assert index.taught(document(), (CAT, DOG), 1).tolist() == [-1]
    index.note([0], [B])
    assert index.taught(document(), (CAT, DOG), 1).tolist() == [1]


def test_nothing_is_left_after_clearing() -> None:
    index = RowIndex()
    index.note([0], [A])
    index.clear()
    assert index.rows(A) == ()


@given(st.lists(st.lists(st.sampled_from([A, B, None]), min_size=5, max_size=5), min_size=1))
def test_only_the_last_look_counts(looks: list[list[PictureId | None]]) -> None:
    index = RowIndex()
    for ids in looks:
        index.note(range(5), ids)
    for picture in (A, B):
        assert sorted(index.rows(picture)) == [row for row in range(5) if looks[-1][row] == picture]


C, D = PictureId("c"), PictureId("d")


def owned(index: RowIndex, document: Document, count: int) -> list[tuple[int, int]]:
    owners = index.owners(document, (CAT, DOG), count)
    return list(zip(owners.taught.tolist(), owners.said.tolist(), strict=True))


def test_each_row_tells_what_a_person_said_and_how() -> None:
    index = RowIndex()
    index.note(range(5), [A, B, C, D, C])
    labelled = LabelNoneOfThese((D,)).apply(AcceptLabels((C,), DOG).apply(document()))
    assert owned(index, labelled, 5) == [
        (0, Said.TAUGHT), (1, Said.TAUGHT), (1, Said.ACCEPTED), (NONE_OF_THESE, Said.HUMAN_NONE),
        (1, Said.ACCEPTED),
    ]  # fmt: skip
    again = LabelPictures((C,), CAT).apply(AcceptLabels((D,), None).apply(labelled))
    assert owned(index, again, 5)[2:] == [(0, Said.HUMAN), (NONE_OF_THESE, Said.HUMAN_NONE), (0, Said.HUMAN)]
    none = AcceptLabels((C,), None).apply(document())
    assert owned(index, none, 3)[2] == (NONE_OF_THESE, Said.ACCEPTED)
    assert owned(index, document(), 5)[2:] == [(UNKNOWN, Said.MACHINE)] * 3


def test_a_label_whose_category_has_no_column_says_nothing() -> None:
    index = RowIndex()
    index.note([0], [C])
    owners = index.owners(LabelPictures((C,), DOG).apply(document()), (CAT,), 1)
    assert (owners.taught.tolist(), owners.said.tolist()) == ([UNKNOWN], [Said.MACHINE])


def test_rows_beyond_those_asked_for_are_noted_too() -> None:
    index = RowIndex()
    labelled = LabelPictures((C,), DOG).apply(document())
    index.note([7], [None] * 7 + [C])
    assert owned(index, labelled, 2) == [(UNKNOWN, Said.MACHINE)] * 2
    assert owned(index, labelled, 8)[7] == (1, Said.HUMAN)


ids = st.lists(st.sampled_from([A, B, C, D, None]), min_size=4, max_size=4)
commands = st.one_of(
    st.builds(AcceptLabels, st.just((C, D)), st.sampled_from([CAT, DOG, None])),
    st.builds(LabelPictures, st.sampled_from([(C,), (D,), (A, C)]), st.sampled_from([CAT, DOG])),
    st.builds(LabelNoneOfThese, st.sampled_from([(C,), (D,), (B,)])),
    st.builds(WithdrawLabels, st.sampled_from([(C,), (A, B, D)])),
)


@given(st.lists(st.one_of(ids, commands), max_size=15), st.data())
def test_following_step_by_step_is_looking_afresh(
    steps: list[list[PictureId | None] | Command], data: st.DataObject
) -> None:
    index, states = RowIndex(), [document()]
    shown: list[PictureId | None] = [None] * 4
    for step in steps:
        if isinstance(step, list):
            shown = step
            index.note(range(4), shown)
        else:
            states.append(step.apply(states[-1]))
        asked = data.draw(st.sampled_from(states))  # undo may lead anywhere
        fresh = RowIndex()
        fresh.note(range(4), shown)
        assert owned(index, asked, 4) == owned(fresh, asked, 4)


# Many labels at once ----------------------------------------------------------------------------------

MANY = [PictureId(f"{number:04}") for number in range(3000)]


class Counting(dict[PictureId, list[int]]):
    """The rows of the pictures, which counts how often it is asked."""

    asked = 0

    def get(self, key: PictureId, default: object = None) -> object:  # type: ignore[override]
        self.asked += 1
        return super().get(key, default)


def counted(pictures: list[PictureId]) -> tuple[RowIndex, Counting]:
    index = RowIndex()
    index.note(range(len(pictures)), pictures)
    rows = Counting(index._rows)
    index._rows = rows
    return index, rows


def test_coming_back_to_labels_of_before_looks_nothing_up() -> None:
    index, rows = counted(MANY)
    before = LabelPictures(tuple(MANY[:5]), CAT).apply(document())
    after = AcceptLabels(tuple(MANY), DOG).apply(before)
    first, second = owned(index, before, 3000), owned(index, after, 3000)
    looked_up = rows.asked
    for _ in range(3):
        assert owned(index, before, 3000) == first
        assert owned(index, after, 3000) == second
    assert rows.asked - looked_up <= 6 * 2  # the two examples, at each look
    assert second[:6] == [(0, Said.HUMAN)] * 5 + [(1, Said.ACCEPTED)]


def test_what_was_noted_meanwhile_is_known_when_labels_come_back() -> None:
    index, _rows = counted(MANY)
    before, after = document(), AcceptLabels((*MANY, C), DOG).apply(document())
    owned(index, before, 3000)
    owned(index, after, 3000)
    shown = [C, *MANY[1:], D, C]
    index.note(range(3002), shown)
    owned(index, before, 3002)
    assert owned(index, after, 3002)[:2] == [(1, Said.ACCEPTED)] * 2
    assert owned(index, after, 3002)[3000:] == [(UNKNOWN, Said.MACHINE), (1, Said.ACCEPTED)]
    index.note([1], [None, None])
    assert owned(index, before, 3002) == [(UNKNOWN, Said.MACHINE)] * 3002
    assert owned(index, after, 3002)[:3] == [(1, Said.ACCEPTED), (UNKNOWN, Said.MACHINE), (1, Said.ACCEPTED)]


def test_of_labels_that_nobody_can_come_back_to_nothing_is_kept() -> None:
    index, _rows = counted(MANY)
    state = document()
    for number in range(100):
        state = AcceptLabels(tuple(MANY), (CAT, DOG)[number % 2]).apply(state)
        owned(index, state, 3000)
    assert len(index._waypoints) <= 2
    states = [state]
    for number in range(40):
        states.append(AcceptLabels(tuple(MANY), (CAT, DOG)[number % 2]).apply(states[-1]))
        owned(index, states[-1], 3000)
    assert len(index._waypoints) == 32
    for state in reversed(states):
        fresh = RowIndex()
        fresh.note(range(3000), MANY)
        assert owned(index, state, 3000) == owned(fresh, state, 3000)
