"""The 3x3 convolution of every network here, computed in whichever way is fastest."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.compute.processor import has_amx, has_avx512, has_fast_bf16, has_mkl
from smallvision.models.fft_conv import Spectral, count_gain
from smallvision.models.packed_weight_grad import WIDEST, SideBySide

# Operations of a plain convolution for one of a spectral one, from which on spectra save time.
# Their matrices are small, and the processor gets a half to two thirds as many of their operations
# done in the same time; forwards alone, fewer. With AVX512, which wants larger matrices, the pairs
# of channels must be many, too. Measured by `benchmarks/convolutions.py`.
GAIN_IN_TRAINING, GAIN_FORWARDS = 2.0, 3.0
GAIN_WITH_AVX512, PAIRS_WITH_AVX512 = 2.3, 128**2


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution without bias; an image keeps its size, or is strided down.

    Args:
        channels, out_channels: of the input and the output.
        stride: pixels.
        pooled: whether each square of 2x2 pixels of the result is pooled to its maximum, which
            products of spectra do on the way.
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
        elif self.gains_from_rows(x):
            out = SideBySide.apply(x.bfloat16(), self.weight.bfloat16())  # type: ignore[no-untyped-call]
        elif self.gains_from_spectra(x):
            dtype = find_dtype(x)
            out = Spectral.apply(x.to(dtype), self.weight.to(dtype), self.pooled)  # type: ignore[no-untyped-call]
            return out
        else:
            out = super().forward(x)
        return F.max_pool2d(out, 2) if self.pooled else out

    def learns(self) -> bool:
        """Whether a gradient towards the filters will be wanted."""
        return torch.is_grad_enabled() and self.weight.requires_grad

    def gains_from_rows(self, x: Tensor) -> bool:
        """Whether the gradient towards the filters is faster with images side by side."""
        return (
            x.shape[-1] <= WIDEST
            and self.learns()
            and torch.is_autocast_enabled("cpu")
            and find_dtype(x) == torch.bfloat16
            and x.is_contiguous(memory_format=torch.channels_last)
            and has_amx()
        )

    def gains_from_spectra(self, x: Tensor) -> bool:
        """Whether products of spectra are faster: in fp32 with MKL, in bf16 on AVX512.

        In bf16, where one way rounds visibly otherwise than another, no prediction may depend on
        how many images are asked for at once, so what predicts is plain.
        """
        dtype, N = find_dtype(x), len(x)
        fast = {
            torch.float32: has_mkl() and self.weight.dtype == torch.float32,
            # AMX convolves so fast that the transforms would take longer.
            torch.bfloat16: has_fast_bf16("cpu") and not has_amx() and self.learns(),
        }
        pairs = self.in_channels * self.out_channels
        if not N or not fast.get(dtype) or (has_avx512() and pairs < PAIRS_WITH_AVX512):
            return False
        in_training = GAIN_WITH_AVX512 if has_avx512() else GAIN_IN_TRAINING
        enough = in_training if self.learns() else GAIN_FORWARDS
        return count_gain(N, self.in_channels, self.out_channels, *x.shape[2:]) >= enough


def find_dtype(x: Tensor) -> torch.dtype:
    """What a convolution computes in on the CPU."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
