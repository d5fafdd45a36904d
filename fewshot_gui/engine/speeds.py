"""How long a picture takes on this machine, by backbone; what is not here is reckoned from MobileNetV2."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fewshot_gui.core.backbones.bundle_info import BundleError
from fewshot_gui.engine.runtimes.conditions import machine
from fewshot_gui.engine.torch_threads import embedding_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fewshot_gui.core.backbones.bundle import Bundle
    from fewshot_gui.core.backbones.bundle_info import BundleInfo
    from fewshot_gui.core.backbones.ladder import Rung

SPEEDS: Final = "speeds.json"
TIMES: Final = 7
"""How often each is timed; the shortest counts, as other programs only ever make it longer."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """Milliseconds that one picture alone takes on the processor, with torch.

    Attributes:
        mobilenet_v2_ms: of MobileNetV2 at 224 pixels; None where nobody has measured here.
        measured_ms: by the hash of the bundle.
    """

    mobilenet_v2_ms: float | None = None
    measured_ms: dict[str, float] = field(default_factory=dict)

    def of(self, info: BundleInfo) -> float | None:
        """Return what was measured of a bundle, None where nothing was."""
        return self.measured_ms.get(info.hash)

    def reckoned(self, rung: Rung) -> float | None:
        """Return what a rung would take by its rough cost, None where nothing was measured here."""
        known = self.mobilenet_v2_ms
        return None if known is None else known * rung.milliseconds_mobilenet_v2


def read_speeds(folder: Path) -> Speeds:
    """Return what was measured on this machine; nothing where it was another one."""
    try:
        values = json.loads((folder / SPEEDS).read_text(encoding="utf-8"))
        if values["machine"] != machine():
            return Speeds()
        measured = {str(key): float(value) for key, value in values["measured_ms"].items()}
        return Speeds(float(values["mobilenet_v2_ms"]), measured)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Speeds()


def measure_speeds(infos: Sequence[BundleInfo], progress: Callable[[int, int], None]) -> Speeds:
    """Return how fast MobileNetV2 and these bundles are here.

    Args:
        infos: of bundles; one that cannot be loaded after all gets no speed.
        progress: told how many of how many are done.
    """
    from fewshot_gui.core.backbones.bundle import load_bundle  # noqa: PLC0415 - torch takes seconds to import

    progress(0, len(infos) + 1)
    reference, measured = _shortest_ms(_mobilenet_v2()), {}
    for number, info in enumerate(infos, start=1):
        progress(number, len(infos) + 1)
        with suppress(BundleError):
            measured[info.hash] = _bundle_ms(load_bundle(info.path))
    progress(len(infos) + 1, len(infos) + 1)
    return Speeds(reference, measured)


def keep_speeds(folder: Path, speeds: Speeds) -> None:
    """Keep speeds of this machine in a folder, made if missing, for `read_speeds`.

    Raises:
        OSError: it cannot be written.
    """
    values = {
        "machine": machine(),
        "mobilenet_v2_ms": speeds.mobilenet_v2_ms,
        "measured_ms": dict(speeds.measured_ms),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SPEEDS).write_text(json.dumps(values), encoding="utf-8")


def _bundle_ms(bundle: Bundle) -> float:
    picture = np.full((1, *bundle.preprocessing.prepared_shape), 128, np.uint8)
    return _shortest_ms(lambda: bundle.embed(picture))


def _mobilenet_v2() -> Callable[[], Any]:
    """Return a call that sends one picture through it; what its weights are takes no time."""
    import torch  # noqa: PLC0415 - torch takes seconds to import
    from torchvision.models import mobilenet_v2  # noqa: PLC0415 - the same

    network = mobilenet_v2().eval().to(memory_format=torch.channels_last)
    picture = torch.zeros(1, 3, 224, 224).to(memory_format=torch.channels_last)

    def run() -> Any:
        with torch.inference_mode():
            return network(picture)

    return run


def _shortest_ms(run: Callable[[], Any]) -> float:
    with embedding_threads(1):
        run()  # the first allocates
        taken = []
        for _ in range(TIMES):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    return min(taken) * 1000
