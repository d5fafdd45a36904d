"""The table of every method beside its published figure: each row by its own `fewshot-gui evaluate`.

    python tests/benchmarks/published.py OMNIGLOT_EVALUATION [MINI_TEST] [--only maml] [--episodes 1000]

prints Markdown. A row needs its bundle in models/, or as a file through --models.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

TASKS = {"omniglot": ((5, 1), (5, 5), (20, 1), (20, 5)), "mini": ((5, 1), (5, 5))}

# Accuracy in percent, in the order of TASKS; None where the paper has none.
OMNIGLOT: dict[str, tuple[str, str, tuple[float | None, ...]]] = {
    "prototypical": ("omniglot-conv4", "Snell et al. 2017", (98.8, 99.7, 96.0, 98.9)),
    "matching": ("omniglot-matching", "Vinyals et al. 2016", (98.1, 98.9, 93.8, 98.5)),
    "relation": ("omniglot-relation", "Sung et al. 2018 (transductive)", (99.6, 99.8, 97.6, 99.1)),
    "maml": ("omniglot-maml", "Finn et al. 2017 (transductive)", (98.7, 99.9, 95.8, 98.9)),
    "fomaml": ("omniglot-fomaml", "Nichol et al. 2018 (transductive)", (98.3, 99.2, 89.4, 97.9)),
    "anil": ("omniglot-anil", "Raghu et al. 2020 (transductive)", (None, None, 96.2, 98.0)),
    "meta-sgd": ("omniglot-meta-sgd", "Li et al. 2017 (transductive)", (99.5, 99.9, 95.9, 99.0)),
    "reptile": ("omniglot-reptile", "Nichol et al. 2018 (transductive)", (97.7, 99.5, 89.4, 97.1)),
    "mann": ("omniglot-mann", "Santoro et al. 2016 (another protocol)", (None, None, None, None)),
    "snail": ("omniglot-snail", "Mishra et al. 2018", (99.07, 99.78, 97.64, 99.36)),
    "meta-lstm": ("omniglot-meta-lstm", "Ravi & Larochelle 2017", (None, None, None, None)),
    "ridge": ("omniglot-ridge", "Bertinetto et al. 2019", (98.6, 99.7, 94.7, 98.9)),
    "feat": ("omniglot-feat", "Ye et al. 2020", (None, None, None, None)),
}
MINI: dict[str, tuple[str, str, tuple[float | None, ...]]] = {
    "prototypical": ("mini-conv4", "Snell et al. 2017", (49.4, 68.2)),
    "simpleshot": ("mini-conv4", "Wang et al. 2019", (49.7, 66.9)),
    "matching": ("mini-matching", "Vinyals et al. 2016", (43.6, 55.3)),
    "relation": ("mini-relation", "Sung et al. 2018 (transductive)", (50.4, 65.3)),
    "maml": ("mini-maml", "Finn et al. 2017 (transductive)", (48.7, 63.1)),
    "fomaml": ("mini-fomaml", "Finn et al. 2017 (transductive)", (48.1, 63.2)),
    "anil": ("mini-anil", "Raghu et al. 2020 (transductive)", (46.7, 61.5)),
    "meta-sgd": ("mini-meta-sgd", "Li et al. 2017 (transductive)", (50.5, 64.0)),
    "reptile": ("mini-reptile", "Nichol et al. 2018", (47.1, 62.7)),
    "snail": ("mini-snail", "Mishra et al. 2018 (larger network)", (55.7, 68.9)),
    "meta-lstm": ("mini-meta-lstm", "Ravi & Larochelle 2017", (43.4, 60.6)),
    "ridge": ("mini-ridge", "Bertinetto et al. 2019", (49.5, 65.4)),
    "feat": ("mini-feat", "Ye et al. 2020", (55.2, 71.6)),
}


def measure(
    bundle: str, learner: str, data: Path, task: tuple[int, int], episodes: int, held_out: float | None
) -> dict[str, object]:
    """Return the report of one row and column, by the command that anybody can repeat."""
    ways, shots = task
    command = [sys.executable, "-m", "fewshot_gui", "evaluate", "--learner", learner, "--backbone", bundle,
               "--data", str(data), "--ways", str(ways), "--shots", str(shots), "--queries", "10",
               "--episodes", str(episodes), "--json"]  # fmt: skip
    if held_out is not None:
        command += ["--held-out", str(held_out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"problem": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed"}
    report: dict[str, object] = json.loads(done.stdout)
    return report


def cell(report: dict[str, object], published: float | None) -> str:
    """Return what a reader sees: our figure and interval, then the published one in brackets."""
    if "problem" in report:
        return "–"
    ours = f"{100 * float(str(report['accuracy'])):.2f} ± {100 * float(str(report['ci95'])):.2f}"
    return ours + (f" ({published})" if published is not None else "")


def main() -> None:
    """Print one table for each data set that is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("omniglot", type=Path)
    parser.add_argument("mini", type=Path, nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--held-out", type=float, help="of the folder only the classes kept from training")
    arguments = parser.parse_args()
    wanted = set(filter(None, arguments.only.split(",")))
    for kind, data, table in (("omniglot", arguments.omniglot, OMNIGLOT), ("mini", arguments.mini, MINI)):
        if data is None:
            continue
        tasks = TASKS[kind]
        print(
            "| method | " + " | ".join(f"{w}-way {s}-shot" for w, s in tasks) + " | ms a task | published |"
        )
        print("|---|" + "---|" * (len(tasks) + 2))
        for learner, (bundle, paper, figures) in table.items():
            if wanted and learner not in wanted:
                continue
            place = str(arguments.models / f"{bundle}.safetensors") if arguments.models else bundle
            reports = [
                measure(place, learner, data, task, arguments.episodes, arguments.held_out) for task in tasks
            ]
            cells = " | ".join(cell(r, f) for r, f in zip(reports, figures, strict=True))
            times = " / ".join(
                f"{float(str(r['ms_per_task'])):.0f}" if "ms_per_task" in r else "–" for r in reports
            )
            marked = " *transductive*" if any(r.get("transductive") for r in reports) else ""
            print(f"| {learner}{marked} | {cells} | {times} | {paper} |", flush=True)


if __name__ == "__main__":
    main()
