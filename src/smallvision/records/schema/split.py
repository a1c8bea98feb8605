"""The split of a data set."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from smallvision.records.schema.base import (
    ClassCounts,
    Count,
    Fraction,
    Hash,
    LeftOutRecords,
    Record,
    Seed,
    check_lengths,
)


class SplitCounts(Record):
    """Images of each class on each side."""

    train: ClassCounts
    """Of the training split, in class order."""
    val: ClassCounts
    """Of the validation split, in class order."""

    @model_validator(mode="after")
    def check_classes(self) -> Self:
        """Both sides count the same classes."""
        check_lengths(train=len(self.train), val=len(self.val))
        return self


class SplitRecord(Record):
    """`split.json`: which images are trained on; `split.npz` holds the indices."""

    seed: Seed
    """Seed of the random choice."""
    val_fraction: Fraction
    """Share of each class to validate on."""
    subset: Fraction | None
    """Share of the training images in use; null for all."""
    declared_val: bool
    """Whether the source has a validation set of its own, which `val` then indexes."""
    train_n: Count
    """Training images."""
    val_n: Count
    """Validation images."""
    counts: SplitCounts
    """Images of each class."""
    train_hash: Hash
    """SHA-256 of the training indices."""
    val_hash: Hash
    """SHA-256 of the validation indices."""
    data_fingerprint: Hash
    """Fingerprint of the data set's training images."""
    val_fingerprint: Hash | None = None
    """Fingerprint of the declared validation set."""
    test_fingerprint: Hash
    """Fingerprint of the sealed test images."""
    duplicates: Count
    """Images that have an identical copy; copies always fall on one side."""
    dropped: Count = 0
    """Training images left out because the declared validation set holds a copy of them."""
    left_out: LeftOutRecords = ()
    """What lies in the source and in none of its parts, by reason."""
    groups: Count | None = None
    """Groups of training images that the user asked for, each on one side; null without any."""
    alike: Count | None = None
    """Training images that look much like another of their class and lie on its side; null where
    nobody searched for these."""
