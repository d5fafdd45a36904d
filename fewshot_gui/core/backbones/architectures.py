"""What an architecture is called, and which one such a name means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final = ("torchvision", "timm")


def architecture_name(architecture: Mapping[str, Any]) -> str:
    """Return what a network is called: "timm:NAME", or its kind alone where that has no models."""
    return ":".join(str(architecture[key]) for key in ("kind", "model") if key in architecture)


def named_architecture(text: str) -> dict[str, str] | None:
    """Return the arguments of the network that "torchvision:NAME" or "timm:NAME" means; None if neither."""
    kind, _, name = text.strip().partition(":")
    return {"kind": kind, "model": name.strip()} if kind in KINDS and name.strip() else None
