"""A VGG-like network with ten convolutions, batch norm and global pooling.

Source: Simonyan and Zisserman, arXiv 1409.1556. What differs: batch norm after every
convolution, a quarter of the width or less, and global average pooling in place of the two
4,096-unit layers that hold most of VGG-16's weights. At width 32 it has 2.0 million parameters
for colour images; VGG-16 with a small-image head has 14.7 million.
"""

from __future__ import annotations

from torch import nn

from smallvision.models.blocks import ACTIVATIONS, SqueezeExcite, choose_stride
from smallvision.models.convolution import Conv3x3

CONVOLUTIONS_PER_STAGE = (2, 2, 3, 3)


def vgg10(
    shape: tuple[int, int, int],
    num_classes: int,
    *,
    width: int = 32,
    dropout: float = 0.0,
    activation: str = "relu",
    se_ratio: int = 0,
) -> nn.Module:
    """Build the network; each of four stages doubles the width and halves the image.

    Args:
        shape: `(C, H, W)`. The first convolution halves images above 48 pixels; feature maps
            below 4 pixels are not pooled further.
        num_classes: K.
        width: channels of the first stage.
        dropout: share of pooled features dropped in training, in [0, 1).
        activation: after every convolution: relu, mish, silu or gelu.
        se_ratio: reduction ratio of a squeeze-and-excitation at the end of each stage, before
            pooling; 0 for none.

    Returns: a module from `(N, C, H, W)` to logits `(N, K)`.
    """
    channels, *size = shape
    stride = choose_stride(size)
    side = min(size) // stride
    layers: list[nn.Module] = []
    for stage, count in enumerate(CONVOLUTIONS_PER_STAGE):
        if stage and side >= 4:
            layers.append(nn.MaxPool2d(2))
            side //= 2
        for _ in range(count):
            layers += [
                Conv3x3(channels, width << stage, stride),
                nn.BatchNorm2d(width << stage),
                ACTIVATIONS[activation](),
            ]
            channels, stride = width << stage, 1
        if se_ratio:
            layers.append(SqueezeExcite(channels, se_ratio))
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if dropout:
        layers.append(nn.Dropout(dropout))
    layers.append(nn.Linear(channels, num_classes))
    return nn.Sequential(*layers)
