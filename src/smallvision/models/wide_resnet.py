"""Wide residual networks: fewer, wider layers than a ResNet of the same accuracy.

Source: Zagoruyko and Komodakis, arXiv 1605.07146. Pre-activation blocks with dropout between
the two convolutions, as there. Squeeze-and-excitation, if any, ends the residual branch (Hu et
al., arXiv 1709.01507, figure 3). What differs: the first convolution halves images above 48
pixels, which limits the cost of large images.
"""

from __future__ import annotations

from torch import Tensor, nn

from smallvision.models.blocks import ACTIVATIONS, SqueezeExcite, choose_stride
from smallvision.models.convolution import Conv3x3


class Block(nn.Module):
    """BN, activation, conv, BN, activation, dropout, conv, squeeze-excite, plus the input.

    From `(N, channels, H, W)` to `(N, out_channels, ...)`.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        stride: int,
        *,
        dropout: float,
        activation: str,
        se_ratio: int,
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = Conv3x3(channels, out_channels, stride)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = Conv3x3(out_channels, out_channels)
        self.excite = SqueezeExcite(out_channels, se_ratio) if se_ratio else None
        self.shortcut: nn.Module | None = None
        if stride != 1 or channels != out_channels:
            self.shortcut = nn.Conv2d(channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Where the shape changes, the shortcut starts after the first activation, as published."""
        active = self.activation(self.norm1(x))
        shortcut = x if self.shortcut is None else self.shortcut(active)
        out: Tensor = self.conv1(active)
        out = self.conv2(self.dropout(self.activation(self.norm2(out))))
        if self.excite is not None:
            out = self.excite(out)
        out += shortcut  # in place, because memory bandwidth limits the speed of a step
        return out


class WideResNet(nn.Module):
    """WRN-depth-width: a stem, three groups of blocks at falling resolution, a linear head."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        num_classes: int,
        *,
        depth: int = 16,
        width: int = 4,
        dropout: float = 0.0,
        activation: str = "relu",
        se_ratio: int = 0,
    ) -> None:
        super().__init__()
        blocks, remainder = divmod(depth - 4, 6)
        if remainder or blocks < 1:
            raise ValueError(f"depth is {depth}; expected 6n + 4, such as 10, 16, 22 or 28")
        C, *size = shape
        channels = 16
        self.stem = Conv3x3(C, channels, choose_stride(size))
        layers: list[nn.Module] = []
        for group, out_channels in enumerate((16 * width, 32 * width, 64 * width)):
            for block in range(blocks):
                stride = 2 if group and block == 0 else 1
                layers.append(
                    Block(
                        channels,
                        out_channels,
                        stride,
                        dropout=dropout,
                        activation=activation,
                        se_ratio=se_ratio,
                    )
                )
                channels = out_channels
        self.blocks = nn.Sequential(*layers)
        self.norm = nn.BatchNorm2d(channels)
        self.activation = ACTIVATIONS[activation]()
        self.head = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """From images `(N, C, H, W)` to logits `(N, K)`."""
        features = self.activation(self.norm(self.blocks(self.stem(x))))
        logits: Tensor = self.head(features.mean(dim=(2, 3)))
        return logits


def wide_resnet(
    shape: tuple[int, int, int],
    num_classes: int,
    *,
    depth: int = 16,
    width: int = 4,
    dropout: float = 0.0,
    activation: str = "relu",
    se_ratio: int = 0,
) -> nn.Module:
    """Build a Wide ResNet.

    Args:
        shape: `(C, H, W)`, 8 to 224 pixels a side.
        num_classes: K.
        depth: 6n + 4 convolutional layers.
        width: multiple of the original ResNet's 16, 32 and 64 channels.
        dropout: share of features dropped between the convolutions of a block, in [0, 1).
        activation: relu, mish, silu or gelu.
        se_ratio: reduction ratio of squeeze-and-excitation in every block; 0 for none.

    Raises:
        ValueError: the depth is not 6n + 4.
    """
    return WideResNet(
        shape,
        num_classes,
        depth=depth,
        width=width,
        dropout=dropout,
        activation=activation,
        se_ratio=se_ratio,
    )
