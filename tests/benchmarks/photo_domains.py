"""Photo backbones on sets of other domains, beside MobileNetV2, on the same episodes in the same run.

    python tests/benchmarks/photo_domains.py DOMAINS [--bundles photo photo-mini] [--mobilenet FILE.tflite]
        [--sides 64 80 96] [--episodes 500] [--picture pareto.png]

DOMAINS holds a folder for each set, and that a folder for each class. Prints Markdown: accuracy of 5-way
1-shot and 5-shot tasks by set and in the mean, the calibration error, how well *none of these* tells pictures
of other classes of the same set (near) and of other sets (far) from native ones (AUROC), and the time for a
picture as a share of what torchvision's MobileNetV2 takes at 224 pixels in the same run.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from fewshot_gui.core.backbones.bundle import load_bundle
from fewshot_gui.core.backbones.preprocessing import Preprocessing
from fewshot_gui.core.episodes.dataset import ClassImages, load_classes
from fewshot_gui.core.episodes.sampler import ClassIndex, sample_episode
from fewshot_gui.core.evaluation.episodic import evaluate_episodes, task_support
from fewshot_gui.core.evaluation.measures import auroc
from fewshot_gui.core.learners.catalogue import make_learner
from fewshot_gui.core.learners.context import LearnerContext
from fewshot_gui.core.training.recipe import Teaching
from fewshot_gui.core.training.teacher import teacher_embeddings

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

WAYS, QUERIES, NOVEL_TASKS = 5, 10, 100
POOL = "MobilenetV2/Logits/AvgPool"


class Seen(NamedTuple):
    """A backbone's embeddings of every set, what learners may use of it, and its time."""

    name: str
    embeddings: dict[str, Tensor]
    context: LearnerContext
    share: float


def sets(root: Path, preprocessing: Preprocessing) -> dict[str, ClassImages]:
    """Return every set, its pictures prepared."""
    folders = [folder for folder in sorted(root.iterdir()) if folder.is_dir()]
    return {folder.name: load_classes(folder, preprocessing) for folder in folders}


def squares(side: int) -> Preprocessing:
    """Return what cuts pictures to squares of that side."""
    return Preprocessing(side, 3, (0.0,) * 3, (1.0,) * 3)


def milliseconds(run: Callable[[], object]) -> float:
    """Return what one call takes where little else runs: a fifth of 100 calls take no longer."""
    for _ in range(3):
        run()
    times = []
    for _ in range(100):
        began = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - began))
    return float(np.quantile(times, 0.2))


def mobilenet_milliseconds() -> float:
    """Return the time of torchvision's MobileNetV2, fused, random weights, for a picture of 224 pixels."""
    from torchvision.models import mobilenet_v2

    from fewshot_gui.core.backbones.networks import fuse_batch_norms

    network = fuse_batch_norms(mobilenet_v2(weights=None)).to(memory_format=torch.channels_last)
    picture = torch.zeros(1, 3, 224, 224).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        return milliseconds(lambda: network(picture))


def ours(name: str, side: int | None, root: Path, reference: float) -> Seen:
    """Return what a bundle makes of the sets, at its own side or at another."""
    bundle = load_bundle(name)
    if side is not None:
        bundle.preprocessing = replace(bundle.preprocessing, side=side)
    side = bundle.preprocessing.side
    embeddings = {
        each: torch.from_numpy(
            np.concatenate([bundle.embed(data.images[i : i + 64]) for i in range(0, len(data.images), 64)])
        )
        for each, data in sets(root, bundle.preprocessing).items()
    }
    one = np.zeros((1, *bundle.preprocessing.prepared_shape), np.uint8)
    share = milliseconds(lambda: bundle.embed(one)) / reference
    return Seen(f"{Path(name).stem} {side} px", embeddings, bundle.context(), share)


def theirs(model: str, root: Path) -> Seen:
    """Return what MobileNetV2, trained on ImageNet and quantised, makes of the sets: the pooled features."""
    embeddings = {
        each: functional.normalize(
            torch.from_numpy(teacher_embeddings(model, data.images, Teaching(layer=POOL)))
        )
        for each, data in sets(root, squares(224)).items()
    }
    return Seen("MobileNetV2 224 px", embeddings, LearnerContext(), 1.0)


