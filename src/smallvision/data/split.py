"""Stratified, seeded, disjoint splits, with the hashes that prove them.

Identical images ("twins") always fall on one side: a model validated on a copy of a training
image would be validated on what it memorised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smallvision.data.imageset import ImageSet
from smallvision.errors import DataError, RecordError
from smallvision.records.files import read_json, read_npz, write_json, write_npz
from smallvision.shapes import Images, Indices, Labels


def find_twins(images: Images) -> Labels:
    """Give identical images the same group id.

    Args:
        images: uint8 `(N, C, H, W)`.

    Returns: int64 `(N,)`, the index of the first image with the same pixels.
    """
    first: dict[bytes, int] = {}
    groups = (first.setdefault(hash_image(row), i) for i, row in enumerate(images))
    return np.fromiter(groups, dtype=np.int64, count=len(images))


def hash_image(image: Images) -> bytes:
    """A digest of one image's pixels."""
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()


def split_stratified(
    labels: Labels,
    *,
    fraction: float,
    seed: int,
    groups: Labels | None = None,
    at_least: int = 1,
    class_names: Sequence[str] = (),
) -> tuple[Indices, Indices]:
    """Pick a fraction of every class at random, keeping each group of twins together.

    A class gives `round(fraction * count)` images, at least `at_least`, and keeps one. Groups
    are visited in a random order and picked whole when every class in them still has room, so a
    set without twins gets exact numbers and one with twins may fall short by a few.

    Args:
        labels: int64 `(N,)`.
        fraction: share to pick, in (0, 1).
        seed: the same seed picks the same images.
        groups: int64 `(N,)` from `find_twins`, or None when no image has a twin.
        at_least: images of each class to pick; 2 where what is picked is split once more.
        class_names: K names for the messages; a class that no label names is then noticed too.

    Returns: `(rest, picked)`, sorted index arrays that together cover `0..N-1`.

    Raises:
        DataError: a class has too few images, or twins leave it nothing on one side.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    names = class_names or [str(k) for k in range(len(counts))]
    for label in np.flatnonzero(counts <= at_least):
        count = int(counts[label])
        have = {0: "no image", 1: "one image"}.get(count, f"{count} images")
        raise DataError(
            f"class '{names[int(label)]}' has {have}; this split needs at least {at_least + 1} "
            "of each class: add images or leave the class out"
        )
    room = np.clip(np.round(fraction * counts).astype(np.int64), at_least, counts - 1)

    order = np.random.default_rng(seed).permutation(len(labels))
    members: dict[int, list[int]] = {}
    for i in order:
        members.setdefault(int(i if groups is None else groups[i]), []).append(int(i))

    picked = []
    for group in members.values():
        need = np.bincount(labels[group], minlength=len(counts))
        if (need <= room).all():
            room -= need
            picked += group
    mask = np.zeros(len(labels), dtype=bool)
    mask[picked] = True
    for side, name in ((mask, "picked"), (~mask, "remaining")):
        empty = np.flatnonzero(np.bincount(labels[side], minlength=len(counts)) == 0)
        if len(empty):
            raise DataError(
                f"class '{names[empty[0]]}' would have no {name} image, because too many of its "
                "images are identical; remove the copies or the class"
            )
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def find_copies(images: Images, others: Images) -> npt.NDArray[np.bool_]:
    """Which of `images` also occur among `others`, bool `(N,)`."""
    known = {hash_image(row) for row in others}
    return np.fromiter((hash_image(row) in known for row in images), dtype=bool, count=len(images))


@dataclass(frozen=True, eq=False)
class Split:
    """Which training images are learned from and which are validated on.

    Attributes:
        train, val: sorted, disjoint int64 indices into the data set's training images (or, with
            `declared_val`, `val` indexes the validation set that the source itself declared).
        subset: share of the training images in use, or None for all.
        twins: number of images that have an identical copy.
        dropped: training images left out since the declared validation set holds a copy.
    """

    train: Indices
    val: Indices
    seed: int
    val_fraction: float
    subset: float | None
    twins: int
    data_fingerprint: str
    declared_val: bool = False
    dropped: int = 0

    def record(self, labels: Labels, val_labels: Labels, num_classes: int) -> dict[str, Any]:
        """The content of `split.json`: counts and hashes, not the indices."""
        dropped = {"dropped": self.dropped} if self.declared_val else {}
        return {
            "schema": 1,
            "seed": self.seed,
            "val_fraction": self.val_fraction,
            "subset": self.subset,
            "declared_val": self.declared_val,
            "train_n": len(self.train),
            "val_n": len(self.val),
            "counts": {
                "train": np.bincount(labels[self.train], minlength=num_classes).tolist(),
                "val": np.bincount(val_labels[self.val], minlength=num_classes).tolist(),
            },
            "train_hash": hash_indices(self.train),
            "val_hash": hash_indices(self.val),
            "data_fingerprint": self.data_fingerprint,
            "twins": self.twins,
            **dropped,
        }


def hash_indices(indices: Indices) -> str:
    """SHA-256 of an index array, as `sha256:…`."""
    return f"sha256:{hashlib.sha256(np.ascontiguousarray(indices, dtype='<i8').data).hexdigest()}"


def make_split(
    images: ImageSet,
    *,
    val: ImageSet | None = None,
    val_fraction: float = 0.2,
    subset: float | None = None,
    seed: int = 0,
) -> Split:
    """Split training images into train and val, the same way for the same seed.

    Args:
        images: the official training images.
        val: a validation set that the source declares; then all of `images` is train.
        val_fraction: share of each class to validate on; a fifth, as in the study of CIFAR-10.
        subset: use only this share of the images, stratified, before splitting.
        seed: governs both choices.

    Raises:
        DataError: a class is too small to be split, or has no training image that is not also
            among the declared validation images.
    """
    groups = find_twins(images.images)
    sizes = np.bincount(groups, minlength=len(images))
    names = images.class_names
    pool = np.arange(len(images))
    if subset is not None:
        _, pool = split_stratified(
            images.labels, fraction=subset, seed=seed, groups=groups, at_least=2, class_names=names
        )
    if val is None:
        rest, picked = split_stratified(
            images.labels[pool],
            fraction=val_fraction,
            seed=seed + 1,
            groups=groups[pool],
            class_names=names,
        )
        train_indices, val_indices = pool[rest], pool[picked]
    else:
        # Copies of declared validation images are not learned from.
        copied = find_copies(images.images, val.images)
        train_indices, val_indices = pool[~copied[pool]], np.arange(len(val))
        had, left = (
            np.bincount(images.labels[part], minlength=len(names)) for part in (pool, train_indices)
        )
        for label in np.flatnonzero((had > 0) & (left == 0)):
            raise DataError(
                f"class '{names[int(label)]}' has no training image that is not also among the "
                "validation images; remove the copies from one of the two"
            )
    return Split(
        train=train_indices,
        val=val_indices,
        seed=seed,
        val_fraction=val_fraction,
        subset=subset,
        twins=int(sizes[sizes > 1].sum()),
        data_fingerprint=images.fingerprint,
        declared_val=val is not None,
        dropped=len(pool) - len(train_indices) if val is not None else 0,
    )


def write_split(folder: Path, split: Split, record: dict[str, Any]) -> None:
    """Write `split.json` and `split.npz` into a run or study folder."""
    write_npz(folder / "split.npz", train=split.train, val=split.val)
    write_json(folder / "split.json", record)


def read_split(folder: Path) -> Split:
    """Read a split back and check it against its hashes.

    Raises:
        RecordError: a file is missing or the indices are not the ones that were written.
    """
    record = read_json(folder / "split.json")
    train, val = read_npz(folder / "split.npz", "train", "val")
    if (hash_indices(train), hash_indices(val)) != (record["train_hash"], record["val_hash"]):
        raise RecordError(
            f"{folder / 'split.npz'} does not match the hashes in split.json; "
            "restore the file or start the run anew"
        )
    return Split(
        train=train,
        val=val,
        seed=record["seed"],
        val_fraction=record["val_fraction"],
        subset=record["subset"],
        twins=record["twins"],
        data_fingerprint=record["data_fingerprint"],
        declared_val=record["declared_val"],
        dropped=record.get("dropped", 0),
    )
