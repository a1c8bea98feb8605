"""Stratified, seeded, disjoint splits into training and validation images.

Identical images always fall on one side: a model that is validated on a copy of a training image
is validated on an image it has memorised. `data/related.py` says what else does.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.related import Related, find_copies, group_duplicates
from smallvision.data.sources.source import record_left_out
from smallvision.errors import DataError, RecordError
from smallvision.records import store
from smallvision.records.files import read_npz, write_npz
from smallvision.records.layout import SPLIT
from smallvision.records.schema import SplitCounts, SplitRecord
from smallvision.shapes import Indices, Labels


def split_stratified(
    labels: Labels,
    *,
    fraction: float,
    seed: int,
    groups: Labels | None = None,
    at_least: int = 1,
    class_names: Sequence[str] = (),
) -> tuple[Indices, Indices]:
    """Pick a fraction of every class at random, and keep groups of images together.

    Of each class `round(fraction * count)` images are picked, at least `at_least`, and one is left.
    Groups are visited in a random order and picked whole when every class in them still has room.
    Without groups the numbers are exact; with groups a class may fall short by a few, or exceed
    its number where all its groups are larger.

    Args:
        labels: int64 `(N,)`.
        fraction: share to pick, in (0, 1).
        seed: the same seed picks the same images.
        groups: int64 `(N,)`, one number for images that stay together, or None where none do.
        at_least: images of each class to pick; 2 where the picked images are split again.
        class_names: K names for the messages; a class without any label is then an error too.

    Returns: `(rest, picked)`, sorted index arrays that together cover `0..N-1`.

    Raises:
        DataError: a class has too few images, or its groups leave nothing on one side.
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
    alone, members = _list_groups(order, groups)
    queues = _Queues.of(order, labels, alone, room)
    mask = np.zeros(len(labels), dtype=bool)
    for place, group in members:
        need = Counter(labels[group].tolist())
        for label in need:
            queues.pick_until(label, place)
        if all(count <= queues.free[label] for label, count in need.items()):
            for label, count in need.items():
                queues.free[label] -= count
            mask[group] = True
    mask[queues.finish()] = True
    mask[_pick_large_groups(labels, [group for _, group in members], np.flatnonzero(mask))] = True
    for side in (mask, ~mask):
        empty = np.flatnonzero(np.bincount(labels[side], minlength=len(counts)) == 0)
        if len(empty):
            raise DataError(
                f"class '{names[empty[0]]}' cannot be divided, because too many of its images are "
                "identical or of one group; remove copies, or the class, or choose smaller groups"
            )
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def _list_groups(
    order: Indices, groups: Labels | None
) -> tuple[npt.NDArray[np.bool_], list[tuple[int, Indices]]]:
    """Tell the images that are in no group from the groups of two or more.

    Returns: which places of `order` hold an image that is alone, and each other group with the
        first of its places in `order`, in the order of these; its images are in this order too.
    """
    n = len(order)
    if groups is None:
        return np.ones(n, dtype=bool), []
    numbers = groups[order]
    by_group = np.argsort(numbers, kind="stable")
    ordered = numbers[by_group]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.concatenate([starts, [n]]))
    alone = np.zeros(n, dtype=bool)
    alone[by_group[starts[sizes == 1]]] = True
    starts, sizes = starts[sizes > 1], sizes[sizes > 1]
    sequence = np.argsort(by_group[starts])
    places = [
        by_group[start : start + size]
        for start, size in zip(starts[sequence].tolist(), sizes[sequence].tolist(), strict=True)
    ]
    return alone, [(int(each[0]), order[each]) for each in places]


@dataclass(eq=False)
class _Queues:
    """The images that are in no group, in their order, a queue for each class.

    As long as a class has room, the next in its queue is picked. Only groups take room from several
    classes, so the queues are gone through where a group is visited, and at the end.

    Attributes:
        images: those of each class.
        places: where they stand in the order of all.
        free: room that each class has left.
        passed: how many of each queue have been visited.
        picked: stretches of the queues.
    """

    images: list[Indices]
    places: list[Indices]
    free: list[int]
    passed: list[int]
    picked: list[Indices]

    @classmethod
    def of(
        cls, order: Indices, labels: Labels, alone: npt.NDArray[np.bool_], room: Labels
    ) -> _Queues:
        """The queues of all classes."""
        places = np.flatnonzero(alone)
        classes = labels[order[places]]
        by_class = places[np.argsort(classes, kind="stable")]
        ends = np.cumsum(np.bincount(classes, minlength=len(room)))[:-1]
        each = np.split(by_class, ends)
        return cls([order[one] for one in each], each, room.tolist(), [0] * len(room), [])

    def pick_until(self, label: int, place: int) -> None:
        """Visit the images of a class that stand before a place."""
        reached = int(np.searchsorted(self.places[label], place))
        first = self.passed[label]
        count = min(reached - first, self.free[label])
        if count > 0:
            self.picked.append(self.images[label][first : first + count])
            self.free[label] -= count
        self.passed[label] = reached

    def finish(self) -> Indices:
        """Visit all that are left; returns those that were picked."""
        for label, places in enumerate(self.places):
            self.pick_until(label, int(places[-1]) + 1 if len(places) else 0)
        return np.concatenate([*self.picked, np.zeros(0, dtype=np.int64)])