def row(seen: Seen, labels: dict[str, Tensor], learner: str, shots: int, episodes: int) -> tuple[str, float]:
    """Return a line of the table (accuracies by set, mean, mean calibration error) and the mean."""
    reports = [
        evaluate_episodes(
            seen.embeddings[each], labels[each], make_learner(learner, seen.context),
            ways=WAYS, shots=shots, queries=QUERIES, episodes=episodes, seed=0,
        )
        for each in labels
    ]  # fmt: skip
    cells = " | ".join(f"{100 * r.accuracy:.1f} ± {100 * r.ci95:.1f}" for r in reports)
    mean, ece = (float(np.mean([getattr(r, key) for r in reports])) for key in ("accuracy", "ece"))
    first = f"| {seen.name} | {learner} | {shots} | {cells}"
    return f"{first} | **{100 * mean:.2f}** | {ece:.3f} | {seen.share:.2f} |", 100 * mean


def novelty(seen: Seen, labels: dict[str, Tensor], shots: int) -> str:
    """Return the mean AUROC of near and of far pictures against as many native ones."""
    learner = make_learner("prototypical", seen.context)  # the distance is the same for every learner
    found: dict[str, list[float]] = {"near": [], "far": []}
    for each, own in labels.items():
        generator = torch.Generator().manual_seed(0)
        index = ClassIndex.of(own)
        strangers = torch.cat([seen.embeddings[other] for other in labels if other != each])
        for _ in range(NOVEL_TASKS):
            task = sample_episode(index, ways=WAYS, shots=shots, queries=QUERIES, generator=generator)
            classifier = learner.fit(task_support(seen.embeddings[each], task))
            native = classifier.novelty(seen.embeddings[each][task.query_index])
            taught = own[task.support_index].unique()
            pools = {"near": seen.embeddings[each][~torch.isin(own, taught)], "far": strangers}
            for kind, pool in pools.items():
                if len(pool) >= len(native):
                    picked = torch.randperm(len(pool), generator=generator)[: len(native)]
                    found[kind].append(auroc(native, classifier.novelty(pool[picked])))
    near, far = (float(np.mean(values)) if values else float("nan") for values in found.values())
    return f"{seen.name}, {shots}-shot: near {near:.3f}, far {far:.3f}, half of each {(near + far) / 2:.3f}"


def draw(points: list[tuple[str, float, float]], path: Path) -> None:
    """Write the picture of accuracy against time: (name, share of MobileNetV2's time, accuracy in %)."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    lines: dict[str, list[tuple[str, float, float]]] = {}
    for name, share, accuracy in points:
        backbone, _, side = name.partition(" ")
        lines.setdefault(backbone, []).append((side, share, accuracy))
    for backbone, found in lines.items():
        axes.plot([each[1] for each in found], [each[2] for each in found], marker="o", label=backbone)
        for side, share, accuracy in found:
            axes.annotate(
                side, (share, accuracy), textcoords="offset points", xytext=(0, 8), ha="center", fontsize=9
            )
    axes.set(xlabel="time for one picture, MobileNetV2 at 224 px = 1", ylabel="accuracy, 5-way 5-shot, %")
    axes.set_xlim(left=0)
    axes.margins(y=0.12)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Print the table, and draw the picture where one is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("domains", type=Path)
    parser.add_argument("--bundles", nargs="+", default=["photo"])
    parser.add_argument("--learners", nargs="+", default=["prototypical", "logistic", "auto"])
    parser.add_argument("--mobilenet")
    parser.add_argument("--sides", nargs="+", type=int, default=[])
    parser.add_argument("--episodes", type=int, default=500)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    labels = {
        each: torch.from_numpy(data.labels) for each, data in sets(arguments.domains, squares(16)).items()
    }
    reference = mobilenet_milliseconds()
    backbones = [
        ours(name, side, arguments.domains, reference)
        for name in arguments.bundles
        for side in (arguments.sides or [None])
    ]
    if arguments.mobilenet:
        backbones.append(theirs(arguments.mobilenet, arguments.domains))
    print("| backbone | learner | shots | " + " | ".join(labels) + " | mean | calibration error | time |")
    print("|---|---|---|" + "---|" * (len(labels) + 3))
    points = []
    for seen in backbones:
        for learner in arguments.learners:
            for shots in (1, 5):
                line, mean = row(seen, labels, learner, shots, arguments.episodes)
                print(line, flush=True)
            if learner == arguments.learners[0]:
                points.append((seen.name, seen.share, mean))
    print()
    for seen in backbones:
        print(novelty(seen, labels, 5), flush=True)
    if arguments.picture:
        draw(points, arguments.picture)


if __name__ == "__main__":
    main()
