"""One decoded picture, which keeps pixels of 16 bits until a whole set tells how deep they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from smallvision.shapes import Fit, Images

DEEPEST, SHALLOWEST = 16, 8  # bits of a value
_RESAMPLE = Image.Resampling.BICUBIC
# The weights with which Pillow makes colours grey.
_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True, eq=False)
class Decoded:
    """One picture, upright.

    Attributes:
        bands: one image of mode "L" or "RGB"; of a picture with values of 16 bits one image of
            mode "I;16" where it is grey, and three where it has colours.
        size: `(width, height)` in the file, upright; a photograph may be decoded smaller.
        peak: the largest value of a picture of 16 bits, or None.
    """

    bands: tuple[Image.Image, ...]
    size: tuple[int, int]
    peak: int | None = None

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 3 if self.bands[0].mode == "RGB" or len(self.bands) == 3 else 1

    def fit(self, size: tuple[int, int], how: Fit) -> Decoded:
        """The picture at `(width, height)`.

        `crop` resizes the shorter side and cuts the longer one to its centre; `pad` resizes the
        longer side and fills up with the mean colour of the picture's edge; `stretch` resizes both.
        """
        if self.bands[0].size == size:
            return self
        fit = _FITS[how]
        return replace(self, bands=tuple(fit(band, size) for band in self.bands))

    def reduce(self, bits: int) -> Image.Image:
        """The picture with 8 bits for each value, as mode "L" or "RGB".

        Args:
            bits: how many of the 16 bits hold the largest value of the set; larger values become
                white.
        """
        if self.peak is None:
            return self.bands[0]
        some = [Image.fromarray(reduce_depth(np.asarray(band), bits)) for band in self.bands]
        return some[0] if len(some) == 1 else Image.merge("RGB", some)

    def values(self, channels: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        """Pixels `(C, H, W)` with 1 or 3 channels; uint16 of a picture of 16 bits."""
        if self.peak is None:
            mode = {1: "L", 3: "RGB"}[channels]
            band = self.bands[0]
            pixels = np.asarray(band if band.mode == mode else band.convert(mode))
            return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
        deep = np.stack([np.asarray(band) for band in self.bands])
        if len(deep) == channels:
            return deep
        if channels == 3:
            return np.repeat(deep, 3, axis=0)
        grey: npt.NDArray[np.uint16] = (
            np.einsum("chw,c->hw", deep, _GREY)[None].round().astype(np.uint16)
        )
        return grey


def reduce_depth(values: npt.NDArray[np.uint16], bits: int) -> Images:
    """Values of so many bits as values of 8; what lies above becomes 255.

    Args:
        values: of any shape.
        bits: 8 to 16.
    """
    reduced: Images = np.minimum(values >> (bits - SHALLOWEST), 255).astype(np.uint8)
    return reduced


def count_bits(peak: int | None) -> int:
    """Bits of the values of a set, from 8 to 16, whose largest value is known."""
    return DEEPEST if peak is None else min(DEEPEST, max(SHALLOWEST, peak.bit_length()))


def _crop(band: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.fit(band, size, method=_RESAMPLE)


def _stretch(band: Image.Image, size: tuple[int, int]) -> Image.Image:
    return band.resize(size, _RESAMPLE)


def _pad(band: Image.Image, size: tuple[int, int]) -> Image.Image:
    scale = min(size[0] / band.width, size[1] / band.height)
    inner = (
        min(size[0], max(1, round(band.width * scale))),
        min(size[1], max(1, round(band.height * scale))),
    )
    small = band.resize(inner, _RESAMPLE)
    padded = Image.new(band.mode, size, _find_edge_colour(small))
    padded.paste(small, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return padded


def _find_edge_colour(picture: Image.Image) -> int | tuple[int, ...]:
    pixels = np.asarray(picture)
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    mean: Sequence[int] | int = edges.mean(axis=0).round().astype(int).tolist()
    return mean if isinstance(mean, int) else tuple(mean)


_FITS: dict[Fit, Callable[[Image.Image, tuple[int, int]], Image.Image]] = {
    "crop": _crop,
    "pad": _pad,
    "stretch": _stretch,
}


def measure_fit(size: tuple[int, int], target: tuple[int, int]) -> float:
    """The share of the pixels of a picture that `crop` cuts away, which is also that of padding.

    Args:
        size: `(width, height)` of the picture.
        target: what it is cut to.
    """
    across, down = target[0] / size[0], target[1] / size[1]
    return 1 - min(across, down) / max(across, down)
