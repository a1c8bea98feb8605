"""3x3 convolutions of small images by Fourier transforms: a third of the operations or less.

A 3x3 convolution with zero padding of an image of `H` by `W` pixels is a circular convolution of
the image with one row and one column of zeros added, so a Fourier transform of that size turns the
convolution into products, frequency by frequency. For 7x7 pixels these are 94 real products in
place of 441: half of the frequencies of a real image are the conjugates of the other half, and a
complex product takes three real ones (Gauss). Transforms of this size are computed as products
with a matrix, so the whole convolution consists of matrix products, which every processor
computes fast. Unlike Winograd's transforms, Fourier transforms do not magnify rounding errors: in
fp32 the result is as exact as that of a direct convolution. In bf16 there are four roundings in a
row where a direct convolution has one, and the error is three to five times as large.

The transform is separable: first along the height, then along the width. One row of frequencies
at a time is transformed along the width, multiplied and transformed back, so that it stays in the
cache. The memory layout depends on the library that multiplies the matrices. MKL (fp32) is fast
with many small matrices, so each image is a matrix of its own and stays where it is. oneDNN
(bf16) first copies matrices into blocks, which pays for wide ones, so all images form one matrix.
There, small images are transformed along both axes in one product: more operations in fewer
passes over memory.

Source: fast convolution by Fourier transforms, as in Mathieu et al., arXiv 1312.5851. What
differs: transforms of the size of the image in place of tiles or powers of two, and written as
matrices.
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
TAPS = np.arange(3) - 1  # offsets of the filter's taps from its centre, along an axis
SMALL = 64  # pixels of an image up to which one product transforms both axes, in bf16


@dataclass(frozen=True)
class Transform:
    """The transform from pixels to real factors, for images of one size, and its transpose.

    A frequency's factors are the real numbers that are multiplied with those of the filter: one
    for a real frequency, three for a complex one. Transforming products back to pixels is the
    transpose of a transform from pixels to factors.

    Attributes:
        height, width: pixels.
        vertical: `(S, height)`, from the rows of an image to S rows of frequencies along the
            height, real and imaginary parts one after the other; None where `horizontal`
            transforms both axes.
        parts: for each row of frequencies, which of these S rows are its real and imaginary part.
        horizontal: for each row of frequencies, `(parts, width, R)`: from its parts to R factors.
    """

    height: int
    width: int
    vertical: Tensor | None
    parts: tuple[range, ...]
    horizontal: tuple[Tensor, ...]

    def join_axes(self) -> Transform:
        """The same as one product that transforms both axes."""
        assert self.vertical is not None
        matrices = [
            torch.einsum("sh,swr->hwr", self.vertical[rows.start : rows.stop], horizontal)
            for rows, horizontal in zip(self.parts, self.horizontal, strict=True)
        ]
        return replace(
            self,
            vertical=None,
            parts=(range(self.height),),
            horizontal=(torch.cat(matrices, dim=2),),
        )

    def to(self, dtype: torch.dtype) -> Transform:
        """The same in another type."""
        vertical = None if self.vertical is None else self.vertical.to(dtype)
        horizontal = tuple(matrix.to(dtype) for matrix in self.horizontal)
        return replace(self, vertical=vertical, horizontal=horizontal)

    def forward(self, pixels: Tensor, num_images: int) -> Iterator[Tensor]:
        """Yield the factors `(R, N, C)` of each row of frequencies.

        Args:
            pixels: matrices `(B, height, width * K)`.
            num_images: N.
        """
        rows = pixels if self.vertical is None else multiply(self.vertical, pixels)
        rows = rows.view(*rows.shape[:2], self.width, -1)
        for parts, horizontal in zip(self.parts, self.horizontal, strict=True):
            picked = rows[:, parts.start : parts.stop].flatten(1, 2)
            yield by_frequency(multiply(horizontal.flatten(0, 1).T, picked), num_images)

    def transpose(self, factors: Iterator[Tensor], pixels: Tensor) -> None:
        """Apply the transpose of `forward`.

        Args:
            factors: `(R, N, C)` of each row of frequencies.
            pixels: where the result is written, matrices `(B, height, width * K)`.
        """
        B, _, row = pixels.shape
        shape = (self.parts[-1].stop, B, self.width, row // self.width)
        # If one product transforms both axes, B is 1, and the rows are those of the image.
        rows = pixels.view(shape) if self.vertical is None else pixels.new_empty(shape)
        for parts, horizontal, part in zip(self.parts, self.horizontal, factors, strict=True):
            if forms_one_matrix(pixels.dtype):
                out = rows[parts.start : parts.stop].view(1, -1, rows.shape[-1])
                multiply(horizontal.flatten(0, 1), by_image(part), out=out)
            else:
                for row_index, matrix in zip(parts, horizontal, strict=True):
                    multiply(matrix, by_image(part), out=rows[row_index])
        if self.vertical is not None:
            multiply(self.vertical.T, rows.flatten(2).transpose(0, 1), out=pixels)


@dataclass(frozen=True)
class FftPlan:
    """The transforms of a convolution, which depend on the size of its images alone.

    Attributes:
        images: transform of the input.
        filters: for each row of frequencies `(R, 9)`, from the taps to the factors of the filters.
        results: its transpose transforms the products to the output.
    """

    images: Transform
    filters: tuple[Tensor, ...]
    results: Transform


@cache
def make_plan(
    height: int,
    width: int,
    result_height: int,
    result_width: int,
    dtype: torch.dtype,
    *,
    separable: bool,
) -> FftPlan:
    """Prepare the transforms.

    Args:
        height, width: pixels of an image.
        result_height, result_width: pixels of the result that are wanted, from its upper left.
        dtype: of the matrices.
        separable: whether the axes are transformed one after the other, or by one product.
    """
    down: list[Matrix] = []
    up: list[Matrix] = []
    parts, spreads, filters, collects = [], [], [], []
    for u in range((height + 1) // 2 + 1):  # the other half are conjugates of these
        real = is_real(u, height)
        cosines, sines = sample_waves(u, height)
        weight = (1 if real else 2) / ((height + 1) * (width + 1))
        parts.append(range(len(down), len(down) + (1 if real else 2)))
        down += [cosines, -sines][: len(parts[-1])]
        up += [weight * cosines, -weight * sines][: len(parts[-1])]
        # Half of the frequencies of a real row are conjugates too.
        columns = range((width + 1) // 2 + 1) if real else range(width + 1)
        products = [expand_product(u, v, height, width, real=real) for v in columns]
        spread, taps, collect = (
            torch.tensor(np.concatenate(matrices)) for matrices in zip(*products, strict=True)
        )
        spreads.append(spread.view(-1, len(parts[-1]), width).permute(1, 2, 0))
        filters.append(taps)
        collect = collect.view(-1, len(parts[-1]), width).permute(1, 2, 0)
        collects.append(collect[:, :result_width])
    vertical, back = torch.tensor(np.array(down)), torch.tensor(np.array(up))
    images = Transform(height, width, vertical, tuple(parts), tuple(spreads))
    back = back[:, :result_height]
    results = Transform(result_height, result_width, back, tuple(parts), tuple(collects))
    if not separable:
        images, filters, results = images.join_axes(), [torch.cat(filters)], results.join_axes()
    return FftPlan(
        images.to(dtype), tuple(matrix.to(dtype) for matrix in filters), results.to(dtype)
    )


def is_real(frequency: int, side: int) -> bool:
    """Whether a frequency of real numbers is real, along an axis of so many pixels and a zero."""
    return 2 * frequency % (side + 1) == 0


def sample_waves(frequency: int, side: int) -> tuple[Matrix, Matrix]:
    """Cosine and sine at each pixel of an axis of so many pixels and a zero."""
    phases = 2 * np.pi * frequency * np.arange(side) / (side + 1)
    return np.cos(phases), np.sin(phases)


def expand_product(
    u: int, v: int, height: int, width: int, *, real: bool
) -> tuple[Matrix, Matrix, Matrix]:
    """Write the product at one frequency as real products: one if it is real, else three.

    Args:
        u, v: the frequency along height and width.
        height, width: pixels.
        real: whether the row of frequencies is real: it has no imaginary part, and its complex
            frequencies count twice, because their conjugates are not computed.

    Returns: three matrices: from the parts of the row to the factors of the images
        `(R, parts * W)`, from the taps to the factors of the filters `(R, 9)`, and from the
        products back to the parts of the row `(R, parts * W)`, transposed.
    """
    cosines, sines = sample_waves(v, width)
    # The image's frequency is a + ib, as functions of the real and the imaginary part of the row.
    a, b = cosines, -sines
    if not real:
        a, b = np.concatenate([cosines, sines]), np.concatenate([-sines, cosines])
    # The filter's is c + id.
    phases = 2 * np.pi * np.add.outer(u * TAPS / (height + 1), v * TAPS / (width + 1)).ravel()
    c, d = np.cos(phases), np.sin(phases)
    if real and is_real(v, width):
        return a[None], c[None], a[None]
    # (a + ib)(c + id) = p - r + i(p + q); the inverse transform is the transpose, but for weights.
    p, q, r = (a + b, c), (a, d - c), (b, c + d)
    factors, taps = zip(p, q, r, strict=True)
    weight = 2 if real else 1
    return np.array(factors), np.array(taps), weight * np.array([a + b, b, -a])


class FftConv(torch.autograd.Function):
    """A 3x3 convolution of stride 1 with zero padding, with the rounding that is said above."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, pooled: bool) -> Tensor:
        """Convolve images `(N, C, H, W)`, best channels-last, with filters `(D, C, 3, 3)`.

        If `pooled`, the result is max-pooled in squares of 2x2 pixels; of an odd size the last
        row and column are left out.
        """
        N, _, H, W = x.shape
        D = len(weight)
        height, width = (H - H % 2, W - W % 2) if pooled else (H, W)
        separable = not forms_one_matrix(x.dtype) or H * W > SMALL
        plan = make_plan(H, W, height, width, x.dtype, separable=separable)
        taps = to_matrices(weight.reshape(D, -1, 9, 1))
        kept: list[Tensor] = []

        def multiply_frequencies() -> Iterator[Tensor]:
            rows = zip(plan.images.forward(to_matrices(x), N), plan.filters, strict=True)
            for images, matrix in rows:
                filters = by_frequency(multiply(matrix, taps), D)
                kept.extend((images, filters))
                yield torch.bmm(images, filters.mT)

        # Not a view: residual networks change the result in place.
        out = empty_images(x, D, *((height // 2, width // 2) if pooled else (height, width)))
        B, K = count_matrices(x.dtype, N, D)
        pixels = x.new_empty(B, height, width * K) if pooled else view_or_new(out)
        plan.results.transpose(multiply_frequencies(), pixels)
        if pooled:
            pixels, larger = pool(pixels, width)
            kept.extend(larger)
        copy_into(pixels, out)
        ctx.save_for_backward(*kept)
        ctx.plan, ctx.pooled = plan, pooled
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Gradients with respect to images and filters, from that of the output."""
        plan, kept = ctx.plan, iter(ctx.saved_tensors)
        _, D, C = ctx.saved_tensors[1].shape
        wants_image_grad, wants_filter_grad, _ = ctx.needs_input_grad
        B, K = count_matrices(gradient.dtype, D, C)
        taps = gradient.new_zeros(B, 9, K)
        N, pixels = len(gradient), to_matrices(gradient)
        if ctx.pooled:
            pixels = unpool(pixels, *ctx.saved_tensors[-2:])

        def multiply_frequencies() -> Iterator[Tensor]:
            for products, matrix in zip(plan.results.forward(pixels, N), plan.filters, strict=True):
                images, filters = next(kept), next(kept)
                if wants_filter_grad:
                    factors = by_image(torch.bmm(products.mT, images))
                    taps.baddbmm_(matrix.T.expand(B, -1, -1), factors)
                if wants_image_grad:
                    yield torch.bmm(products, filters)

        image_grad, filter_grad = None, None
        if wants_image_grad:
            image_grad = empty_images(gradient, C, plan.images.height, plan.images.width)
            matrices = view_or_new(image_grad)
            plan.images.transpose(multiply_frequencies(), matrices)
            copy_into(matrices, image_grad)
        else:
            for _ in multiply_frequencies():
                pass
        if wants_filter_grad:
            filter_grad = from_matrices(taps, 3, 3, D).permute(0, 3, 1, 2)
        return image_grad, filter_grad, None


def pool(pixels: Tensor, width: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Max-pool in squares of 2x2 pixels, and keep where each maximum was, for `unpool`.

    As planes of pixels, squares are pooled by comparing long stretches of memory; torch's own
    pooling goes through an image pixel by pixel and writes an index of eight bytes per square.

    Args:
        pixels: matrices `(B, H, W * K)`, H and W even.
        width: W.

    Returns: pixels `(B, H // 2, W // 2 * K)`; and, of the type of the pixels, 1 where the right
        one of two pixels is larger `(B, H, W // 2, K)`, and 1 where the lower one of two such
        maxima is larger `(B, H // 2, W // 2, K)`.
    """
    squares = pixels.view(*pixels.shape[:2], width, -1)
    left, right = squares[:, :, 0::2], squares[:, :, 1::2]
    pairs = torch.maximum(left, right)
    upper, lower = pairs[:, 0::2], pairs[:, 1::2]
    # Not as booleans, which torch takes ten times as long to multiply by.
    right_larger = torch.gt(right, left, out=pairs.new_empty(pairs.shape))
    lower_larger = torch.gt(lower, upper, out=pairs.new_empty(upper.shape))
    return torch.maximum(upper, lower).flatten(2), (right_larger, lower_larger)


def unpool(gradient: Tensor, right_larger: Tensor, lower_larger: Tensor) -> Tensor:
    """The gradient of `pool` with respect to its pixels, from `(B, H // 2, W // 2 * K)`."""
    pairs = torch.empty_like(right_larger)
    B, H, half, K = pairs.shape
    squares = gradient.new_empty(B, H, 2 * half, K)
    split_gradient(gradient.view_as(lower_larger), lower_larger, pairs[:, 0::2], pairs[:, 1::2])
    split_gradient(pairs, right_larger, squares[:, :, 0::2], squares[:, :, 1::2])
    return squares.flatten(2)


def split_gradient(gradient: Tensor, larger: Tensor, first: Tensor, second: Tensor) -> None:
    """Write a gradient to the second tensor where that was larger, and else to the first."""
    torch.mul(gradient, larger, out=second)
    torch.sub(gradient, second, out=first)


def forms_one_matrix(dtype: torch.dtype) -> bool:
    """Whether all images form one matrix, so that B is 1, or each its own, so that B is N."""
    return dtype == torch.bfloat16


def count_matrices(dtype: torch.dtype, num_images: int, channels: int) -> tuple[int, int]:
    """The number B of matrices that images form, and the number K of columns per pixel."""
    return (1, num_images * channels) if forms_one_matrix(dtype) else (num_images, channels)


def to_matrices(images: Tensor) -> Tensor:
    """From images `(N, C, H, W)` to matrices `(B, H, W * K)`."""
    N, _, H, _ = images.shape
    if forms_one_matrix(images.dtype):
        return images.permute(2, 3, 0, 1).reshape(1, H, -1)
    return images.permute(0, 2, 3, 1).reshape(N, H, -1)


def from_matrices(pixels: Tensor, height: int, width: int, num_images: int) -> Tensor:
    """From matrices `(B, H, W * K)` to channels-last images `(N, H, W, C)`."""
    if forms_one_matrix(pixels.dtype):
        return pixels.view(height, width, num_images, -1).permute(2, 0, 1, 3)
    return pixels.view(num_images, height, width, -1)


def by_frequency(factors: Tensor, num_images: int) -> Tensor:
    """From matrices `(B, R, K)` to `(R, N, C)`, for products over channels."""
    if forms_one_matrix(factors.dtype):
        return factors.view(-1, num_images, factors.shape[2] // num_images)
    return factors.transpose(0, 1)


def by_image(factors: Tensor) -> Tensor:
    """Back from `(R, N, C)` to matrices `(B, R, K)`."""
    return factors.flatten(1)[None] if forms_one_matrix(factors.dtype) else factors.transpose(0, 1)


def empty_images(like: Tensor, channels: int, height: int, width: int) -> Tensor:
    """Uninitialised channels-last images, as many and of the type of `like`."""
    shape = (len(like), channels, height, width)
    return torch.empty(shape, dtype=like.dtype, memory_format=torch.channels_last)


def view_or_new(images: Tensor) -> Tensor:
    """Matrices `(B, H, W * K)` for a result: a view of the images, where the layout allows it."""
    N, C, H, W = images.shape
    if forms_one_matrix(images.dtype):
        return images.new_empty(1, H, W * N * C)
    return images.permute(0, 2, 3, 1).flatten(2)


def copy_into(pixels: Tensor, images: Tensor) -> None:
    """Copy matrices to channels-last images, unless the matrices are a view of them."""
    N, _, H, W = images.shape
    if pixels.data_ptr() != images.data_ptr():
        images.permute(0, 2, 3, 1).copy_(from_matrices(pixels, H, W, N))


def multiply(matrix: Tensor, batch: Tensor, out: Tensor | None = None) -> Tensor:
    """The product of one matrix `(R, P)` with each of a batch `(B, P, Q)`: `(B, R, Q)`."""
    return torch.bmm(matrix.expand(len(batch), -1, -1), batch, out=out)


@cache
def operation_ratio(
    num_images: int, channels: int, out_channels: int, height: int, width: int
) -> float:
    """Operations of a direct 3x3 convolution per operation of one by FFT, in a forward pass.

    Args:
        num_images: of a batch, for all of which the filters are transformed once.
        channels, out_channels: of the input and the output.
        height, width: pixels.
    """
    rows, columns = height + 1, width + 1
    products, transforms = 0, rows * height * width  # of which this is the one along the height
    for u in range(rows // 2 + 1):
        real = is_real(u, height)
        real_columns = sum(is_real(v, width) for v in range(columns))
        complex_pairs = (columns - real_columns) // 2
        count = real_columns + 3 * complex_pairs if real else 3 * columns
        products += count
        transforms += count * width * (1 if real else 2)
    pairs = channels * out_channels
    direct = 9 * height * width * pairs
    images = transforms * (channels + out_channels)
    filters = 9 * products * pairs / num_images
    return direct / (products * pairs + images + filters)
