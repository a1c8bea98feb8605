"""Whether images look like photographs in colour."""

from __future__ import annotations

import numpy as np

from smallvision.data.storage.stored_images import ImageRows

LOOKED_AT = 200  # images
COLOURS = 0.25  # share of its pixels whose colour an image of a camera has nowhere else, or more
SPREAD = 4  # levels of 256 between the strongest and the weakest channel of a pixel, on average


def look_like_photographs(images: ImageRows) -> bool:
    """Guess whether images are photographs in colour, from how many colours half of them have.

    A drawing has few colours, a grey image has equal channels. Photographs of a microscope pass.

    Args:
        images: uint8 `(N, C, H, W)`; some of them, evenly spaced, are looked at.
    """
    if images.shape[1] != 3 or not len(images):
        return False
    some = np.array(images[:: -(-len(images) // LOOKED_AT)])
    pixels = some.transpose(0, 2, 3, 1).reshape(len(some), -1, 3)
    spread = np.median([np.ptp(one.astype(np.int16), axis=1).mean() for one in pixels])
    colours = np.median([len(np.unique(one, axis=0)) / len(one) for one in pixels])
    return bool(spread >= SPREAD and colours >= COLOURS)
