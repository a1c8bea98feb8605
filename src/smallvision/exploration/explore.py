"""A look at images before any model sees them: what they are, and what follows from it."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from smallvision.augment import AUGMENTATIONS, Augmentation, build_normalizer
from smallvision.data.contact_sheet import Picture, encode_png, tile
from smallvision.data.imageset import ImageSet
from smallvision.data.split import group_duplicates
from smallvision.randomness import derive_seed
from smallvision.records.files import make_folder, write_bytes, write_json
from smallvision.shapes import Images
from smallvision.stats.channels import count_levels, mean_and_std
from smallvision.stats.intervals import wilson_interval

Preview = tuple[str, str, Augmentation]  # name, sentence, function

SHEET, COLUMNS, STRIP = 96, 12, 10  # images of a sheet, its columns, images of a strip
DRAWN_CLASSES = 100  # more would make a page of hundreds of strips
BINS = 64  # of the drawn pixel distribution; counted from all 256 levels


@dataclass(frozen=True, eq=False)
class Exploration:
    """Figures and pictures of an image set; shows itself in a notebook.

    Attributes:
        record: the content of `exploration.json`.
        pictures: file name -> RGBA picture `(height, width, 4)`.
    """

    record: dict[str, Any]
    pictures: dict[str, Picture]

    def __repr__(self) -> str:
        return "\n".join([f"{self.record['n']:,} images", *self.record["implications"]])

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(line)}</li>" for line in self.record["implications"])
        png = base64.b64encode(encode_png(self.pictures["random.png"])).decode()
        style = "image-rendering:pixelated;width:100%;max-width:50em"
        return (
            f"<p>{self.record['n']:,} images</p><ul>{said}</ul>"
            f'<img alt="Random images" style="{style}" src="data:image/png;base64,{png}">'
        )

    def write(self, folder: Path) -> None:
        """Write `exploration.json` and the pictures.

        Raises:
            RecordError: the folder cannot be written.
        """
        make_folder(folder)
        for name, picture in self.pictures.items():
            write_bytes(folder / name, encode_png(picture))
        write_json(folder / "exploration.json", self.record)


def explore_images(
    images: ImageSet,
    *,
    mirror_safe: bool = True,
    previews: Sequence[Preview] | None = None,
    num_val: int | None = None,
    seed: int = 0,
) -> Exploration:
    """Look at images: samples, classes, balance, channels, pixels, averages, augmentations.

    Args:
        images: what to look at; the training split, if models are to be judged later.
        mirror_safe: whether a flip keeps the label, for what the look implies.
        previews: augmentations to show; None shows the whole catalogue.
        num_val: validation images, to say how finely accuracy can be told; None says nothing.
        seed: which images are shown.
    """
    counts = count_levels(images.images)
    mean, std = mean_and_std(counts)
    sizes = np.bincount(group_duplicates(images.images))
    twins = {"groups": int((sizes > 1).sum()), "images": int(sizes[sizes > 1].sum())}
    if previews is None:
        previews = [
            (name, entry.card.sentence, entry.apply) for name, entry in AUGMENTATIONS.items()
        ]
    names, pictures = draw_pictures(images, mean, std, previews, seed)
    present = images.counts[images.counts > 0]
    record = {
        "schema": 1,
        "n": len(images),
        "shape": list(images.shape),
        "class_names": list(images.class_names),
        "counts": images.counts.tolist(),
        "imbalance": float(present.max() / present.min()),
        "channels": describe_channels(counts, mean, std),
        "duplicates": twins,
        "implications": [],
        "pictures": names,
    }
    record["implications"] = say_implications(record, mirror_safe=mirror_safe, num_val=num_val)
    return Exploration(record, pictures)


def describe_channels(
    counts: npt.NDArray[np.int64], mean: Sequence[float], std: Sequence[float]
) -> list[dict[str, Any]]:
    """Name, mean, deviation and distribution of each channel."""
    names = ["grey"] if len(counts) == 1 else ["red", "green", "blue"]
    shares = counts / counts.sum(axis=1, keepdims=True)
    histograms = shares.reshape(len(counts), BINS, -1).sum(axis=2)
    return [
        {"name": name, "mean": m, "std": s, "histogram": histogram.tolist()}
        for name, m, s, histogram in zip(names, mean, std, histograms, strict=True)
    ]


def say_implications(
    record: dict[str, Any], *, mirror_safe: bool, num_val: int | None
) -> list[str]:
    """What the look implies for the models and metrics, one sentence each."""
    C, H, W = record["shape"]
    ratio, K = record["imbalance"], len(record["class_names"])
    said = []
    absent = [
        name
        for name, count in zip(record["class_names"], record["counts"], strict=True)
        if not count
    ]
    if absent:
        said.append(f"No training image is of class {', '.join(absent)}: no model can know it.")
    elif ratio <= 1.5:
        said.append(f"The classes are balanced ({ratio:.2f} to 1), so accuracy is a fair metric.")
    else:
        said.append(
            f"The largest class has {ratio:.1f} times the images of the smallest: read the figures "
            "of each class beside accuracy, which the large classes dominate."
        )
    said.append(
        f"At {H}x{W} pixels the whole image fits a few 3x3 convolutions: no large receptive field "
        "and no more than three halvings are needed."
    )
    if C == 1:
        said.append("The images are grey, so one channel carries everything.")
    else:
        means = ", ".join(f"{c['name']} {c['mean']:.3f}" for c in record["channels"])
        said.append(
            f"The channels differ in mean ({means}), so each is normalised on its own, with "
            "figures of the training split alone."
        )
    said.append(f"There are about {record['n'] // K:,} training images a class.")
    if mirror_safe:
        said.append(
            "A mirrored image is taken to keep its class, so models learn from flips; where it "
            "does not, as with letters, say --no-mirror."
        )
    else:
        said.append("A mirrored image may change its class, so flips are left out.")
    if record["duplicates"]["images"]:
        said.append(
            f"{record['duplicates']['images']:,} training images have an identical copy; copies "
            "never fall on both sides of the split into training and validation."
        )
    if num_val:
        low, high = wilson_interval(round(0.9 * num_val), num_val)
        said.append(
            f"With {num_val:,} validation images an accuracy of 90 % is known to about "
            f"±{(high - low) * 50:.1f} points."
        )
    return said


def draw_pictures(
    images: ImageSet,
    mean: Sequence[float],
    std: Sequence[float],
    previews: Sequence[Preview],
    seed: int,
) -> tuple[dict[str, Any], dict[str, Picture]]:
    """All pictures of an exploration: their names as the record lists them, and their pixels."""
    rng = np.random.default_rng(derive_seed(seed, "explore"))
    pictures: dict[str, Picture] = {}
    names: dict[str, Any] = {"random": "random.png", "classes": [], "averages": []}
    picks = rng.choice(len(images), min(SHEET, len(images)), replace=False)
    pictures["random.png"] = tile(images.images[np.sort(picks)], COLUMNS)
    for k in range(min(DRAWN_CLASSES, images.num_classes)):
        members = np.flatnonzero(images.labels == k)
        shown = rng.permutation(members)[:STRIP]
        for kind, pixels in (
            ("class", images.images[shown]),
            ("average", average(images.images, members)),
        ):
            name = f"{kind}-{k:03d}.png"
            pictures[name] = tile(pixels, STRIP)
            names["classes" if kind == "class" else "averages"].append(name)

    sample = images.images[np.sort(rng.choice(len(images), min(STRIP, len(images)), replace=False))]
    pictures["normalization-before.png"] = tile(sample, STRIP)
    pictures["normalization-after.png"] = tile(show_normalized(sample, mean, std), STRIP)
    names["normalization"] = {
        "before": "normalization-before.png",
        "after": "normalization-after.png",
    }
    names["augmentations"] = []
    for name, sentence, augment in previews:
        file = f"augment-{name}.png"
        pictures[file] = tile(preview_augmentation(sample, augment, seed), STRIP)
        names["augmentations"].append({"name": name, "sentence": sentence, "file": file})
    return names, pictures


def average(images: Images, members: npt.NDArray[np.int64]) -> Images:
    """The mean image of a class, uint8 `(1, C, H, W)`; no image at all gives grey."""
    if not len(members):
        return np.full((1, *images.shape[1:]), 128, dtype=np.uint8)
    mean = images[members].mean(axis=0, keepdims=True)
    return np.asarray(np.rint(mean), dtype=np.uint8)


def show_normalized(images: Images, mean: Sequence[float], std: Sequence[float]) -> Images:
    """Normalised images made visible: from -2 to +2 deviations onto black to white."""
    values = build_normalizer(mean, std)(torch.from_numpy(np.array(images))).numpy()
    visible = (values.clip(-2, 2) + 2) / 4 * 255
    return np.asarray(np.rint(visible), dtype=np.uint8)


def preview_augmentation(images: Images, augment: Augmentation, seed: int) -> Images:
    """The first of some images `(N, C, H, W)`, followed by variations of it.

    Each variation is made in a batch of two, with another image to mix with where the
    augmentation mixes.
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "preview"))
    strip = [images[0]]
    for i in range(STRIP - 1):
        pair = torch.from_numpy(images[[0, (i + 1) % len(images)]])
        varied, _ = augment(pair, torch.zeros(2, 1), generator)
        strip.append(varied[0].numpy())
    return np.stack(strip)
