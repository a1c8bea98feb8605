"""The official packagings of CIFAR: what their files are called and what they sum to.

Source: https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Edition:
    """One official packaging of CIFAR.

    Attributes:
        name: the data set, as in the catalog.
        kind: "python" (pickled batches) or "binary".
        archive, md5: the packed file, for the download.
        folder: the folder inside it.
        train, test: batches in official order.
        names_file: where the class names are.
        md5s: official checksums of single batches; published for python editions only.
        label_bytes: bytes before the pixels of a binary row; the last is the (fine) label.
        names_key, labels_key: where a python edition keeps class names and (fine) labels.
    """

    name: str
    kind: str
    archive: str
    md5: str
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    names_file: str
    md5s: tuple[str, ...] = ()
    label_bytes: int = 0
    names_key: str = "label_names"
    labels_key: str = "labels"

    def is_official(self, batch: str, content: bytes) -> bool:
        """Whether a batch has its published checksum, or has none to compare with."""
        known = dict(zip((*self.train, *self.test), self.md5s, strict=False))
        if batch not in known:
            return True
        return hashlib.md5(content, usedforsecurity=False).hexdigest() == known[batch]


EDITIONS = (
    Edition(
        name="cifar10",
        kind="python",
        archive="cifar-10-python.tar.gz",
        md5="c58f30108f718f92721af3b95e74349a",
        folder="cifar-10-batches-py",
        train=tuple(f"data_batch_{i}" for i in range(1, 6)),
        test=("test_batch",),
        names_file="batches.meta",
        md5s=(
            "c99cafc152244af753f735de768cd75f",
            "d4bba439e000b95fd0a9bffe97cbabec",
            "54ebc095f3ab1f0389bbae665268c751",
            "634d18415352ddfa80567beed471001a",
            "482c414d41f54cd18b22e5b47cb7c3cb",
            "40351d587109b95175f43aff81a1287e",
        ),
    ),
    Edition(
        name="cifar100",
        kind="python",
        archive="cifar-100-python.tar.gz",
        md5="eb9058c3a382ffc7106e4002c42a8d85",
        folder="cifar-100-python",
        train=("train",),
        test=("test",),
        names_file="meta",
        md5s=("16019d7e3df5f24257cddd939b257f8d", "f0ef6b0ae62326f3e7ffdfab6717acfc"),
        names_key="fine_label_names",
        labels_key="fine_labels",
    ),
    Edition(
        name="cifar10",
        kind="binary",
        archive="cifar-10-binary.tar.gz",
        md5="c32a1d4ab5d03f1284b67883e8d87530",
        folder="cifar-10-batches-bin",
        train=tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        test=("test_batch.bin",),
        names_file="batches.meta.txt",
        label_bytes=1,
    ),
    Edition(
        name="cifar100",
        kind="binary",
        archive="cifar-100-binary.tar.gz",
        md5="03b5dce01913d631647c71ecec9e9cb8",
        folder="cifar-100-binary",
        train=("train.bin",),
        test=("test.bin",),
        names_file="fine_label_names.txt",
        label_bytes=2,
    ),
)
