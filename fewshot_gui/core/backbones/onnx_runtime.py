"""An exported bundle that ONNX Runtime embeds with on the CPU, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ONLY_ERRORS = 3
"""The level at which ONNX Runtime writes to standard error by itself."""


class OnnxRuntimeError(RuntimeError):
    """A model that ONNX Runtime cannot load or run; its sentence says why, in its own words."""


class OnnxEmbedder:
    """A model of `export_bundle`, ready to embed pictures.

    Args:
        model: the bytes of it.
        threads: that one call may use, from 1 up.

    Raises:
        OnnxRuntimeError: onnxruntime is missing, or these are no bytes of such a model.
    """

    def __init__(self, model: bytes, threads: int) -> None:
        try:
            import onnxruntime  # noqa: PLC0415 - needed only where it is the faster runtime
        except ImportError as error:
            raise OnnxRuntimeError(str(error)) from error
        self._errors = _errors_of_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ONLY_ERRORS
        # Threads that spin while they wait would take their processors from the lanes that decode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena keeps the memory of the largest batch for good (45 MB of 32 pictures of 80 x 80), and
        # without it a call takes as long.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        try:
            self._session: Any = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
            (taken,), (given,) = self._session.get_inputs(), self._session.get_outputs()
        except self._errors as error:
            raise OnnxRuntimeError(str(error)) from error
        self._input, self._output = taken.name, given.name

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return embeddings (B, D) of prepared pictures (B, views * side, side, channels), B from 1 up.

        Raises:
            OnnxRuntimeError: the pictures are not of the model's size, or memory is short.
        """
        try:
            embeddings: NDArray[np.float32] = self._session.run([self._output], {self._input: batch})[0]
        except self._errors as error:
            raise OnnxRuntimeError(str(error)) from error
        return embeddings


def _errors_of_onnxruntime() -> tuple[type[Exception], ...]:
    """Return every kind of error that ONNX Runtime raises: its own have no base in common."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # noqa: PLC0415 - as above

    kinds = [each for each in vars(state).values() if isinstance(each, type) and issubclass(each, Exception)]
    return (*kinds, ValueError, RuntimeError)
