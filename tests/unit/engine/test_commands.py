"""Commands: each intention by example, and what it refuses."""

from __future__ import annotations

import pytest

from fewshot_gui.core.images.identity import PictureId
from fewshot_gui.engine.commands import (
    COMMANDS,
    AddCategory,
    AddExamples,
    ChooseBackbone,
    ChooseDevice,
    ChooseLearner,
    Command,
    CommandError,
    CommandProblem,
    MergeCategories,
    MoveCategory,
    RecolourCategory,
    RemoveCategory,
    RemoveExamples,
    RenameCategory,
    SetShortcut,
    SetThreshold,
    Together,
    clean_name,
    new_category_id,
)
from fewshot_gui.engine.state import CategoryId, Document, Example

CAT, DOG, NOBODY = CategoryId("c"), CategoryId("d"), CategoryId("n")


def example(number: int, origin: str = "camera") -> Example:
    return Example(PictureId(str(number)), origin)


def numbers(document: Document, category: CategoryId) -> list[int]:
    return [int(given.picture) for given in document.category(category).examples]


def names(document: Document) -> list[str]:
    return [category.name for category in document.categories]


@pytest.fixture
def document() -> Document:
    return Together(
        (
            AddCategory(CAT, "Cats"),
            AddCategory(DOG, "Dogs"),
            AddExamples(CAT, (example(1), example(2), example(3))),
            AddExamples(DOG, (example(4),)),
        )
    ).apply(Document())


def refused(document: Document, command: Command) -> CommandError:
    with pytest.raises(CommandError) as caught:
        command.apply(document)
    return caught.value


def test_every_command_is_known_by_a_name_of_its_own() -> None:
    assert len({command.__name__ for command in COMMANDS}) == len(COMMANDS) == 18


def test_new_ids_differ() -> None:
    assert len({new_category_id() for _ in range(100)}) == 100
    assert len(new_category_id()) == 32


def test_new_categories_get_the_lowest_free_colour_and_digit(document: Document) -> None:
    document = RemoveCategory(CAT).apply(document)
    document = AddCategory(NOBODY, "new").apply(document)
    assert (document.category(NOBODY).colour, document.category(NOBODY).shortcut) == (0, "1")


def test_the_eleventh_category_has_no_digit_and_the_thirteenth_the_first_colour_again() -> None:
    document = Document()
    for index in range(13):
        document = AddCategory(CategoryId(str(index)), f"name {index}").apply(document)
    assert [category.shortcut for category in document.categories] == [*"1234567890", "", "", ""]
    assert [category.colour for category in document.categories] == [*range(12), 0]


def test_a_new_category_may_come_with_a_key_of_its_own(document: Document) -> None:
    assert AddCategory(NOBODY, "new", "E").apply(document).category(NOBODY).shortcut == "e"
    with pytest.raises(CommandError) as taken:
        AddCategory(NOBODY, "new", "1").apply(document)
    assert taken.value.kind is CommandProblem.TAKEN_SHORTCUT
    with pytest.raises(CommandError) as bad:
        AddCategory(NOBODY, "new", "ab").apply(document)
    assert bad.value.kind is CommandProblem.BAD_SHORTCUT


@pytest.mark.parametrize(
    ("given", "kept"),
    [("  two \n words\t", "two words"), ("e\u0301", "é"), ("a\x00b", "a b"), ("👩‍🔬", "👩‍🔬"), ("\x07", "")],
)
def test_a_name_is_one_clean_line(given: str, kept: str) -> None:
    assert clean_name(given) == kept


@pytest.mark.parametrize("name", ["cats", " CATS ", "Cats"])
def test_a_name_that_differs_only_in_case_is_taken(document: Document, name: str) -> None:
    error = refused(document, AddCategory(NOBODY, name))
    assert (error.kind, error.owner) == (CommandProblem.TAKEN_NAME, CAT)
    assert refused(document, RenameCategory(DOG, name)).kind is CommandProblem.TAKEN_NAME


def test_a_category_may_change_the_case_of_its_own_name(document: Document) -> None:
    assert names(RenameCategory(CAT, "CATS").apply(document)) == ["CATS", "Dogs"]


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_an_empty_name_is_refused(document: Document, name: str) -> None:
    assert refused(document, AddCategory(NOBODY, name)).kind is CommandProblem.EMPTY_NAME
    assert refused(document, RenameCategory(CAT, name)).kind is CommandProblem.EMPTY_NAME
    assert refused(document, ChooseLearner(name)).kind is CommandProblem.EMPTY_NAME


def test_an_id_is_given_once(document: Document) -> None:
    assert refused(document, AddCategory(CAT, "more")).kind is CommandProblem.TAKEN_ID


