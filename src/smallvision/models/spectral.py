"""3x3 convolutions of small images as products of spectra: a third of the operations or less.

An image of `H` by `W` pixels with one row and one column of zeros added is convolved with a 3x3
filter without its ends meeting, so a Fourier transform of that very size turns the convolution
into products, frequency by frequency. For 7x7 pixels these are 94 real products in place of 441:
half of the frequencies of a real image repeat the other half, and a complex product takes three
real ones (Gauss). Transforms this small are matrices, so all of it is products of matrices, which
every processor does well, and the result is as exact as a plain convolution's: Fourier transforms
do not magnify rounding errors, as Winograd's do.

A row of frequencies at a time goes through all channels, so that it stays in the cache.

Sources: fast convolution by Fourier transforms, as in Mathieu et al., arXiv 1312.5851. What
differs: transforms cut to the image instead of tiles or powers of two, and written as matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Matrix = npt.NDArray[np.float64]
TAPS = np.arange(3) - 1  # where the pixels under a filter lie along an axis, from its centre


@dataclass(frozen=True)
class Frequencies:
    """The products of one row of frequencies, R of them.

    Attributes:
        slots: which rows of an image transformed along its height they are made from: one, or the
            real and the imaginary part of a complex one.
        spread: `(slots, W, R)`, from these rows to the images' factors, transposed.
        filters: `(R, 9)`, from the taps to the filters' factors.
        collect: `(slots, W, R)`, from the products to rows of the result.
    """

    slots: range
    spread: Tensor
    filters: Tensor
    collect: Tensor


@dataclass(frozen=True)
class Plan:
    """Everything about a convolution of images of one size that does not depend on their pixels.

    Attributes:
        down: `(S, H)`, from the rows of an image to S rows of frequencies, real and imaginary.
        up: `(H, S)`, back.
        rows: the frequencies, a row at a time.
    """

    down: Tensor
    up: Tensor
    rows: tuple[Frequencies, ...]


@cache
def make_plan(height: int, width: int, dtype: torch.dtype) -> Plan:
    """Prepare the transforms for images of `height` by `width` pixels."""
    down: list[Matrix] = []
    up: list[Matrix] = []
    rows = []
    for u in range((height + 1) // 2 + 1):  # the other half are conjugates of these
        real = is_own_conjugate(u, height)
        cosines, sines = wave(u, height)
        weight = (1 if real else 2) / ((height + 1) * (width + 1))
        slots = range(len(down), len(down) + (1 if real else 2))
        down += [cosines, -sines][: len(slots)]
        up += [weight * cosines, -weight * sines][: len(slots)]
        # A real row has a half of conjugates too.
        across = range((width + 1) // 2 + 1) if real else range(width + 1)
        products = [multiply_spectra(u, v, height, width, real=real) for v in across]
        spread, filters, collect = (np.concatenate(parts) for parts in zip(*products, strict=True))
        rows.append(
            Frequencies(
                slots,
                torch.tensor(spread, dtype=dtype).view(-1, len(slots), width).permute(1, 2, 0),
                torch.tensor(filters, dtype=dtype),
                torch.tensor(collect.T, dtype=dtype).view(len(slots), width, -1),
            )
        )
    return Plan(
        torch.tensor(np.array(down), dtype=dtype),
        torch.tensor(np.array(up).T, dtype=dtype).contiguous(),
        tuple(rows),
    )


def is_own_conjugate(frequency: int, side: int) -> bool:
    """Whether a frequency of real numbers is real, along an axis of so many pixels and a zero."""
    return 2 * frequency % (side + 1) == 0


def wave(frequency: int, side: int) -> tuple[Matrix, Matrix]:
    """Cosine and sine at each pixel of an axis of so many pixels and a zero."""
    phases = 2 * np.pi * frequency * np.arange(side) / (side + 1)
    return np.cos(phases), np.sin(phases)


def multiply_spectra(
    u: int, v: int, height: int, width: int, *, real: bool
) -> tuple[Matrix, Matrix, Matrix]:
    """One frequency as real products: a single one, or three if it is complex.

    Args:
        u, v: the frequency along height and width.
        height, width: pixels.
        real: whether the row is, so that it has no imaginary part, and all frequencies but its
            real ones stand for their conjugates too.

    Returns: what makes the images' factors of the row `(R, slots * W)`, the filters' of the taps
        `(R, 9)`, and what the products add to the row `(R, slots * W)`.
    """
    cosines, sines = wave(v, width)
    # The image's frequency is a + ib, in the real part of the row and in its imaginary part.
    a, b = cosines, -sines
    if not real:
        a, b = np.concatenate([cosines, sines]), np.concatenate([-sines, cosines])
    # The filter's is c + id.
    phases = 2 * np.pi * np.add.outer(u * TAPS / (height + 1), v * TAPS / (width + 1)).ravel()
    c, d = np.cos(phases), np.sin(phases)
    if real and is_own_conjugate(v, width):
        return a[None], c[None], a[None]
    # (a + ib)(c + id) = p - r + i(p + q), of which the way back is the transpose of the way here.
    p, q, r = (a + b, c), (a, d - c), (b, c + d)
    factors, taps = zip(p, q, r, strict=True)
    weight = 2 if real else 1
    return np.array(factors), np.array(taps), weight * np.array([a + b, b, -a])


class Spectral(torch.autograd.Function):
    """A 3x3 convolution of stride 1 with zeros around, to the rounding of a plain one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
        """Convolve images `(N, C, H, W)` with filters `(D, C, 3, 3)`; best channels-last.

        Of the result, rows and columns beyond `size` are left out.
        """
        (N, C, H, W), D = x.shape, len(weight)
        tall, wide = size
        plan = make_plan(H, W, x.dtype)
        slots = len(plan.down)
        rows = transform(plan.down, x.permute(0, 2, 3, 1).reshape(N, H, W * C))
        rows = rows.view(N, slots, W, C)
        taps = weight.permute(0, 2, 3, 1).reshape(D, 9, C)
        results = x.new_empty(slots, N, wide, D)
        kept = []
        for row in plan.rows:
            images = transform(flatten(row.spread).T, pick(rows, row.slots))  # (N, R, C)
            filters = transform(row.filters, taps)  # (D, R, C)
            products = torch.bmm(images.transpose(0, 1), filters.permute(1, 2, 0)).transpose(0, 1)
            for slot, collect in zip(row.slots, row.collect[:, :wide], strict=True):
                transform(collect, products, out=results[slot])
            kept += [images, filters]
        ctx.save_for_backward(*kept)
        ctx.size = (H, W)
        # Not a view, for networks that go on to change it in place, as residual ones do.
        out = torch.empty((N, D, tall, wide), dtype=x.dtype, memory_format=torch.channels_last)
        pixels = out.permute(0, 2, 3, 1).view(N, tall, wide * D)
        transform(plan.up[:tall], results.view(slots, N, wide * D).transpose(0, 1), out=pixels)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Gradients towards images and filters, from that towards the output."""
        (N, D, tall, wide), (H, W) = gradient.shape, ctx.size
        kept = iter(ctx.saved_tensors)
        plan = make_plan(H, W, gradient.dtype)
        slots, C = len(plan.down), ctx.saved_tensors[0].shape[-1]
        towards_images, towards_filters, _ = ctx.needs_input_grad
        pixels = gradient.permute(0, 2, 3, 1).reshape(N, tall, wide * D)
        rows = transform(plan.up[:tall].T, pixels).view(N, slots, wide, D)
        results = gradient.new_empty(slots, N, W, C)
        taps = gradient.new_zeros(D, 9, C)
        for row in plan.rows:
            images, filters = next(kept), next(kept)
            collect = flatten(row.collect[:, :wide])
            products = transform(collect.T, pick(rows, row.slots)).transpose(0, 1)
            if towards_filters:
                factors = torch.bmm(products.mT, images.transpose(0, 1)).transpose(0, 1)
                taps.baddbmm_(row.filters.T.expand(D, -1, -1), factors)
            if towards_images:
                factors = torch.bmm(products, filters.transpose(0, 1)).transpose(0, 1)
                for slot, spread in zip(row.slots, row.spread, strict=True):
                    transform(spread, factors, out=results[slot])
        image_gradient, filter_gradient = None, None
        if towards_images:
            out = transform(plan.down.T, results.view(slots, N, W * C).transpose(0, 1))
            image_gradient = out.view(N, H, W, C).permute(0, 3, 1, 2)
        if towards_filters:
            filter_gradient = taps.view(D, 3, 3, C).permute(0, 3, 1, 2)
        return image_gradient, filter_gradient, None


def transform(matrix: Tensor, batch: Tensor, out: Tensor | None = None) -> Tensor:
    """The product of one matrix `(R, P)` with each of a batch `(N, P, Q)`: `(N, R, Q)`."""
    return torch.bmm(matrix.expand(len(batch), -1, -1), batch, out=out)


def pick(rows: Tensor, slots: range) -> Tensor:
    """Of rows `(N, S, W, C)` some that follow each other, as `(N, slots * W, C)`."""
    return rows[:, slots.start : slots.stop].flatten(1, 2)


def flatten(matrices: Tensor) -> Tensor:
    """From matrices `(slots, W, R)` to one `(slots * W, R)`."""
    return matrices.flatten(0, 1)


@cache
def count_gain(num_images: int, channels: int, out_channels: int, height: int, width: int) -> float:
    """Operations of a plain 3x3 convolution for one of a spectral one, forwards.

    Args:
        num_images: in a batch; the filters are transformed once for all of them.
        channels, out_channels: of the input and the output.
        height, width: pixels.
    """
    along, across = height + 1, width + 1
    products, steps = 0, along * height * width  # of the transform along the height
    for u in range(along // 2 + 1):
        real = is_own_conjugate(u, height)
        own = sum(is_own_conjugate(v, width) for v in range(across))
        count = own + 3 * ((across - own) // 2) if real else 3 * across
        products += count
        steps += count * width * (1 if real else 2)
    pairs = channels * out_channels
    plain = 9 * height * width * pairs
    return plain / (
        products * pairs + steps * (channels + out_channels) + 9 * products * pairs / num_images
    )
