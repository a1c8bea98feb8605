"""The 3x3 convolution of every network here, computed by the fastest method."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.compute.processor import has_amx, has_avx512, has_fast_bf16, has_mkl
from smallvision.models.fft_conv import FftConv, operation_ratio
from smallvision.models.packed_weight_grad import WIDEST, PackedConv

# The ratio of operations (`operation_ratio`) from which a convolution by FFT is faster. Its
# matrices are small, so the processor computes a half to two thirds as many operations per second
# as in a direct convolution, and fewer in forward passes alone. AVX512 needs larger matrices, so
# there the number of pairs of channels counts too. docs/SPEED.md has the measurements.
MIN_RATIO_TRAINING, MIN_RATIO_FORWARD = 2.0, 3.0
MIN_RATIO_AVX512, MIN_PAIRS_AVX512 = 2.3, 128**2


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution without bias and with zero padding.

    Args:
        channels, out_channels: of the input and the output.
        stride: pixels; with 1 an image keeps its size.
        pooled: whether the result is max-pooled in squares of 2x2 pixels, which a convolution by
            FFT does faster than torch.
    """

    def __init__(
        self, channels: int, out_channels: int, stride: int = 1, *, pooled: bool = False
    ) -> None:
        super().__init__(channels, out_channels, 3, stride, padding=1, bias=False)
        self.pooled = pooled

    def forward(self, x: Tensor) -> Tensor:
        """From `(N, channels, H, W)` to `(N, out_channels, ceil(H / stride), ...)`, or to half."""
        out: Tensor
        if self.stride != (1, 1) or x.device.type != "cpu" or torch.compiler.is_compiling():
            out = super().forward(x)
        elif self.is_faster_packed(x):
            out = PackedConv.apply(x.bfloat16(), self.weight.bfloat16())  # type: ignore[no-untyped-call]
        elif self.is_faster_by_fft(x):
            dtype = find_dtype(x)
            out = FftConv.apply(x.to(dtype), self.weight.to(dtype), self.pooled)  # type: ignore[no-untyped-call]
            return out
        else:
            out = super().forward(x)
        return F.max_pool2d(out, 2) if self.pooled else out

    def needs_weight_grad(self) -> bool:
        """Whether a gradient with respect to the filters will be computed."""
        return torch.is_grad_enabled() and self.weight.requires_grad

    def is_faster_packed(self, x: Tensor) -> bool:
        """Whether the weight gradient is faster with several images packed into a row."""
        return (
            x.shape[-1] <= WIDEST
            and self.needs_weight_grad()
            and torch.is_autocast_enabled("cpu")
            and find_dtype(x) == torch.bfloat16
            and x.is_contiguous(memory_format=torch.channels_last)
            and has_amx()
        )

    def is_faster_by_fft(self, x: Tensor) -> bool:
        """Whether a convolution by FFT is faster: in fp32 with MKL, in bf16 on AVX512.

        In bf16 the methods differ visibly in rounding. A prediction must not depend on how many
        images are classified together, so predictions in bf16 are always computed directly.
        """
        dtype, N = find_dtype(x), len(x)
        fast = {
            torch.float32: has_mkl() and self.weight.dtype == torch.float32,
            # With AMX a direct convolution is faster than the transforms alone.
            torch.bfloat16: has_fast_bf16("cpu") and not has_amx() and self.needs_weight_grad(),
        }
        pairs = self.in_channels * self.out_channels
        if not N or not fast.get(dtype) or (has_avx512() and pairs < MIN_PAIRS_AVX512):
            return False
        training = MIN_RATIO_AVX512 if has_avx512() else MIN_RATIO_TRAINING
        enough = training if self.needs_weight_grad() else MIN_RATIO_FORWARD
        return operation_ratio(N, self.in_channels, self.out_channels, *x.shape[2:]) >= enough


def find_dtype(x: Tensor) -> torch.dtype:
    """The type that a convolution on the CPU computes in."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
