"""Recipes: what a TOML file may say, and what is said back when it may not."""

from __future__ import annotations

import pytest

from fewshot_gui.core.training.recipe import RecipeError, load_recipe, parse_recipe, recipe_names

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


def test_an_unknown_name_lists_the_recipes() -> None:
    with pytest.raises(RecipeError, match="omniglot-conv4"):
        load_recipe("no-such-recipe")
