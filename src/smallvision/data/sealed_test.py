"""The seal on a test set.

A `SealedTest` has a size and a fingerprint and no way to its pixels or labels. `break_seal`
is the only way in; the import rules let only `data` and `evaluation` reach it, and `evaluation`
writes every opening to a ledger. Python cannot hide an object from a determined reader: the
point is that nobody opens a test set by accident, and that a breach shows in the import rules.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from smallvision.data.imageset import ImageSet

# Kept apart from the object, so that no attribute of a SealedTest leads to the test images.
_openers: WeakKeyDictionary[SealedTest, Callable[[], ImageSet]] = WeakKeyDictionary()


class SealedTest:
    """A test set that can be counted and named, not looked at.

    Args:
        opener: loads the test images; called by `break_seal`, not before.
        size: number of test images.
        fingerprint: identity of the content, as `ImageSet.fingerprint`.
    """

    def __init__(self, opener: Callable[[], ImageSet], *, size: int, fingerprint: str) -> None:
        self.size = size
        self.fingerprint = fingerprint
        _openers[self] = opener

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"SealedTest({self.size:,} images, sealed)"


def seal(images: ImageSet) -> SealedTest:
    """Put a test set that is already in memory behind a seal."""
    return SealedTest(lambda: images, size=len(images), fingerprint=images.fingerprint)


def break_seal(test: SealedTest) -> ImageSet:
    """The test images. For `evaluation.seal`, which writes the ledger first."""
    return _openers[test]()
