"""The data sets that go by a name: what each one is, and who made it."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.data.sources.patterns import PATTERNS

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)

CIFAR100_CLASSES = tuple(
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
)


@dataclass(frozen=True)
class Source:
    """A data set known by name.

    Attributes:
        card: one sentence for people.
        url: where it comes from, or the paper that describes it.
        shape: `(C, H, W)` of one image.
        class_names: K names, in label order.
        mirror_safe: whether a left-right flip keeps the label.
        train_n, test_n: the official numbers of images, or None when they are chosen freely.
    """

    name: str
    card: str
    url: str
    num_classes: int
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    mirror_safe: bool
    train_n: int | None = None
    test_n: int | None = None


CATALOG: dict[str, Source] = {
    "digits": Source(
        name="digits",
        card="1,797 handwritten digits of 8x8 grey pixels, which come with scikit-learn.",
        url="https://archive.ics.uci.edu/dataset/80",
        num_classes=10,
        shape=(1, 8, 8),
        class_names=tuple("0123456789"),
        mirror_safe=False,
    ),
    "cifar10": Source(
        name="cifar10",
        card="60,000 color photographs of 32x32 pixels in 10 classes of animals and vehicles.",
        url="https://www.cs.toronto.edu/~kriz/cifar.html",
        num_classes=10,
        shape=(3, 32, 32),
        class_names=CIFAR10_CLASSES,
        mirror_safe=True,
        train_n=50_000,
        test_n=10_000,
    ),
    "cifar100": Source(
        name="cifar100",
        card="60,000 color photographs of 32x32 pixels in 100 classes, 500 to learn each from.",
        url="https://www.cs.toronto.edu/~kriz/cifar.html",
        num_classes=100,
        shape=(3, 32, 32),
        class_names=CIFAR100_CLASSES,
        mirror_safe=True,
        train_n=50_000,
        test_n=10_000,
    ),
    "synthetic": Source(
        name="synthetic",
        card="Drawn from a seed: ten kinds of pattern in color, as many and as hard as asked for.",
        url="smallvision.data.sources.synthetic",
        num_classes=10,
        shape=(3, 32, 32),
        class_names=tuple(PATTERNS),
        mirror_safe=True,
    ),
}
