"""The split of a data set."""

from __future__ import annotations

from smallvision.records.schema.base import Count, Record


class SplitCounts(Record):
    """Images of each class on each side."""

    train: tuple[int, ...]
    """Of the training split, in class order."""
    val: tuple[int, ...]
    """Of the validation split, in class order."""


class SplitRecord(Record):
    """`split.json`: which images are trained on; `split.npz` holds the indices."""

    seed: int
    """Seed of the random choice."""
    val_fraction: float
    """Share of each class to validate on."""
    subset: float | None
    """Share of the training images in use; null for all."""
    declared_val: bool
    """Whether the source has a validation set of its own, which `val` then indexes."""
    train_n: Count
    """Training images."""
    val_n: Count
    """Validation images."""
    counts: SplitCounts
    """Images of each class."""
    train_hash: str
    """SHA-256 of the training indices."""
    val_hash: str
    """SHA-256 of the validation indices."""
    data_fingerprint: str
    """Fingerprint of the data set's training images."""
    val_fingerprint: str | None = None
    """Fingerprint of the declared validation set."""
    test_fingerprint: str
    """Fingerprint of the sealed test images."""
    duplicates: Count
    """Images that have an identical copy; copies always fall on one side."""
    dropped: Count = 0
    """Training images left out because the declared validation set holds a copy of them."""
