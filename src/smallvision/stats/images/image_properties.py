"""What can be measured on an image without knowing what it shows."""

from __future__ import annotations

import numpy as np

from smallvision.shapes import Floats, Images, Slices
from smallvision.stats.slices import Ends

# Name -> what the images at its low and at its high end are, in words.
PROPERTIES = {
    "brightness": Ends("darkest", "brightest"),
    "contrast": Ends("lowest-contrast", "highest-contrast"),
    "sharpness": Ends("blurriest", "sharpest"),
}
NEARNESS = "nearness to another class"
NEARNESS_ENDS = Ends("most typical", "least typical")
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601: grey as an eye sees it
LAPLACIAN = np.array([[[0, 1, 0], [1, -4, 1], [0, 1, 0]]], dtype=np.float32)
CHUNK = 1024  # images at a time, so that the floats of a large set are never all in memory


def measure_properties(images: Slices) -> dict[str, Floats]:
    """Brightness, contrast and sharpness of each image, on grey in [0, 1].

    Brightness is the mean, contrast the standard deviation over pixels, sharpness the variance of
    the Laplacian with the border repeated (Pech-Pacheco et al., ICPR 2000, for focus).

    Args:
        images: uint8 `(N, C, H, W)`, C is 1 or 3.

    Returns: the names of `PROPERTIES`, each with float32 `(N,)`.
    """
    parts = [measure_chunk(images[i : i + CHUNK]) for i in range(0, len(images), CHUNK)]
    return {name: np.concatenate([part[name] for part in parts]) for name in PROPERTIES}


def measure_chunk(images: Images) -> dict[str, Floats]:
    """The properties of images few enough to hold as floats."""
    from scipy.ndimage import convolve  # imported here, because it is slow to import

    grey = to_grey(images)
    edges = convolve(grey, LAPLACIAN, mode="nearest")
    return {
        "brightness": grey.mean(axis=(1, 2)),
        "contrast": grey.std(axis=(1, 2)),
        "sharpness": edges.var(axis=(1, 2)),
    }


def to_grey(images: Images) -> Floats:
    """Images as grey in [0, 1], float32 `(N, H, W)`."""
    scaled = images.astype(np.float32) / 255
    if images.shape[1] == 1:
        return scaled[:, 0]
    return np.asarray(np.einsum("nchw,c->nhw", scaled, LUMA))
