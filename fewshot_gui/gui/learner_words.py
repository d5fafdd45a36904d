"""Every learner in plain words: its title, one line on it, its family, and why it may not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from fewshot_gui.core.backbones.fits import Misfit

if TYPE_CHECKING:
    from fewshot_gui.core.learners.facts import Family

translate = QCoreApplication.translate


def learner_title(name: str) -> str:
    """Return what a learner is called in the window; one that is not known is called by its name."""
    return _words().get(name, (name, ""))[0]


def learner_line(name: str) -> str:
    """Return one line on how a learner works, without technical terms; empty for one that is not known."""
    return _words().get(name, (name, ""))[1]


def family_title(family: Family) -> str:
    """Return the heading over the learners of a family."""
    return {
        "automatic": translate("LearnerWords", "Chosen for you"),
        "prototype": translate("LearnerWords", "Prototypes"),
        "baseline": translate("LearnerWords", "Classic"),
        "learned": translate("LearnerWords", "Learned heads"),
        "gradient": translate("LearnerWords", "Adapting networks"),
    }[family]


def misfit_words(misfit: Misfit, most: int | None, own: str) -> str:
    """Return why a learner does not fit, in a few words.

    Args:
        misfit: what keeps it from the task.
        most: categories that it can tell apart, where there is a limit.
        own: name of a bundle that was trained for it; empty where there is none.
    """
    if misfit is Misfit.TOO_MANY_WAYS:
        return translate("LearnerWords", "Knows at most {0} categories").format(most)
    if misfit is Misfit.TOO_MANY_PICTURES:
        return translate("LearnerWords", "Too many pictures for this one")
    if misfit is Misfit.NO_GRADIENTS:
        return translate("LearnerWords", "An ONNX model cannot be adapted")
    if misfit is Misfit.SEES_TOGETHER:
        return translate("LearnerWords", "These weights are for learners that adapt")
    if own:
        return translate("LearnerWords", "Needs its own weights: choose {0}").format(own)
    return translate("LearnerWords", "Needs its own weights, and none are installed")


def _words() -> dict[str, tuple[str, str]]:
    """Return (title, line) of each learner."""
    return _prototypes() | _classic() | _heads() | _adapting()


def _prototypes() -> dict[str, tuple[str, str]]:
    tr = translate
    return {
        "prototypical": (
            tr("LearnerWords", "Prototypes"),
            tr("LearnerWords", "Each category is the average of its examples. The best start with a few."),
        ),
        "prototypical-cosine": (
            tr("LearnerWords", "Prototypes by angle"),
            tr(
                "LearnerWords",
                "The same by direction alone: how strong a picture's features are is left out.",
            ),
        ),
        "simpleshot": (
            tr("LearnerWords", "SimpleShot"),
            tr("LearnerWords", "Averages too, once all examples are centred and made equally long."),
        ),
        "mahalanobis": (
            tr("LearnerWords", "Mahalanobis"),
            tr("LearnerWords", "Averages that also know how much the examples of each category vary."),
        ),
    }


def _classic() -> dict[str, tuple[str, str]]:
    tr = translate
    return {
        "nearest": (
            tr("LearnerWords", "Nearest example"),
            tr("LearnerWords", "The most similar example decides. Good where a category has many looks."),
        ),
        "ridge": (
            tr("LearnerWords", "Ridge regression"),
            tr(
                "LearnerWords",
                "Learns what sets the categories apart. Often best from five examples each.",
            ),
        ),
        "logistic": (
            tr("LearnerWords", "Logistic regression"),
            tr("LearnerWords", "Draws the borders that make your own examples most certain."),
        ),
        "finetune": (
            tr("LearnerWords", "Fine-tuning"),
            tr("LearnerWords", "Begins with the averages and corrects them step by step, where that helps."),
        ),
        "auto": (
            tr("LearnerWords", "Automatic"),
            tr("LearnerWords", "Tries several on your examples and takes the one that suits them."),
        ),
    }


def _heads() -> dict[str, tuple[str, str]]:
    tr = translate
    return {
        "matching": (
            tr("LearnerWords", "Matching network"),
            tr("LearnerWords", "Every example has a vote; the more alike, the more it counts."),
        ),
        "relation": (
            tr("LearnerWords", "Relation network"),
            tr("LearnerWords", "Has learned by itself when two pictures belong together."),
        ),
        "feat": (
            tr("LearnerWords", "FEAT"),
            tr("LearnerWords", "The averages look at each other first, to stress what sets them apart."),
        ),
        "mann": (
            tr("LearnerWords", "Memory network"),
            tr("LearnerWords", "Writes your examples into a memory and looks the answer up there."),
        ),
        "snail": (
            tr("LearnerWords", "SNAIL"),
            tr("LearnerWords", "Reads your examples one after another and heeds those that matter."),
        ),
        "caml": (
            tr("LearnerWords", "CAML"),
            tr("LearnerWords", "Reads your examples and the picture together, as one text."),
        ),
    }


def _adapting() -> dict[str, tuple[str, str]]:
    tr = translate
    return {
        "maml": (
            tr("LearnerWords", "MAML"),
            tr("LearnerWords", "Adapts the whole network to your examples in a few steps. You can watch."),
        ),
        "fomaml": (
            tr("LearnerWords", "First-order MAML"),
            tr("LearnerWords", "Adapts like MAML; its start was trained in a simpler way."),
        ),
        "anil": (
            tr("LearnerWords", "ANIL"),
            tr("LearnerWords", "Adapts the last layer alone: quicker, and nearly as good."),
        ),
        "meta-sgd": (
            tr("LearnerWords", "Meta-SGD"),
            tr("LearnerWords", "MAML that has learned how far to step, for each weight by itself."),
        ),
        "reptile": (
            tr("LearnerWords", "Reptile"),
            tr("LearnerWords", "Adapts by plain training, from a start that learns quickly."),
        ),
        "meta-lstm": (
            tr("LearnerWords", "LSTM meta-learner"),
            tr("LearnerWords", "A second network has learned how to change the first one."),
        ),
    }
