"""Several views of one image, whose answers are averaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class Views:
    """How an image is looked at: as it is, its mirror image, and both shifted along a diagonal.

    A shift counts half as much as the image as it is, in each of its two directions. As many
    views cost as many predictions.

    Source: the six views of airbench94 (Jordan, arXiv 2404.00498, section 3.5), with a mirror
    image and a shift of 1.

    Attributes:
        mirror: whether to look at the mirror image too.
        shift: pixels to shift by, down and right, and up and left; 0 for no shift.
    """

    mirror: bool = False
    shift: int = 0

    def list(self, images: Tensor) -> Iterator[tuple[float, Tensor]]:
        """Yield weights, which sum to 1, and views of images `(N, C, H, W)` of any type."""
        for weight, moved in self.shift_images(images):
            if self.mirror:
                yield weight / 2, moved
                yield weight / 2, moved.flip(-1)
            else:
                yield weight, moved

    def shift_images(self, images: Tensor) -> Iterator[tuple[float, Tensor]]:
        """Yield weights and images as they are, and shifted; mirrored pixels fill the border."""
        if not self.shift:
            yield 1.0, images
            return
        yield 0.5, images
        H, W = images.shape[2:]
        # torch pads no bytes by reflection.
        padded = F.pad(images.float(), (self.shift,) * 4, mode="reflect").to(images.dtype)
        yield 0.25, padded[:, :, :H, :W]
        yield 0.25, padded[:, :, -H:, -W:]

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)
