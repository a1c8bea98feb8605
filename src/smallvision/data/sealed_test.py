"""A sealed test set: its size and fingerprint are known, its pixels and labels are not.

`open_sealed_test` is the only function that returns the images. The import rules let only `data`
and `evaluation` import this module, and `evaluation` writes every opening to a ledger. Python
cannot hide an object from a determined reader: the seal prevents that a test set is opened by
accident, and the import rules show a breach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np

from smallvision.data.imageset import ImageSet
from smallvision.shapes import Origins

# Kept apart from the object, so that no attribute of a SealedTest leads to the test images.
_openers: WeakKeyDictionary[SealedTest, Callable[[], ImageSet]] = WeakKeyDictionary()


class SealedTest:
    """A test set of which only the size and the fingerprints can be read.

    Args:
        opener: loads the test images; only `open_sealed_test` calls it.
        size: number of test images.
        fingerprint: identity of the content, as `ImageSet.fingerprint`.
        origin: identity of what the images were decoded from, which is the same at every size;
            by default the fingerprint.
    """

    def __init__(
        self,
        opener: Callable[[], ImageSet],
        *,
        size: int,
        fingerprint: str,
        origin: str | None = None,
    ) -> None:
        self.size = size
        self.fingerprint = fingerprint
        self.origin = origin or fingerprint
        _openers[self] = opener

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"SealedTest({self.size:,} images, sealed)"


def seal_test(images: ImageSet, origins: Origins | None = None) -> SealedTest:
    """Seal test images that are decoded already.

    Args:
        images: the test images.
        origins: SHA-256 of what each was decoded from, or None if the source holds the images.
    """
    return SealedTest(
        lambda: images,
        size=len(images),
        fingerprint=images.fingerprint,
        origin=None if origins is None else sum_up_origins(origins),
    )


def sum_up_origins(origins: Origins) -> str:
    """One fingerprint of the bytes that images were decoded from, in whatever order they lie."""
    rows = np.sort(np.ascontiguousarray(origins).view("S32"), axis=0)  # in the order of bytes
    return f"sha256:{hashlib.sha256(rows.tobytes()).hexdigest()}"


def open_sealed_test(test: SealedTest) -> ImageSet:
    """Return the test images; only `evaluation.open_test` calls this, after it wrote the ledger."""
    return _openers[test]()
