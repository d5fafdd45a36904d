"""The shared libraries of torch and of ONNX Runtime, loaded without stopping the other threads."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path

# In the order in which torch itself loads them; the first must be visible to all others.
GLOBAL_LIBRARIES = ("libtorch_global_deps",)
LIBRARIES = ("libtorch_python",)


def load_torch_libraries() -> list[str]:
    """Return the libraries of torch that were loaded, for the `import torch` that follows on this thread.

    Importing an extension module holds Python's lock while the system maps its libraries: measured on two
    cores, 0.5 to 3.4 s for those of torch with CUDA, for which the window answers nothing. A call through
    ctypes does not hold it, and the import then finds them there. On Windows torch does so by itself. What
    cannot be loaded is left to the import, which says why.
    """
    if "torch" in sys.modules or sys.platform == "win32":
        return []
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return []
    return load_libraries(Path(spec.origin).parent / "lib")


def load_libraries(folder: Path) -> list[str]:
    """Return the names of those libraries of torch in `folder` that could be loaded."""
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    loaded = []
    for names, visibility in ((GLOBAL_LIBRARIES, os.RTLD_GLOBAL), (LIBRARIES, os.RTLD_LOCAL)):
        for name in names:
            path = folder / f"{name}{suffix}"
            if path.is_file() and _opened(path, visibility):
                loaded.append(name)
    return loaded


def load_onnxruntime_library() -> bool:
    """Return whether the library of ONNX Runtime was loaded, for the `import onnxruntime` that follows."""
    if "onnxruntime" in sys.modules or sys.platform == "win32":
        return False
    spec = find_spec("onnxruntime")
    if spec is None or spec.origin is None:
        return False
    libraries = sorted((Path(spec.origin).parent / "capi").glob("onnxruntime_pybind11_state*.so"))
    return bool(libraries) and _opened(libraries[0], os.RTLD_LOCAL)


def _opened(path: Path, visibility: int) -> bool:
    # By the system itself, not by ctypes.CDLL: that one holds the lock while it loads.
    system = ctypes.CDLL(None)
    system.dlopen.restype = ctypes.c_void_p
    system.dlopen.argtypes = [ctypes.c_char_p, ctypes.c_int]
    return bool(system.dlopen(os.fsencode(path), os.RTLD_NOW | visibility))
