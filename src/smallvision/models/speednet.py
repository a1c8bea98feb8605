"""A small network for the fastest training: whitened input, plain convolutions, no scales.

Source: airbench94 (Jordan, arXiv 2404.00498), which descends from hlb-CIFAR10 (Balsam) and
cifar10-fast (Page). What differs: the whitening has no bias, so that nothing before the second
convolution needs a gradient, and the last pooling is global, so that images may be of any size,
and smaller in the first epochs than in the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.models.blocks import ACTIVATIONS, choose_stride
from smallvision.models.convolution import Conv3x3

PATCH = 2  # pixels per side of the patches that are whitened
CHUNK = 100  # images whose patches, four times as large, are in memory together
EPSILON = 5e-4  # added to the variances, so that directions without signal are not magnified


class Whitening(nn.Conv2d):
    """A convolution that whitens patches: its outputs are uncorrelated and have unit variance.

    Each output appears with both signs, so that an activation after it loses no information. The
    filters are not trained but computed from training images before training.

    Args:
        channels: C.
        stride: pixels.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__(channels, 2 * channels * PATCH**2, PATCH, stride, bias=False)
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def measure(self, images: Tensor) -> None:
        """Set the filters from normalised images, float `(N, C, H, W)`."""
        products, count = torch.zeros(self.in_channels * PATCH**2, dtype=torch.float64), 0
        for chunk in torch.split(images, CHUNK):
            patches = F.unfold(chunk.float(), PATCH).transpose(1, 2).flatten(0, 1)
            patches = patches.cpu().double()  # which not every device has
            products, count = products + patches.T @ patches, count + len(patches)
        variances, directions = torch.linalg.eigh(products / count)
        filters = (directions / (variances + EPSILON).sqrt()).T.view(-1, *self.weight.shape[1:])
        self.weight.copy_(torch.cat([filters, -filters]))


class ShiftBatchNorm(nn.BatchNorm2d):
    """Batch norm with a trained shift and no scale, because the next filters can scale as well."""

    def __init__(self, channels: int, momentum: float) -> None:
        super().__init__(channels, momentum=momentum)
        self.weight.requires_grad_(False)


class DiracConv3x3(Conv3x3):
    """A 3x3 convolution whose first filters are initialised to copy the input channels."""

    def __init__(self, channels: int, out_channels: int, *, pooled: bool = False) -> None:
        super().__init__(channels, out_channels, pooled=pooled)
        nn.init.dirac_(self.weight[: min(channels, out_channels)])


class ConvGroup(nn.Module):
    """Convolutions at one resolution, max-pooled after the first convolution, before its norm.

    From `(N, channels, H, W)` to `(N, out_channels, H // 2, W // 2)`. The convolutions after the
    first may be a residual branch.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        *,
        depth: int,
        residual: bool,
        pool: bool,
        activation: str,
        norm_momentum: float,
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]()
        inner = (DiracConv3x3(out_channels, out_channels) for _ in range(depth - 1))
        self.convs = nn.ModuleList([DiracConv3x3(channels, out_channels, pooled=pool), *inner])
        self.norms = nn.ModuleList(
            ShiftBatchNorm(out_channels, norm_momentum) for _ in range(depth)
        )
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """Convolution, pooling, norm, activation; then convolution, norm, activation, repeated."""
        first: Tensor = self.activation(self.norms[0](self.convs[0](x)))
        x = first
        between = zip(list(self.convs)[1:-1], list(self.norms)[1:-1], strict=True)
        for conv, norm in between:  # slicing a module list would build a module at each step
            x = self.activation(norm(conv(x)))
        x = self.norms[-1](self.convs[-1](x))
        out: Tensor = self.activation(first + x if self.residual else x)
        return out


class SpeedNet(nn.Module):
    """Whitening, groups of convolutions, global maximum, a linear head."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        num_classes: int,
        *,
        widths: Sequence[int],
        depth: int,
        extra_convs: int,
        activation: str,
        norm_momentum: float,
    ) -> None:
        super().__init__()
        C, *size = shape
        stride = choose_stride(size)
        self.whitening = Whitening(C, stride)
        self.activation = ACTIVATIONS[activation]()
        groups = []
        channels, side = self.whitening.out_channels, (min(size) - PATCH) // stride + 1
        for number, width in enumerate(widths, start=1):
            pool = side >= 4
            groups.append(
                ConvGroup(
                    channels,
                    width,
                    depth=depth + (extra_convs if number == len(widths) else 0),
                    residual=depth > 2,
                    pool=pool,
                    activation=activation,
                    norm_momentum=norm_momentum,
                )
            )
            channels, side = width, side // 2 if pool else side
        self.groups = nn.Sequential(*groups)
        self.head = nn.Linear(channels, num_classes, bias=False)
        # Small logits at the start, and small gradients for all layers before.
        nn.init.normal_(self.head.weight, std=1 / channels)

    def forward(self, x: Tensor) -> Tensor:
        """From images `(N, C, H, W)` to logits `(N, K)`."""
        features = self.groups(self.activation(self.whitening(x))).amax(dim=(2, 3))
        logits: Tensor = self.head(features)
        return logits


def speednet(
    shape: tuple[int, int, int],
    num_classes: int,
    *,
    widths: Sequence[int] = (64, 256, 256),
    depth: int = 2,
    extra_convs: int = 0,
    activation: str = "gelu",
    norm_momentum: float = 0.4,
) -> nn.Module:
    """Build the network; `whiten` must be called before it is trained.

    Args:
        shape: `(C, H, W)`; the first convolution halves images above 48 pixels.
        num_classes: K.
        widths: channels of each group; every group halves images of at least 4 pixels.
        depth: convolutions per group, at least 2; from 3 on, all but the first are a residual
            branch.
        extra_convs: further convolutions of the last group, where feature maps are smallest: on 3x3
            pixels a third convolution costs a thirtieth of a step.
        activation: relu, mish, silu or gelu.
        norm_momentum: share of the running statistics that a batch replaces, in (0, 1]; high,
            because weights change fast in so short a training.

    Returns: a module from `(N, C, H, W)` to logits `(N, K)`.
    """
    return SpeedNet(
        shape,
        num_classes,
        widths=widths,
        depth=depth,
        extra_convs=extra_convs,
        activation=activation,
        norm_momentum=norm_momentum,
    )


def whiten(model: nn.Module, images: Tensor) -> None:
    """Set a speednet's first layer from normalised training images, float `(N, C, H, W)`."""
    assert isinstance(model, SpeedNet)
    model.whitening.measure(images)
