"""The 3x3 convolution of every network here, computed in whichever way is fastest."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.models.side_by_side import WIDEST, SideBySide
from smallvision.models.spectral import Spectral, count_gain
from smallvision.processor import has_amx, has_mkl

# Operations that spectra must save to save time. Their matrices are small, and the processor gets
# a half to two thirds as many of their operations done in the same time; forwards alone, fewer.
GAIN_IN_TRAINING, GAIN_FORWARDS = 2.0, 3.0
LARGEST_COPIED = 15  # pixels a side; a row and a column less are an eighth of the operations


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution without bias; an image keeps its size, or is strided down.

    Args:
        channels, out_channels: of the input and the output.
        stride: pixels.
        pooled: whether the result is pooled by two at once, which leaves out the last row and
            column of an odd size, so that they may be missing.
    """

    def __init__(
        self, channels: int, out_channels: int, stride: int = 1, *, pooled: bool = False
    ) -> None:
        super().__init__(channels, out_channels, 3, stride, padding=1, bias=False)
        self.pooled = pooled

    def forward(self, x: Tensor) -> Tensor:
        """From `(N, channels, H, W)` to `(N, out_channels, ceil(H / stride), ...)`."""
        out: Tensor
        if self.stride != (1, 1) or x.device.type != "cpu" or torch.compiler.is_compiling():
            out = super().forward(x)
        elif self.gains_from_rows(x):
            out = SideBySide.apply(x.bfloat16(), self.weight.bfloat16())  # type: ignore[no-untyped-call]
        elif self.gains_from_spectra(x):
            out = Spectral.apply(x, self.weight, self.find_size(x))  # type: ignore[no-untyped-call]
        elif self.gains_from_less(x):
            tall, wide = self.find_size(x)
            # What is left out would have needed the zeros below and to the right.
            margins = (1, 1 + wide - x.shape[3], 1, 1 + tall - x.shape[2])
            out = F.conv2d(F.pad(x, margins), self.weight)
        else:
            out = super().forward(x)
        return out

    def find_size(self, x: Tensor) -> tuple[int, int]:
        """Height and width of what is wanted of the result."""
        H, W = x.shape[2:]
        return (H - H % 2, W - W % 2) if self.pooled and min(H, W) > 1 else (H, W)

    def gains_from_less(self, x: Tensor) -> bool:
        """Whether computing only what is wanted repays the copy of the input that it takes.

        Not tried with AMX, whose convolutions are six times as fast, and copies are not.
        """
        H, W = x.shape[2:]
        return self.find_size(x) != (H, W) and max(H, W) <= LARGEST_COPIED and not has_amx()

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
