"""3x3 convolutions whose training from small feature maps is fast on processors with AMX too.

These compute the gradient towards the filters in tiles of 32 pixels of a row, so with rows of 7
four fifths of a tile are empty, and this gradient alone is a third of a step of `speednet`.
Several images side by side, with a column of zeros after each, fill the rows, and the gradient is
the same: it is a sum over images and pixels, to which zeros add nothing.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

TILE = 32  # pixels of a row that AMX takes at once
WIDEST = 8  # pixels a row; of wider images, one at a time is as fast


class SideBySide(torch.autograd.Function):
    """A 3x3 convolution of stride 1, its gradient towards the filters taken side by side."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Convolve images `(N, C, H, W)` with filters `(D, C, 3, 3)`."""
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Gradients towards images and filters, from that towards the output `(N, D, H, W)`."""
        x, weight = ctx.saved_tensors
        towards_images = None
        if ctx.needs_input_grad[0]:
            towards_images, *_ = differentiate(x, weight, gradient, (True, False, False))
        rows, gradient = lay_side_by_side(x), lay_side_by_side(gradient)
        _, towards_filters, _ = differentiate(rows, weight, gradient, (False, True, False))
        return towards_images, towards_filters


def differentiate(
    images: Tensor, filters: Tensor, gradient: Tensor, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients of a 3x3 convolution towards images, filters and biases, those that are wanted.

    `torch.nn.grad` would do, but that it copies an image of nothing first.
    """
    one, none = (1, 1), (0, 0)
    results: tuple[Tensor | None, Tensor | None, Tensor | None] = (
        torch.ops.aten.convolution_backward(
            gradient, images, filters, None, one, one, one, False, none, 1, wanted
        )
    )
    return results


def lay_side_by_side(images: Tensor) -> Tensor:
    """Fill rows with several images, a column of zeros after each.

    Args:
        images: `(N, C, H, W)`.

    Returns: `(ceil(N / k), C, H, k * (W + 1))`, channels-last, k images in a row.
    """
    N, C, H, W = images.shape
    k = max(1, TILE // (W + 1))
    full, rest = divmod(N, k)
    rows = images.new_zeros(full + (rest > 0), H, k, W + 1, C)
    pixels = images.permute(0, 2, 3, 1)
    rows[:full, ..., :W, :] = pixels[: full * k].view(full, k, H, W, C).transpose(1, 2)
    if rest:
        rows[full, :, :rest, :W] = pixels[full * k :].transpose(0, 1)
    return rows.view(len(rows), H, k * (W + 1), C).permute(0, 3, 1, 2)
