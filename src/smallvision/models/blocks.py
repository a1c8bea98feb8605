"""Pieces that networks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from torch import Tensor, nn

FEWEST_UNITS = 4  # of a squeeze; fewer would tie the gates of a narrow layer together

LARGE = 48  # pixels a side above which the first convolution strides, to keep the cost in hand

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),
    "mish": nn.Mish,  # Misra, arXiv 1908.08681
    "silu": nn.SiLU,  # Ramachandran et al., arXiv 1710.05941, there called Swish
    "gelu": nn.GELU,  # Hendrycks and Gimpel, arXiv 1606.08415
}


def choose_stride(size: Iterable[int]) -> int:
    """Of the first convolution, for images of so many pixels a side."""
    return 2 if max(size) > LARGE else 1


class SqueezeExcite(nn.Module):
    """Weigh each channel by a gate that has seen the means of all channels.

    Source: Hu et al., arXiv 1709.01507. What differs: the gates of narrow layers come from at
    least 4 hidden units.

    Args:
        channels: C.
        ratio: channels a hidden unit, at least 1.
    """

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        units = max(FEWEST_UNITS, channels // ratio)
        self.gates = nn.Sequential(
            nn.Linear(channels, units), nn.ReLU(), nn.Linear(units, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """From features `(N, C, H, W)` to the same, each channel times its gate in [0, 1]."""
        gates: Tensor = self.gates(x.mean(dim=(2, 3)))
        return x * gates[:, :, None, None]
