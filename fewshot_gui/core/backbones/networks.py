"""The networks that turn pictures into embeddings."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fewshot_gui.core.backbones.bundle_info import OUTSIDE
from fewshot_gui.core.backbones.network_error import NetworkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "NETWORKS",
    "Conv4",
    "NetworkError",
    "ResNet",
    "ResNet12",
    "build_network",
    "fuse_batch_norms",
]


class Conv4(nn.Module):
    """Four blocks of convolution, norm, pooling and ReLU: the few-shot literature's backbone.

    Vinyals et al. 2016, "Matching networks for one shot learning"; Snell et al. 2017. ReLU follows the
    pooling, which gives the same values as before it for a quarter of the work.

    Args:
        channels: of the input, 1 or 3.
        width: filters of every block.
        pools: how many blocks, from the first, halve the resolution; relation networks take 2, and compare
            the maps that are left (Sung et al. 2018).
        norm: `batch`, with running statistics once it is in use; `task`, always with the statistics of the
            pictures that are seen together (the transductive norm of MAML, Finn et al. 2017); `none`, a bias
            in its place: what `fuse_batch_norms` makes of `batch`, with the same names of weights.

    Raises:
        NetworkError: another norm, or more pools than blocks.
    """

    is_chain = True
    """Its layers follow one another in the order of their names, and the last one's maps are flattened."""

    def __init__(self, channels: int, width: int = 64, pools: int = 4, norm: str = "batch") -> None:
        super().__init__()
        if norm not in NORMS or not 0 <= pools <= 4:
            raise NetworkError(
                f"conv4 has norm {', '.join(NORMS)} and 0 to 4 pools, not {norm!r} and {pools}"
            )
        self.blocks = nn.Sequential(
            *(
                _conv_block(channels if index == 0 else width, width, norm, pools=index < pools)
                for index in range(4)
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return embeddings (B, width * h * w) of images (B, channels, H, W), with h = H // 2 ** pools."""
        return torch.flatten(self.blocks(images), 1)


_LEAST_SEEN = 1e-5

NORMS: Mapping[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "task": lambda width: nn.BatchNorm2d(width, track_running_stats=False),
    "none": lambda _width: nn.Identity(),
}


def _conv_block(inputs: int, outputs: int, norm: str, *, pools: bool) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=norm == "none"),
        NORMS[norm](outputs),
        nn.MaxPool2d(2) if pools else nn.Identity(),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a projected short cut (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.shortcut_norm = nn.BatchNorm2d(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return feature maps (B, outputs, H / stride, W / stride) of images (B, inputs, H, W)."""
        out = torch.relu(self.norm1(self.conv1(images)))
        return torch.relu(self.norm2(self.conv2(out)) + self.shortcut_norm(self.shortcut(images)))


class ResNet(nn.Module):
    """A residual network of one block a stage after a strided stem, made for small pictures on a CPU.

    Args:
        channels: of the input, 1 or 3.
        widths: filters of each stage; the stem has half of the first, every stage after the first
            halves the resolution, and so does the stem.
        embedding: D, a linear map of the pooled features to as many numbers; 0 for the features themselves.
        pool_power: p of the generalised mean over the places of a map: 1 is the mean, and the larger the
            more what is seen anywhere counts (Radenović et al. 2019, "Fine-tuning CNN image retrieval with
            no human annotation").
        pooled_stages: how many stages, from the last, are pooled and stand beside one another.

    Raises:
        NetworkError: a power below 1, or more stages than there are.
    """

    def __init__(
        self,
        channels: int,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        embedding: int = 0,
        pool_power: float = 1.0,
        pooled_stages: int = 1,
    ) -> None:
        super().__init__()
        if pool_power < 1 or not 1 <= pooled_stages <= len(widths):
            raise NetworkError(
                f"resnet has a pool_power from 1 up and 1 to {len(widths)} pooled_stages, "
                f"not {pool_power!r} and {pooled_stages!r}"
            )
        self._pool_power, self._pooled_stages = pool_power, pooled_stages
        stem = widths[0] // 2
        self.stem = nn.Conv2d(channels, stem, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(stem)
        inputs = (stem, *widths[:-1])
        self.stages = nn.Sequential(
            *(
                ResidualBlock(i, o, 1 if k == 0 else 2)
                for k, (i, o) in enumerate(zip(inputs, widths, strict=True))
            )
        )
        features = sum(widths[-pooled_stages:])
        self.embedding = nn.Linear(features, embedding) if embedding else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Return embeddings (B, D) of images (B, channels, H, W) of any size from 16 up.

        Without an embedding layer, D is the sum of the widths of the pooled stages.
        """
        maps = torch.relu(self.stem_norm(self.stem(images)))
        pooled = []
        for number, stage in enumerate(self.stages, start=1):
            maps = stage(maps)
            if number > len(self.stages) - self._pooled_stages:
                pooled.append(generalised_mean(maps, self._pool_power))
        embedded: Tensor = self.embedding(torch.cat(pooled, dim=1) if len(pooled) > 1 else pooled[0])
        return embedded


def generalised_mean(maps: Tensor, power: float) -> Tensor:
    """Return (B, C), the mean of the power of maps (B, C, H, W) from zero up, and its root."""
    if power == 1:
        return maps.mean(dim=(2, 3))
    # In half precision the powers of small numbers are lost; and at zero the root's slope has no bound.
    powers = maps.float().clamp(min=_LEAST_SEEN).pow(power)
    return powers.mean(dim=(2, 3)).pow(1 / power)


class ThreeConvBlock(nn.Module):
    """Three 3x3 convolutions beside a projected short cut, then pooling and dropout."""

    def __init__(self, inputs: int, outputs: int, drop_rate: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv3 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.shortcut_norm = nn.BatchNorm2d(outputs)
        self.drop_rate = drop_rate

    def forward(self, images: Tensor) -> Tensor:
        """Return feature maps (B, outputs, H // 2, W // 2) of images (B, inputs, H, W)."""
        out = functional.leaky_relu(self.norm1(self.conv1(images)), 0.1)
        out = functional.leaky_relu(self.norm2(self.conv2(out)), 0.1)
        out = self.norm3(self.conv3(out)) + self.shortcut_norm(self.shortcut(images))
        pooled = functional.max_pool2d(functional.leaky_relu(out, 0.1), 2)
        return functional.dropout(pooled, self.drop_rate, self.training)


class ResNet12(nn.Module):
    """The residual network of twelve convolutions of the few-shot literature.

    Oreshkin et al. 2018, "TADAM"; Lee et al. 2019, "Meta-learning with differentiable convex optimization".

    Args:
        channels: of the input, 1 or 3.
        widths: filters of each block; every block halves the resolution.
        drop_rate: share of each block's output that is dropped in training.
    """

    def __init__(
        self, channels: int, widths: tuple[int, ...] = (64, 160, 320, 640), drop_rate: float = 0.0
    ) -> None:
        super().__init__()
        inputs = (channels, *widths[:-1])
        self.blocks = nn.Sequential(
            *(ThreeConvBlock(i, o, drop_rate) for i, o in zip(inputs, widths, strict=True))
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return embeddings (B, widths[-1]) of images (B, channels, H, W) of any size from 16 up."""
        pooled: Tensor = self.blocks(images).mean(dim=(2, 3))
        return pooled


NETWORKS: Mapping[str, Callable[..., nn.Module]] = {
    "conv4": Conv4,
    "resnet": ResNet,
    "resnet12": ResNet12,
}


def build_network(architecture: Mapping[str, Any]) -> nn.Module:
    """Return a network with random weights.

    Args:
        architecture: `kind`, one of `NETWORKS`, and the arguments of that class; or one of `OUTSIDE`, and
            what `build_outside` takes.

    Raises:
        NetworkError: an unknown kind, arguments that it does not take, or a package that is not installed.
    """
    if architecture.get("kind") in OUTSIDE:
        from fewshot_gui.core.backbones.outside_networks import (  # noqa: PLC0415 - most bundles do not need it
            build_outside,
        )

        return build_outside(architecture)
    arguments = {
        key: tuple(value) if isinstance(value, list) else value for key, value in architecture.items()
    }
    kind = str(arguments.pop("kind", None))
    if kind not in NETWORKS:
        raise NetworkError(f"unknown network {kind!r}; there are {', '.join((*NETWORKS, *OUTSIDE))}")
    try:
        return NETWORKS[kind](**arguments)
    except TypeError as error:
        raise NetworkError(f"network {kind}: {error}") from error


def fuse_batch_norms(network: nn.Module) -> nn.Module:
    """Return `network`, in eval mode, with each batch norm folded into the convolution before it.

    The answer is the same to rounding, and a picture takes about a fifth less time on a CPU. A norm without
    running statistics stays, and so does all of a network that is not from this module: only here is it known
    that a norm follows the convolution that stands before it (see `folding` for the others).
    """
    network.eval()
    for module in network.modules():
        if not isinstance(module, nn.Sequential) and type(module).__module__ != __name__:
            continue
        children = list(module.named_children())
        for (conv_name, conv), (norm_name, norm) in pairwise(children):
            # Subclasses do more than their names say: timm's norms, for one, hold the activation too.
            if type(conv) is nn.Conv2d and type(norm) is nn.BatchNorm2d and norm.track_running_stats:
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(module, norm_name, nn.Identity())
    return network
