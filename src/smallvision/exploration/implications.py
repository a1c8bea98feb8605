"""What the figures of an image set imply for models, metrics and training, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from smallvision.data.decoding.resize import OriginalSizes
from smallvision.data.imageset import ImageSet
from smallvision.format import format_percent, format_points, format_span, join_words
from smallvision.records.schema import (
    AlikePairs,
    AverageClassifier,
    AverageRecall,
    ChannelStatistics,
    ExtremeImages,
    ImageMap,
)
from smallvision.records.schema.measures import UNEVEN
from smallvision.shapes import LARGE, Shape
from smallvision.stats.intervals import wilson_interval

MOST_NAMED = 8  # classes in a sentence
BALANCED = 1.5  # images of the largest class, divided by those of the smallest
# Shares of images whose nearest neighbour by pixels is of their class.
ALIKE_ENOUGH, HARDLY_ALIKE = 0.9, 0.5


def describe_averages(averages: AverageClassifier, class_names: Sequence[str]) -> str:
    """Which classes their averages tell, and which they do not."""
    present = [
        (one, name) for one, name in zip(averages.classes, class_names, strict=True) if one.n
    ]
    n = sum(one.n for one, _ in present)
    said = (
        "A classifier that knows only the average image of each class is right for "
        f"{format_percent(averages.balanced_accuracy, n)} of the images, averaged over the classes "
        f"(guessing: {format_percent(averages.guess, n)})"
    )
    ranked = sorted(present, key=lambda found: found[0].others - found[0].recall)
    told = [found for found in ranked if averages.tells(found[0])]
    lost = [name for one, name in ranked if not averages.tells(one)]
    sentences = [f"{said}."]
    if told:
        sentences.append(f"Best told by its average is {describe_recall(*told[0], class_names)}.")
    if len(told) > 1 and not lost:
        least = describe_recall(*told[-1], class_names)
        sentences.append(f"Least is {least}.")
    if lost:
        names = lost if len(lost) <= MOST_NAMED else [*lost[:MOST_NAMED], "others"]
        sentences.append(
            f"Not recognisable by an average: {join_words(names)}, of whose images it finds no "
            "more than guessing, beyond chance, or draws no more than of the others."
        )
    return " ".join(sentences)


def describe_recall(one: AverageRecall, name: str, class_names: Sequence[str]) -> str:
    """A class, and what share of its own and of other images its average draws."""
    words = (
        f"{name}: {format_percent(one.recall, one.n)} of its images are nearest to it, and "
        f"{format_percent(one.others, one.n)} of the others"
    )
    if one.taken_for is None:
        return words
    return f"{words}; most of the rest are nearest to that of {class_names[one.taken_for]}"


def describe_original(sizes: OriginalSizes, shape: Shape) -> str:
    """Which sizes the pictures had."""
    smallest, middle, largest = (
        f"{size[0]:,} × {size[1]:,}" for size in (sizes.smallest, sizes.middle, sizes.largest)
    )
    if sizes.distinct == 1:
        return f"All pictures have {middle} pixels."
    return (
        f"The pictures had {sizes.distinct:,} sizes, from {smallest} to {largest} pixels, "
        f"{middle} in the middle; the images have {shape[2]} × {shape[1]}."
    )


def describe_balance(images: ImageSet, imbalance: float) -> str:
    """Whether accuracy is a fair metric."""
    absent = [
        name for name, count in zip(images.class_names, images.counts, strict=True) if not count
    ]
    if absent:
        return f"No training image is of class {', '.join(absent)}, so no model can learn it."
    if imbalance <= BALANCED:
        return f"The classes are balanced ({imbalance:.2f} to 1), so accuracy is a fair metric."
    times = f"The largest class has {imbalance:.1f} times the images of the smallest"
    if imbalance <= UNEVEN:
        return (
            f"{times}: read the figures of each class beside accuracy, which the large classes "
            "dominate."
        )
    return (
        f"{times}, so large classes decide the accuracy: read balanced accuracy and macro F1, "
        "choose by one of them with --metric, and try --set class_weights=balanced or --set "
        "sampling=balanced, with which small classes count more."
    )


def describe_size(shape: Sequence[int]) -> str:
    """What the size of the images means for convolutions."""
    _, H, W = shape
    if max(H, W) > LARGE:
        return (
            f"{W} × {H} pixels are many for 3 × 3 convolutions, so the first one of each network "
            "halves the image, and fine detail may be lost; the time goes with the pixels."
        )
    return (
        f"At {W} × {H} pixels a few 3 × 3 convolutions and at most three halvings see the whole "
        "image, so no larger kernels are needed."
    )


def describe_channels(channels: Sequence[ChannelStatistics]) -> str:
    """What the channels mean for normalisation."""
    if len(channels) == 1:
        return "The images are grey, so they have one channel."
    means = ", ".join(f"{channel.name} {channel.mean:.3f}" for channel in channels)
    return (
        f"The channels differ in mean ({means}), so each is normalised by its own mean and "
        "deviation over the training split."
    )


def describe_mirror(mirror_safe: bool) -> str:
    """Whether models are trained on mirror images."""
    if not mirror_safe:
        return "A mirrored image may change its class, so flips are left out."
    return (
        "A mirrored image is taken to keep its class, so augmentation may flip images; if it does "
        "not, say --no-mirror: classes that are each other's mirror images cannot be told apart "
        "otherwise."
    )


def describe_duplicates(count: int) -> str:
    """What duplicates mean for the split."""
    return (
        f"{count:,} training images have an identical copy; copies never fall on both sides of the "
        "split into training and validation."
    )


def describe_number(images: ImageSet) -> str:
    """How many images there are to learn a class from."""
    about = f"There are about {len(images) // images.num_classes:,} training images a class"
    least = int(images.counts.min())
    if least >= len(images) / images.num_classes / BALANCED:
        return f"{about}."
    name = images.class_names[int(images.counts.argmin())]
    return f"{about}, and {least:,} of {name}, the smallest."


def describe_resolution(num_val: int, num_classes: int) -> str:
    """How precisely validation images measure an accuracy, and the recall of a class."""
    per_class = max(1, num_val // num_classes)
    return (
        f"With {num_val:,} validation images an accuracy of 90 % is known to about "
        f"±{measure_half_width(num_val)}, and the recall of a class, from about {per_class:,} of "
        f"them, to about ±{measure_half_width(per_class)}."
    )


def measure_half_width(n: int) -> str:
    """Half the width of the interval of a rate of 90 % among n images, in points."""
    low, high = wilson_interval(round(0.9 * n), n)
    return format_points((high - low) / 2, signed=False)


def describe_conflicts(pairs: AlikePairs) -> str:
    """What identical images of several classes mean."""
    groups = "group" if pairs.conflicts == 1 else "groups"
    return (
        f"{pairs.conflicts:,} {groups} of identical images have more than one class, so at least "
        "one label of each is wrong: correct it or leave the images out."
    )


def describe_near(pairs: AlikePairs, *, kept_together: bool) -> str:
    """How many images have near-duplicates, and what becomes of these in a split."""
    share = format_percent(pairs.found / pairs.searched, pairs.searched)
    if pairs.interval:
        share = f"About {share} of the images ({format_span(pairs.interval, pairs.searched)})"
        share += f", judged by {pairs.searched:,} of them,"
    else:
        share = f"{pairs.found:,} images ({share})"
    said = f"{share} look much like another without being identical"
    if kept_together:
        return f"{said}; those of one class stay on one side of each split."
    return (
        f"{said}. In so large a set they may lie on both sides of the split into training and "
        "validation, and raise the validation accuracy; --group-by keeps together what you name."
    )


def describe_extremes(extremes: Sequence[ExtremeImages]) -> str:
    """How many images are far darker, brighter, blurrier or sharper than most."""
    found = [f"{one.beyond:,} among the {one.words}" for one in extremes if one.beyond]
    if not found:
        return "No image is far darker, brighter, blurrier or sharper than most."
    return (
        f"Far from most images in brightness or sharpness are {join_words(found)}: look whether "
        "they show what their class says, for a broken picture teaches nothing."
    )


def describe_map(found: ImageMap) -> str:
    """What the pixels alone say about the classes."""
    n = len(found.images)
    said = (
        f"Among {n:,} images, the one with the most similar pixels is of the same class for "
        f"{format_percent(found.same_class, n)} (by chance {format_percent(found.chance, n)})"
    )
    if found.same_class >= ALIKE_ENOUGH:
        return f"{said}, so simple models may be enough: compare with the rungs linear and mlp."
    if found.same_class < HARDLY_ALIKE:
        return f"{said}, so a model has to find features that pixels do not show: use convolutions."
    return f"{said}."
