"""The error of a network that cannot be built."""

from __future__ import annotations


class NetworkError(ValueError):
    """A network that cannot be built; its sentence lists those that can.

    Attributes:
        package: that would have to be installed first; empty where that is not the reason.
    """

    def __init__(self, message: str, package: str = "") -> None:
        super().__init__(message)
        self.package = package
