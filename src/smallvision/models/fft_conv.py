"""3x3 convolutions of small images as products of spectra: a third of the operations or less.

An image of `H` by `W` pixels with one row and one column of zeros added is convolved with a 3x3
filter without its ends meeting, so a Fourier transform of that very size turns the convolution
into products, frequency by frequency. For 7x7 pixels these are 94 real products in place of 441:
half of the frequencies of a real image repeat the other half, and a complex product takes three
real ones (Gauss). Transforms this small are matrices, so all of it is products of matrices, which
every processor does well. Fourier transforms do not magnify rounding errors, as Winograd's do: in
fp32 the result is as exact as a plain convolution's. In bf16 there are four roundings in a row
where a plain one has one, and the error is three to five times as large.

A row of frequencies at a time goes through all channels, so that it stays in the cache. Pixels
are laid out as the libraries want that multiply the matrices. MKL (fp32) is as fast with many
small matrices, so each image is one, as it lies in memory. oneDNN (bf16) first copies matrices
into blocks, which pays in wide ones, so all images are one. There, small images are transformed
to all their frequencies at once, which is more operations in fewer passes over memory.

Sources: fast convolution by Fourier transforms, as in Mathieu et al., arXiv 1312.5851. What
differs: transforms cut to the image instead of tiles or powers of two, and written as matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Matrix = npt.NDArray[np.float64]
TAPS = np.arange(3) - 1  # where the pixels under a filter lie along an axis, from its centre
SMALL = 64  # pixels of an image that is transformed at once, where all images are one matrix


@dataclass(frozen=True)
class Side:
    """One end of a convolution: images, and the factors or products that are their spectra.

    Attributes:
        height, width: pixels.
        along: `(S, height)`, from the rows of an image to S rows of frequencies, real and
            imaginary; None where each row of `across` takes the rows of the image as they are.
        slots: for each row of frequencies, which of those S rows it is made from.
        across: for each, `(slots, width, R)`: from these rows to R factors, transposed.
    """

    height: int
    width: int
    along: Tensor | None
    slots: tuple[range, ...]
    across: tuple[Tensor, ...]

    def at_once(self) -> Side:
        """The same with all frequencies in one row, made from the pixels themselves."""
        assert self.along is not None
        parts = [
            torch.einsum("sh,swr->hwr", self.along[slots.start : slots.stop], across)
            for slots, across in zip(self.slots, self.across, strict=True)
        ]
        return replace(
            self, along=None, slots=(range(self.height),), across=(torch.cat(parts, dim=2),)
        )

    def to(self, dtype: torch.dtype) -> Side:
        """The same in another type."""
        along = None if self.along is None else self.along.to(dtype)
        return replace(self, along=along, across=tuple(matrix.to(dtype) for matrix in self.across))

    def split(self, pixels: Tensor, num_images: int) -> Iterator[Tensor]:
        """From pixels `(B, height, width * K)` to factors `(R, N, C)`, a row of them at a time."""
        rows = pixels if self.along is None else transform(self.along, pixels)
        rows = rows.view(*rows.shape[:2], self.width, -1)
        for slots, across in zip(self.slots, self.across, strict=True):
            picked = rows[:, slots.start : slots.stop].flatten(1, 2)
            yield by_frequency(transform(across.flatten(0, 1).T, picked), num_images)

    def join(self, factors: Iterator[Tensor], pixels: Tensor) -> None:
        """The transpose of `split`: into pixels `(B, height, width * K)`, from every row."""
        B, _, row = pixels.shape
        shape = (self.slots[-1].stop, B, self.width, row // self.width)
        # At once, B is 1, and the rows of the image are all there is.
        rows = pixels.view(shape) if self.along is None else pixels.new_empty(shape)
        for slots, across, part in zip(self.slots, self.across, factors, strict=True):
            if puts_together(pixels.dtype):
                out = rows[slots.start : slots.stop].view(1, -1, rows.shape[-1])
                transform(across.flatten(0, 1), by_image(part), out=out)
            else:
                for slot, matrix in zip(slots, across, strict=True):
                    transform(matrix, by_image(part), out=rows[slot])
        if self.along is not None:
            transform(self.along.T, rows.flatten(2).transpose(0, 1), out=pixels)


@dataclass(frozen=True)
class Plan:
    """Everything about a convolution of images of one size that does not depend on their pixels.

    Attributes:
        images: the side of the input.
        filters: for each row of frequencies `(R, 9)`, from the taps to the filters' factors.
        results: the side of the output, of its products' transposed transforms.
    """

    images: Side
    filters: tuple[Tensor, ...]
    results: Side


@cache
def make_plan(
    height: int, width: int, tall: int, wide: int, dtype: torch.dtype, *, at_once: bool
) -> Plan:
    """Prepare the transforms.

    Args:
        height, width: pixels of an image.
        tall, wide: pixels of the result that are wanted, from its upper left.
        dtype: of the matrices.
        at_once: whether all frequencies are one row, made from the pixels themselves.
    """
    down: list[Matrix] = []
    up: list[Matrix] = []
    slots, spreads, filters, collects = [], [], [], []
    for u in range((height + 1) // 2 + 1):  # the other half are conjugates of these
        real = is_own_conjugate(u, height)
        cosines, sines = wave(u, height)
        weight = (1 if real else 2) / ((height + 1) * (width + 1))
        slots.append(range(len(down), len(down) + (1 if real else 2)))
        down += [cosines, -sines][: len(slots[-1])]
        up += [weight * cosines, -weight * sines][: len(slots[-1])]
        # A real row has a half of conjugates too.
        across = range((width + 1) // 2 + 1) if real else range(width + 1)
        products = [multiply_spectra(u, v, height, width, real=real) for v in across]
        spread, taps, collect = (
            torch.tensor(np.concatenate(parts)) for parts in zip(*products, strict=True)
        )
        spreads.append(spread.view(-1, len(slots[-1]), width).permute(1, 2, 0))
        filters.append(taps)
        collects.append(collect.view(-1, len(slots[-1]), width).permute(1, 2, 0)[:, :wide])
    along, back = torch.tensor(np.array(down)), torch.tensor(np.array(up))
    images = Side(height, width, along, tuple(slots), tuple(spreads))
    results = Side(tall, wide, back[:, :tall], tuple(slots), tuple(collects))
    if at_once:
        images, filters, results = images.at_once(), [torch.cat(filters)], results.at_once()
    return Plan(images.to(dtype), tuple(matrix.to(dtype) for matrix in filters), results.to(dtype))


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
    """A 3x3 convolution of stride 1 with zeros around, to the rounding that is said above."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, pooled: bool) -> Tensor:
        """Convolve images `(N, C, H, W)` with filters `(D, C, 3, 3)`; best channels-last.

        If `pooled`, of each square of 2x2 pixels the largest is left, and of an odd size the last
        row and column are left out.
        """
        N, _, H, W = x.shape
        D = len(weight)
        tall, wide = (H - H % 2, W - W % 2) if pooled else (H, W)
        at_once = puts_together(x.dtype) and H * W <= SMALL
        plan = make_plan(H, W, tall, wide, x.dtype, at_once=at_once)
        taps = lay_out(weight.reshape(D, -1, 9, 1))
        kept: list[Tensor] = []

        def multiply() -> Iterator[Tensor]:
            for images, matrix in zip(plan.images.split(lay_out(x), N), plan.filters, strict=True):
                filters = by_frequency(transform(matrix, taps), D)
                kept.extend((images, filters))
                yield torch.bmm(images, filters.mT)

        # Not a view, for networks that go on to change it in place, as residual ones do.
        out = make_images(x, D, *((tall // 2, wide // 2) if pooled else (tall, wide)))
        B, K = count_matrices(x.dtype, N, D)
        pixels = x.new_empty(B, tall, wide * K) if pooled else make_room(out)
        plan.results.join(multiply(), pixels)
        if pooled:
            pixels, larger = pool(pixels, wide)
            kept.extend(larger)
        put(pixels, out)
        ctx.save_for_backward(*kept)
        ctx.plan, ctx.pooled = plan, pooled
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Gradients towards images and filters, from that towards the output."""
        plan, kept = ctx.plan, iter(ctx.saved_tensors)
        _, D, C = ctx.saved_tensors[1].shape
        towards_images, towards_filters, _ = ctx.needs_input_grad
        B, K = count_matrices(gradient.dtype, D, C)
        taps = gradient.new_zeros(B, 9, K)
        N, pixels = len(gradient), lay_out(gradient)
        if ctx.pooled:
            pixels = unpool(pixels, *ctx.saved_tensors[-2:])

        def multiply() -> Iterator[Tensor]:
            for products, matrix in zip(plan.results.split(pixels, N), plan.filters, strict=True):
                images, filters = next(kept), next(kept)
                if towards_filters:
                    factors = by_image(torch.bmm(products.mT, images))
                    taps.baddbmm_(matrix.T.expand(B, -1, -1), factors)
                if towards_images:
                    yield torch.bmm(products, filters)

        image_gradient, filter_gradient = None, None
        if towards_images:
            image_gradient = make_images(gradient, C, plan.images.height, plan.images.width)
            room = make_room(image_gradient)
            plan.images.join(multiply(), room)
            put(room, image_gradient)
        else:
            for _ in multiply():
                pass
        if towards_filters:
            filter_gradient = read_back(taps, 3, 3, D).permute(0, 3, 1, 2)
        return image_gradient, filter_gradient, None


def pool(pixels: Tensor, width: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Of each square of 2x2 pixels the largest, and where it was, for `unpool`.

    As planes of pixels, squares are pooled by comparing long stretches of memory; torch's own
    pooling would go through an image and write down a place of eight bytes for each square.

    Args:
        pixels: `(B, H, W * K)`, H and W even.
        width: W.

    Returns: pixels `(B, H // 2, W // 2 * K)`; and, of their type, 1 where the right one of two is
        larger `(B, H, W // 2, K)`, and where the lower of two such is `(B, H // 2, W // 2, K)`.
    """
    squares = pixels.view(*pixels.shape[:2], width, -1)
    left, right = squares[:, :, 0::2], squares[:, :, 1::2]
    pairs = torch.maximum(left, right)
    upper, lower = pairs[:, 0::2], pairs[:, 1::2]
    # In this type rather than as truth values, which torch takes ten times as long to apply.
    beside = torch.gt(right, left, out=pairs.new_empty(pairs.shape))
    below = torch.gt(lower, upper, out=pairs.new_empty(upper.shape))
    return torch.maximum(upper, lower).flatten(2), (beside, below)


def unpool(gradient: Tensor, beside: Tensor, below: Tensor) -> Tensor:
    """The gradient of `pool` towards its pixels, from `(B, H // 2, W // 2 * K)`."""
    pairs = torch.empty_like(beside)
    B, H, half, K = pairs.shape
    squares = gradient.new_empty(B, H, 2 * half, K)
    share(gradient.view_as(below), below, pairs[:, 0::2], pairs[:, 1::2])
    share(pairs, beside, squares[:, :, 0::2], squares[:, :, 1::2])
    return squares.flatten(2)


def share(gradient: Tensor, larger: Tensor, first: Tensor, second: Tensor) -> None:
    """Give a gradient to the second where that was larger, and else to the first."""
    torch.mul(gradient, larger, out=second)
    torch.sub(gradient, second, out=first)


def puts_together(dtype: torch.dtype) -> bool:
    """Whether all images are one matrix, and not each its own."""
    return dtype == torch.bfloat16


def count_matrices(dtype: torch.dtype, num_images: int, channels: int) -> tuple[int, int]:
    """How many matrices images are, B, and how many columns each has of a pixel, K."""
    return (1, num_images * channels) if puts_together(dtype) else (num_images, channels)


def lay_out(images: Tensor) -> Tensor:
    """From images `(N, C, H, W)` to matrices `(B, H, W * K)`."""
    N, _, H, _ = images.shape
    if puts_together(images.dtype):
        return images.permute(2, 3, 0, 1).reshape(1, H, -1)
    return images.permute(0, 2, 3, 1).reshape(N, H, -1)


def read_back(pixels: Tensor, height: int, width: int, num_images: int) -> Tensor:
    """From what `lay_out` makes, to `(N, H, W, C)`."""
    if puts_together(pixels.dtype):
        return pixels.view(height, width, num_images, -1).permute(2, 0, 1, 3)
    return pixels.view(num_images, height, width, -1)


def by_frequency(factors: Tensor, num_images: int) -> Tensor:
    """From matrices `(B, R, K)` to `(R, N, C)`, for products of channels."""
    if puts_together(factors.dtype):
        return factors.view(-1, num_images, factors.shape[2] // num_images)
    return factors.transpose(0, 1)


def by_image(factors: Tensor) -> Tensor:
    """Back from `(R, N, C)` to matrices `(B, R, K)`."""
    return factors.flatten(1)[None] if puts_together(factors.dtype) else factors.transpose(0, 1)


def make_images(like: Tensor, channels: int, height: int, width: int) -> Tensor:
    """Empty images, as many and of the type of some that are there."""
    shape = (len(like), channels, height, width)
    return torch.empty(shape, dtype=like.dtype, memory_format=torch.channels_last)


def make_room(images: Tensor) -> Tensor:
    """Where pixels of channels-last images go: into these, if that is how they are laid out."""
    N, C, H, W = images.shape
    if puts_together(images.dtype):
        return images.new_empty(1, H, W * N * C)
    return images.permute(0, 2, 3, 1).flatten(2)


def put(pixels: Tensor, images: Tensor) -> None:
    """Fill channels-last images from pixels that are not theirs already."""
    N, _, H, W = images.shape
    if pixels.data_ptr() != images.data_ptr():
        images.permute(0, 2, 3, 1).copy_(read_back(pixels, H, W, N))


def transform(matrix: Tensor, batch: Tensor, out: Tensor | None = None) -> Tensor:
    """The product of one matrix `(R, P)` with each of a batch `(B, P, Q)`: `(B, R, Q)`."""
    return torch.bmm(matrix.expand(len(batch), -1, -1), batch, out=out)


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
