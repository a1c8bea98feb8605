"""The official archives of CIFAR: names of files, checksums and classes.

Source: https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class CifarArchive:
    """One official archive of CIFAR.

    Attributes:
        name: the data set, `cifar10` or `cifar100`.
        kind: "python" (pickled batches) or "binary".
        file_name, md5: of the packed file, for the download.
        folder: the folder inside it.
        train, test: names of the batches in official order.
        names_file: the file with the class names.
        md5s: official checksums of the batches; published for python archives only.
        label_bytes: bytes before the pixels of a binary row; the last of them is the (fine) label.
        names_key, labels_key: where a python archive keeps class names and (fine) labels.
    """

    name: str
    kind: str
    file_name: str
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


CIFAR_ARCHIVES = (
    CifarArchive(
        name="cifar10",
        kind="python",
        file_name="cifar-10-python.tar.gz",
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
    CifarArchive(
        name="cifar100",
        kind="python",
        file_name="cifar-100-python.tar.gz",
        md5="eb9058c3a382ffc7106e4002c42a8d85",
        folder="cifar-100-python",
        train=("train",),
        test=("test",),
        names_file="meta",
        md5s=("16019d7e3df5f24257cddd939b257f8d", "f0ef6b0ae62326f3e7ffdfab6717acfc"),
        names_key="fine_label_names",
        labels_key="fine_labels",
    ),
    CifarArchive(
        name="cifar10",
        kind="binary",
        file_name="cifar-10-binary.tar.gz",
        md5="c32a1d4ab5d03f1284b67883e8d87530",
        folder="cifar-10-batches-bin",
        train=tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        test=("test_batch.bin",),
        names_file="batches.meta.txt",
        label_bytes=1,
    ),
    CifarArchive(
        name="cifar100",
        kind="binary",
        file_name="cifar-100-binary.tar.gz",
        md5="03b5dce01913d631647c71ecec9e9cb8",
        folder="cifar-100-binary",
        train=("train.bin",),
        test=("test.bin",),
        names_file="fine_label_names.txt",
        label_bytes=2,
    ),
)

CIFAR_SHAPE = (3, 32, 32)  # of an image, in all of them

CIFAR_CLASSES: dict[str, tuple[str, ...]] = {
    "cifar10": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
    "cifar100": tuple(
        """
        apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
        bowl boy bridge bus butterfly camel can castle caterpillar cattle
        chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
        dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
        lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
        mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
        plain plate poppy porcupine possum rabbit raccoon ray road rocket
        rose sea seal shark shrew skunk skyscraper snail snake spider
        squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
        train trout tulip turtle wardrobe whale willow_tree wolf woman worm
        """.split()  # noqa: SIM905 - a hundred quoted words would be harder to read
    ),
}
