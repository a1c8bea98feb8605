"""Handwritten digits that come with scikit-learn: real images without a download.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998;
the 1,797 images that scikit-learn ships.
"""

from __future__ import annotations

import numpy as np

from smallvision.data.imageset import ImageSet
from smallvision.data.sources.source import DecodedPart, Layout
from smallvision.shapes import Shape

SHAPE = (1, 8, 8)
CLASSES = tuple("0123456789")
INK_LEVELS = 16  # the scans count ink from 0 to 16


def digits_layout() -> Layout:
    """Describe the 1,797 digits: uint8 `(N, 1, 8, 8)`, ink scaled to 0..255."""
    return Layout("scikit-learn", {"train": _read_digits})


def _read_digits(_: Shape | None) -> DecodedPart:
    # Imported here, because the data sets of scikit-learn take over a second to import.
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / INK_LEVELS)).astype(np.uint8)[:, None]
    return DecodedPart(ImageSet(images, digits.target.astype(np.int64), CLASSES))
