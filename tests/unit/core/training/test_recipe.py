"""Recipes: what a TOML file may say, and what is said back when it may not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.core.images.view import View
from fewshot_gui.core.training.parts import build_module, head_architecture, recipe_ways
from fewshot_gui.core.training.recipe import (
    RecipeError,
    Teaching,
    load_recipe,
    parse_recipe,
    recipe_for,
    recipe_names,
)

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
title = "Test"
side = 28
channels = 1
network = { kind = "conv4", width = 8 }
[[stage]]
kind = "classify"
steps = 4
learning_rate = 0.1
sides = [16, 28]
augmentation = { flip = true }
[[stage]]
kind = "episodes"
steps = 6
learning_rate = 0.001
ways = 3
"""


def test_a_recipe_is_read_with_its_stages() -> None:
    recipe = parse_recipe(TEXT, "test")
    assert recipe.steps == 10
    assert recipe.stages[0].sides == (16, 28)
    assert recipe.stages[0].augmentation.flip
    assert recipe.stages[1].ways == 3


def test_a_step_belongs_to_its_stage() -> None:
    recipe = parse_recipe(TEXT, "test")
    first, second = recipe.stages
    places = [recipe.stage_at(step) for step in (0, 3, 4, 9)]
    assert places == [(first, 0), (first, 3), (second, 0), (second, 5)]
    with pytest.raises(IndexError):
        recipe.stage_at(10)


