"""The 3x3 convolution of every network here, computed in whichever way is fastest."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from smallvision.models.side_by_side import WIDEST, SideBySide
from smallvision.models.spectral import Spectral, count_gain
from smallvision.processor import has_amx, has_mkl

# Operations that spectra must save to save time. Their matrices are small, and the processor gets
# a half to two thirds as many of their operations done in the same time; forwards alone, fewer.
GAIN_IN_TRAINING, GAIN_FORWARDS = 2.0, 3.0


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution without bias; an image keeps its size, or is strided down.

    Args:
        channels, out_channels: of the input and the output.
        stride: pixels.
    """

    def __init__(self, channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(channels, out_channels, 3, stride, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """From `(N, channels, H, W)` to `(N, out_channels, ceil(H / stride), ...)`."""
        out: Tensor
        if self.stride != (1, 1) or x.device.type != "cpu" or torch.compiler.is_compiling():
            out = super().forward(x)
        elif self.gains_from_rows(x):
            out = SideBySide.apply(x.bfloat16(), self.weight.bfloat16())  # type: ignore[no-untyped-call]
        elif self.gains_from_spectra(x):
            out = Spectral.apply(x, self.weight)  # type: ignore[no-untyped-call]
        else:
            out = super().forward(x)
        return out

    def learns(self) -> bool:
        """Whether a gradient towards the filters will be wanted."""
        return torch.is_grad_enabled() and self.weight.requires_grad

    def gains_from_rows(self, x: Tensor) -> bool:
        """Whether the gradient towards the filters is faster with images side by side."""
        return (
            x.shape[-1] <= WIDEST
            and self.learns()
            and torch.is_autocast_enabled("cpu")
            and torch.get_autocast_dtype("cpu") == torch.bfloat16
            and x.is_contiguous(memory_format=torch.channels_last)
            and has_amx()
        )

    def gains_from_spectra(self, x: Tensor) -> bool:
        """Whether products of spectra are faster; measured with MKL, in fp32, on AVX2."""
        if (
            x.dtype != torch.float32
            or self.weight.dtype != torch.float32
            or torch.is_autocast_enabled("cpu")
            or not has_mkl()
        ):
            return False
        N, C, H, W = x.shape
        enough = GAIN_IN_TRAINING if self.learns() else GAIN_FORWARDS
        return N > 0 and count_gain(N, C, self.out_channels, H, W) >= enough
