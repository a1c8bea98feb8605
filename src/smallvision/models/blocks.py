"""Parts that networks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from torch import Tensor, nn

from smallvision.shapes import LARGE

# Hidden units of squeeze-and-excitation; with fewer, the gates of a narrow layer would be tied.
MIN_UNITS = 4

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),
    "mish": nn.Mish,  # Misra, arXiv 1908.08681
    "silu": nn.SiLU,  # Ramachandran et al., arXiv 1710.05941, there called Swish
    "gelu": nn.GELU,  # Hendrycks and Gimpel, arXiv 1606.08415
}


def choose_stride(size: Iterable[int]) -> int:
    """The stride of the first convolution, for images of these numbers of pixels per side."""
    return 2 if max(size) > LARGE else 1


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation: scale each channel by a gate computed from the means of all channels.

    Source: Hu et al., arXiv 1709.01507. What differs: there are at least 4 hidden units.

    Args:
        channels: C.
        ratio: channels per hidden unit, at least 1.
    """

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        units = max(MIN_UNITS, channels // ratio)
        self.gates = nn.Sequential(
            nn.Linear(channels, units), nn.ReLU(), nn.Linear(units, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """From features `(N, C, H, W)` to the same, each channel times its gate in [0, 1]."""
        gates: Tensor = self.gates(x.mean(dim=(2, 3)))
        return x * gates[:, :, None, None]