@pytest.mark.parametrize(
    "command",
    [
        RenameCategory(NOBODY, "x"),
        RecolourCategory(NOBODY, 1),
        SetShortcut(NOBODY, "x"),
        MoveCategory(NOBODY, 0),
        MergeCategories(NOBODY, CAT),
        MergeCategories(CAT, NOBODY),
        RemoveCategory(NOBODY),
        AddExamples(NOBODY, (example(1),)),
    ],
)
def test_an_unknown_category_is_refused(document: Document, command: Command) -> None:
    error = refused(document, command)
    assert (error.kind, error.subject) == (CommandProblem.UNKNOWN_CATEGORY, NOBODY)


@pytest.mark.parametrize("colour", [-1, 12])
def test_a_colour_is_in_the_palette(document: Document, colour: int) -> None:
    assert RecolourCategory(CAT, 11).apply(document).category(CAT).colour == 11
    assert refused(document, RecolourCategory(CAT, colour)).kind is CommandProblem.BAD_COLOUR


def test_a_shortcut_is_one_key_in_lower_case_or_none(document: Document) -> None:
    assert SetShortcut(CAT, "Q").apply(document).category(CAT).shortcut == "q"
    assert SetShortcut(CAT, "").apply(document).category(CAT).shortcut == ""


@pytest.mark.parametrize("key", ["ab", " ", "\n"])
def test_other_shortcuts_are_refused(document: Document, key: str) -> None:
    assert refused(document, SetShortcut(CAT, key)).kind is CommandProblem.BAD_SHORTCUT


def test_a_taken_shortcut_names_its_owner(document: Document) -> None:
    error = refused(document, SetShortcut(CAT, "2"))
    assert (error.kind, error.owner) == (CommandProblem.TAKEN_SHORTCUT, DOG)


@pytest.mark.parametrize(("index", "order"), [(0, "DC"), (1, "CD"), (99, "CD"), (-5, "DC")])
def test_a_category_moves_at_most_to_an_end(document: Document, index: int, order: str) -> None:
    moved = MoveCategory(DOG, index).apply(document)
    assert "".join(name[0] for name in names(moved)) == order


def test_merging_appends_the_examples_and_removes_the_source(document: Document) -> None:
    merged = MergeCategories(DOG, CAT).apply(document)
    assert names(merged) == ["Cats"]
    assert numbers(merged, CAT) == [1, 2, 3, 4]


def test_a_category_does_not_merge_with_itself(document: Document) -> None:
    assert refused(document, MergeCategories(CAT, CAT)).kind is CommandProblem.SAME_CATEGORY


def test_removing_a_category_removes_its_examples(document: Document) -> None:
    assert RemoveCategory(CAT).apply(document).pictures() == (example(4).picture,)


def test_a_taught_picture_leaves_its_former_category(document: Document) -> None:
    moved = AddExamples(DOG, (example(2, "web"),)).apply(document)
    assert (numbers(moved, CAT), numbers(moved, DOG)) == ([1, 3], [4, 2])
    assert moved.category(DOG).examples[-1].origin == "web"


def test_teaching_twice_changes_nothing(document: Document) -> None:
    assert AddExamples(CAT, (example(2, "web"),)).apply(document) is document


def test_the_same_picture_twice_in_one_drop_counts_once(document: Document) -> None:
    taught = AddExamples(DOG, (example(8, "a"), example(9), example(8, "b"))).apply(document)
    assert numbers(taught, DOG) == [4, 8, 9]
    assert taught.category(DOG).examples[1].origin == "a"


def test_removed_examples_are_in_no_category_and_unknown_ones_are_passed_over(document: Document) -> None:
    left = RemoveExamples((PictureId("1"), PictureId("4"), PictureId("unknown"))).apply(document)
    assert (numbers(left, CAT), numbers(left, DOG)) == ([2, 3], [])


def test_categories_that_a_command_leaves_alone_are_shared(document: Document) -> None:
    taught = AddExamples(DOG, (example(9),)).apply(document)
    assert taught.category(CAT) is document.category(CAT)


def test_settings_are_chosen_by_name(document: Document) -> None:
    commands = (
        ChooseLearner("ridge"),
        ChooseBackbone("omniglot-conv4"),
        ChooseDevice("cpu"),
        SetThreshold(0.25),
    )
    settings = Together(commands).apply(document).settings
    chosen = (settings.learner, settings.backbone, settings.device, settings.threshold)
    assert chosen == ("ridge", "omniglot-conv4", "cpu", 0.25)
    assert SetThreshold(None).apply(document).settings.threshold is None


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_threshold_is_in_its_range(document: Document, value: float) -> None:
    assert refused(document, SetThreshold(value)).kind is CommandProblem.BAD_THRESHOLD


def test_together_is_all_or_nothing(document: Document) -> None:
    before = document
    refused(document, Together((RemoveCategory(CAT), RemoveCategory(CAT))))
    assert document == before
    assert Together(()).apply(document) is document


@pytest.mark.parametrize("path", ["/two  blanks/w.safetensors", "/e\u0301/w.safetensors", " /end "])
def test_the_path_of_a_backbone_is_kept_to_the_letter(document: Document, path: str) -> None:
    assert ChooseBackbone(path).apply(document).settings.backbone == path