def _pick_large_groups(labels: Labels, members: Sequence[Indices], picked: Indices) -> list[int]:
    """The smallest group of each class without a picked image, where enough is left beside it.

    So a class with few groups, such as the photographs of three persons, can be split too.
    """
    counts = np.bincount(labels)
    left = counts - np.bincount(labels[picked], minlength=len(counts))
    more: list[int] = []
    for label in np.flatnonzero((left == counts) & (counts > 0)):
        if left[label] < counts[label]:  # picked with another class
            continue
        for group in sorted((one for one in members if label in labels[one]), key=len):
            need = np.bincount(labels[group], minlength=len(counts))
            if (need < left)[need > 0].all():
                left -= need
                more += group.tolist()
                break
    return more


@dataclass(frozen=True, eq=False)
class Split:
    """Which images are trained on and which are validated on.

    Attributes:
        train: sorted int64 indices into the data set's training images.
        val: sorted int64 indices, disjoint from `train`, into the same images; with
            `declared_val`, indices into the validation set that the source declares.
        seed: of the random choice.
        val_fraction: share of each class that is validated on.
        subset: share of the training images in use, or None for all.
        duplicates: number of images that have an identical copy.
        data_fingerprint: of the data set's training images.
        declared_val: whether the source declares the validation set.
        dropped: training images left out because the declared validation set holds a copy.
        groups: number of groups that the user asked for, each on one side; None without any.
        alike: training images that look much like another and lie on its side; None where nobody
            searched for these.
    """

    train: Indices
    val: Indices
    seed: int
    val_fraction: float
    subset: float | None
    duplicates: int
    data_fingerprint: str
    declared_val: bool = False
    dropped: int = 0
    groups: int | None = None
    alike: int | None = None


def make_split(
    images: ImageSet,
    *,
    val: ImageSet | None = None,
    val_fraction: float = 0.2,
    subset: float | None = None,
    seed: int = 0,
    related: Related | None = None,
) -> Split:
    """Split training images into train and val, the same way for the same seed.

    Args:
        images: the official training images.
        val: a validation set that the source declares; then all of `images` is train.
        val_fraction: share of each class to validate on; a fifth, as in the study of CIFAR-10.
        subset: use only this share of the images, stratified, before splitting.
        seed: determines both choices.
        related: which images stay together; by default identical ones.

    Raises:
        DataError: a class is too small to be split, or all its training images are also among
            the declared validation images.
    """
    groups = group_duplicates(images.images) if related is None else related.numbers
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
        # Copies of declared validation images are not trained on.
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
        duplicates=int(sizes[sizes > 1].sum()) if related is None else related.duplicates,
        data_fingerprint=images.fingerprint,
        declared_val=val is not None,
        dropped=len(pool) - len(train_indices) if val is not None else 0,
        groups=related.groups if related else None,
        alike=related.alike if related else None,
    )


def find_val(dataset: DataSet, split: Split) -> ImageSet:
    """The images that `split.val` indexes: the declared validation set, or the training images."""
    return dataset.val if split.declared_val and dataset.val is not None else dataset.train


def describe_split(dataset: DataSet, split: Split) -> SplitRecord:
    """The record of a split of a data set: counts and hashes."""
    images, val = dataset.train, find_val(dataset, split)
    return SplitRecord(
        seed=split.seed,
        val_fraction=split.val_fraction,
        subset=split.subset,
        declared_val=split.declared_val,
        train_n=len(split.train),
        val_n=len(split.val),
        counts=SplitCounts(
            train=count_labels(images, split.train), val=count_labels(val, split.val)
        ),
        train_hash=hash_indices(split.train),
        val_hash=hash_indices(split.val),
        data_fingerprint=split.data_fingerprint,
        val_fingerprint=val.fingerprint if split.declared_val else None,
        test_fingerprint=dataset.test.fingerprint,
        duplicates=split.duplicates,
        dropped=split.dropped,
        left_out=record_left_out(dataset.left_out),
        groups=split.groups,
        alike=split.alike,
    )


def count_labels(images: ImageSet, indices: Indices) -> tuple[int, ...]:
    """Images of each class among those at some indices."""
    return tuple(np.bincount(images.labels[indices], minlength=images.num_classes).tolist())


def hash_indices(indices: Indices) -> str:
    """SHA-256 of an index array, as `sha256:…`."""
    return f"sha256:{hashlib.sha256(np.ascontiguousarray(indices, dtype='<i8').data).hexdigest()}"


def write_split(folder: Path, dataset: DataSet, split: Split) -> None:
    """Write `split.json` and `split.npz` into a run or study folder."""
    write_npz(folder / "split.npz", train=split.train, val=split.val)
    store.write(folder / SPLIT, describe_split(dataset, split))


def read_split_record(folder: Path) -> SplitRecord:
    """Read `split.json`.

    Raises:
        RecordError: it is missing or damaged.
    """
    return store.read(folder / SPLIT, SplitRecord)


def read_split(folder: Path) -> Split:
    """Read a split back and check its indices against their hashes.

    Raises:
        RecordError: a file is missing or damaged, or the indices have other hashes.
    """
    record = read_split_record(folder)
    train, val = read_npz(folder / "split.npz", "train", "val")
    if (hash_indices(train), hash_indices(val)) != (record.train_hash, record.val_hash):
        raise RecordError(
            f"{folder / 'split.npz'} does not match the hashes in split.json; "
            "restore the file or start the run anew"
        )
    return Split(
        train=train,
        val=val,
        seed=record.seed,
        val_fraction=record.val_fraction,
        subset=record.subset,
        duplicates=record.duplicates,
        data_fingerprint=record.data_fingerprint,
        declared_val=record.declared_val,
        dropped=record.dropped,
        groups=record.groups,
        alike=record.alike,
    )