def test_the_second_of_two_like_stages_is_the_second() -> None:
    """Before, a look within it counted for the first, whose weights were then kept for both."""
    recipe = load_recipe("omniglot-conv4")
    stage = replace(recipe.stages[0], steps=3)
    recipe = replace(recipe, stages=(stage, replace(stage)))
    assert [recipe.stage_number(step) for step in range(6)] == [0, 0, 0, 1, 1, 1]
    assert recipe.stage_at(4) == (stage, 1)
    with pytest.raises(IndexError):
        recipe.stage_number(6)


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_package_can_be_followed(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.steps > 0


def test_a_misspelt_key_is_named_with_those_that_are_known() -> None:
    with pytest.raises(RecipeError, match=r"stage 2: unknown wayz.*ways"):
        parse_recipe(TEXT.replace("ways = 3", "wayz = 3"), "test")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(RecipeError, match="title"):
        parse_recipe(TEXT.replace('title = "Test"', ""), "test")


def test_a_text_that_is_no_toml_is_refused() -> None:
    with pytest.raises(RecipeError, match="not TOML"):
        parse_recipe("title =", "test")


def test_a_file_in_another_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(TEXT.replace("Test", "Prüfung").encode("latin-1"))
    with pytest.raises(RecipeError, match="not written in UTF-8"):
        load_recipe(str(tmp_path / "latin.toml"))


def test_an_unknown_name_lists_the_recipes() -> None:
    with pytest.raises(RecipeError, match="omniglot-conv4"):
        load_recipe("no-such-recipe")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('kind = "episodes"', r"stage 2: kind may be 'classify' or 'distil' or 'episodes'"),
        ("ways = 3", "ways must be a whole number from 2 up, or"),
        ("learning_rate = 0.001", "learning_rate must be a number from 0 up"),
    ],
)
def test_a_value_that_may_not_be_is_named_with_what_it_may_be(change: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parse_recipe(TEXT.replace(change, f'{change.partition(" = ")[0]} = "much"'), "test")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("every_role = true\nshots = 2", "every_role needs shots = 1"),
        ("rotation_head = 0.5", "belong to a stage of kind classify"),
        ("shots = [5, 1]", "shots must be"),
        ("drops = [0.9, 0.1]", "ascending shares"),
        ("steps_ = 1", "unknown steps_"),
        ("label_weight = 1.0", "belongs to a stage of kind distil"),
        ("class_augmentation = { jitter = 0.1 }", "jitter belongs to augmentation"),
        ("class_augmentation = { slant = 1 }", "class_augmentation: unknown slant"),
        ("sides = 28", "sides must be a list of whole numbers"),
        ("sides = [28, 0]", "sides must be a list of whole numbers"),
        ('every_role = "no"', "every_role may be true or false, not 'no'"),
        ('augmentation = { flip = "no" }', "augmentation: flip may be true or false"),
        (
            "augmentation = { smallest_crop = -1 }",
            "augmentation: smallest_crop must be a number from 0.01 to 1",
        ),
        ('augmentation = { rotate = "ten" }', "rotate must be a number from 0 to 180"),
    ],
)
def test_a_stage_that_contradicts_itself_is_refused(line: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parse_recipe(f"{TEXT}{line}\n", "test")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('learner = "telepathy"', "learner may be one of prototypical"),
        ('keep = "best"', "needs validation_every"),
        ('keep = "first"', "'last' or 'best'"),
        ("held_out = 2.0", "held_out must be a share"),
        ("method = { steps = 5 }", r"\[method\] belongs"),
        ('learner = "maml"\nhead = { kind = "feat" }', r"\[head\] belongs"),
        ('validation_every = "often"', "recipe test: validation_every must be a whole number from 0 up"),
        ("validation_ways = 1", "validation_ways must be a whole number from 2 up"),
        ("seed = -1", "seed must be"),
        ("seed = 100000000000000", "seed must be a whole number from 0 to 4294967296"),
        ('bfloat16 = "no"', "bfloat16 may be true or false, not 'no'"),
        ('learner = "snail"\nhead = { max_ways = 2 }', "fewer than ways"),
        ('learner = "feat"\nnormalise = true', "change the embeddings that feat was trained on"),
        ("teacher = { layers = 3 }", "teacher: unknown layers"),
        ("teacher = { whiten = 2 }", "teacher: whiten must be a number from 0 to 1"),
        ("teacher = 5", "teacher: it must be a table"),
        ('whiten = "1"', "whiten must be a number from 0 to 1"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused(line: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parse_recipe(f"{line}\n{TEXT}", "test")


@pytest.mark.parametrize("name", recipe_names())
def test_the_parts_of_every_recipe_can_be_built(name: str) -> None:

    recipe = load_recipe(name)
    module = build_module(recipe, 7)
    assert "network" in module
    assert ("method" in module) == recipe.adapts


def test_the_recipe_of_a_learner_is_found_by_the_kind_of_pictures() -> None:
    assert recipe_for("maml", 1).name == "omniglot-maml"
    with pytest.raises(RecipeError, match="no recipe trains matching on photos; there are omniglot-"):
        recipe_for("matching", 3)


def test_a_learner_with_several_recipes_asks_which() -> None:
    with pytest.raises(RecipeError, match=r"mini-conv4.*say which"):
        recipe_for("prototypical", 3)


ADAPTING = """
title = "Reptile"
side = 16
channels = 1
learner = "reptile"
network = { kind = "resnet", widths = [8, 16], embedding = 6 }
method = { head = "learned" }
validation_ways = 3
[[stage]]
kind = "episodes"
steps = 2
learning_rate = 0.1
ways = 3
[[stage]]
kind = "episodes"
steps = 2
learning_rate = 0.1
ways = 2
"""


def test_a_head_for_a_number_of_classes_is_made_for_the_most_of_all_stages() -> None:
    recipe = parse_recipe(ADAPTING, "test")
    assert recipe_ways(recipe) == 3
    build_module(recipe, 7)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("validation_ways = 3", "validation_ways = 5", "at most 3 classes apart, fewer than validation_ways"),
        ("side = 16", "side = 16\nwhiten = 0.5", "which whiten and finished replace"),
    ],
)
def test_what_would_be_lost_after_the_last_step_is_refused_before_the_first(
    old: str, new: str, words: str
) -> None:
    with pytest.raises(RecipeError, match=words):
        build_module(parse_recipe(ADAPTING.replace(old, new), "test"), 7)


def test_a_norm_of_the_task_is_for_learners_that_adapt() -> None:
    text = TEXT.replace("width = 8", 'width = 8, norm = "task"')
    with pytest.raises(RecipeError, match="no picture has an embedding of its own, as prototypical needs"):
        parse_recipe(text, "test")
    parse_recipe(f'learner = "maml"\n{text}', "test")


@pytest.mark.parametrize(
    ("finished", "words"),
    [
        ("{ embedding = 99 }", "99 numbers cannot be whitened from 16 features"),
        ("{ embedding = 20, pooled_stages = 2 }", ""),
        ("{ pool_power = 0.5 }", "finished: resnet has a pool_power from 1 up"),
        ("{ pooled_stages = 9 }", "1 to 2 pooled_stages"),
        ("{ embedding = 0 }", "embedding must be a whole number from 1 up"),
        ("{ embedding = -3 }", "embedding must be a whole number from 1 up"),
    ],
)
def test_a_finished_network_that_cannot_be_is_refused_before_the_first_step(
    finished: str, words: str
) -> None:
    text = DISTIL.replace("channels = 3", f"channels = 3\nwhiten = 0.5\nfinished = {finished}")
    if words:
        with pytest.raises(RecipeError, match=words):
            build_module(parse_recipe(text, "test"), 7)
    else:
        build_module(parse_recipe(text, "test"), 7)


@pytest.mark.parametrize("text", ["stage = 5", '[stage]\nkind = "classify"', "stage = [1]"])
def test_a_stage_in_one_pair_of_brackets_is_told(text: str) -> None:
    with pytest.raises(RecipeError, match=r"a stage begins with \[\[stage\]\]"):
        parse_recipe(text, "test")


def test_an_augmentation_that_is_no_table_is_told() -> None:
    with pytest.raises(RecipeError, match="stage 1, augmentation: it must be a table"):
        parse_recipe(TEXT.replace("{ flip = true }", "5"), "test")


DISTIL = """
title = "Pupil"
side = 32
channels = 3
network = { kind = "resnet", widths = [8, 16], embedding = 4 }
teacher = { layer = "pool", whiten = 0.5 }

[[stage]]
kind = "distil"
steps = 3
learning_rate = 0.1
"""


def test_a_recipe_for_a_pupil_says_what_it_takes_of_its_teacher() -> None:
    recipe = parse_recipe(DISTIL, "pupil")
    assert recipe.distils
    assert recipe.teacher == Teaching(layer="pool", whiten=0.5)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (", embedding = 4", "", "an embedding of the network"),
        ('teacher = { layer = "pool", whiten = 0.5 }', "", r"needs a \[teacher\]"),
        ("channels = 3", "channels = 3\nclass_rotations = true", "contradict"),
        ("channels = 3", "channels = 1", "a teacher sees pictures in colour"),
        ("channels = 3", "channels = 3\ninvert = true", "a teacher sees pictures in colour"),
        (
            "steps = 3",
            "steps = 3\nclass_augmentation = { flip = true }",
            "belongs to a stage of kind episodes",
        ),
    ],
)
def test_a_pupil_that_cannot_be_taught_is_refused(old: str, new: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parse_recipe(DISTIL.replace(old, new), "pupil")


def test_the_views_of_a_recipe_are_read() -> None:
    assert parse_recipe(TEXT, "test").views == (View(),)
    several = parse_recipe("views = [{}, { whole = true }, { zoom = 1.5, turn = -10 }]\n" + TEXT, "test")
    assert several.views == (View(), View(whole=True), View(zoom=1.5, turn=-10))


@pytest.mark.parametrize(
    ("views", "words"),
    [
        ("[]", "no view"),
        ("[{ whole = true, turn = 5 }]", "whole, or"),
        ("[{ zoom = 0.5 }]", "from 1 up"),
        ("[{ zom = 2 }]", "unknown zom.*zoom"),
        ('[{ zoom = "near" }]', "recipe test"),
        ("[1]", "table"),
        ("1", "table"),
    ],
)
def test_views_that_cannot_be_are_refused(views: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parse_recipe(f"views = {views}\n{TEXT}", "test")


def test_a_method_that_adapts_has_one_view() -> None:
    with pytest.raises(RecipeError, match="maml adapts to one view"):
        parse_recipe('views = [{ whole = true }]\nlearner = "maml"\n' + TEXT, "test")


def test_a_network_that_no_stage_trains_needs_a_start() -> None:
    frozen = TEXT.replace("[[stage]]", "[[stage]]\nnetwork_rate = 0.0")
    with pytest.raises(RecipeError, match="needs a start"):
        parse_recipe(frozen, "test")
    assert parse_recipe(f'start = "photo"\n{frozen}', "test").start == "photo"
    assert parse_recipe(f"needs_start = true\n{frozen}", "test").needs_start


def test_a_learner_without_a_stage_of_episodes_is_refused() -> None:
    with pytest.raises(RecipeError, match="maml is trained by episodes"):
        parse_recipe(f'learner = "maml"\n{TEXT.rpartition("[[stage]]")[0]}', "test")


@pytest.mark.parametrize("learner", ["mann", "snail", "caml"])
def test_a_head_for_a_number_of_classes_is_made_for_the_most_of_an_episode(learner: str) -> None:
    """Before, one of 5 classes was trained on more, which ended in an index out of bounds."""
    for ways, most in (("[3, 7]", 7), ("3", 5)):  # validation has 5
        text = TEXT.replace("ways = 3", f"ways = {ways}")
        recipe = parse_recipe(f'learner = "{learner}"\n{text}', "test")
        assert head_architecture(recipe)["max_ways"] == most


def test_sides_at_which_a_classifier_would_not_fit_are_refused_at_once() -> None:
    """Before, it came to light when a stage got there, which may be hours in."""
    recipe = parse_recipe(TEXT.replace("sides = [16, 28]", "sides = [16, 32]"), "test")
    with pytest.raises(RecipeError, match="stage 1: sides: at 32 pixels"):
        build_module(recipe, classes=5)
    episodes = TEXT.rpartition("[[stage]]")[2]
    free = f'learner = "ridge"\n{TEXT.partition("[[stage]]")[0]}[[stage]]\n{episodes}sides = [32]\n'
    assert "head" in build_module(parse_recipe(free, "test"), classes=5)
