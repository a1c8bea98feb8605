"""Where a run starts: a model whose weights it begins with, and what that model has seen before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smallvision.data.dataset import DataSet
from smallvision.data.loading.load import load_data
from smallvision.data.loading.places import find_places
from smallvision.data.near_duplicates import find_near_duplicates
from smallvision.data.photographs import look_like_photographs
from smallvision.data.split import read_split_record
from smallvision.predict import SavedModel, check_start
from smallvision.recipes import Recipe, Start, override
from smallvision.records.layout import SPLIT
from smallvision.records.model_folders import fingerprint_model, list_pretrained
from smallvision.records.nofollow import exists
from smallvision.runs.classify import find_classifier
from smallvision.runs.results import Run
from smallvision.shapes import Shape

LOOKED_AT = 2_000  # images that are compared with those of the start, which takes seconds
FEW = 20_000  # training images, from which on a network learns as much without a start


def find_start(model: Run | str | Path) -> SavedModel:
    """The model to begin with.

    Args:
        model: as for `classify`: a finished run, a study, the folder of a saved model, or the name
            of an included one.

    Raises:
        RecordError: there is no finished model, or it is damaged.
    """
    return find_classifier(model.folder if isinstance(model, Run) else Path(model))


def begin_with(
    start: SavedModel, recipe: Recipe, shape: Shape, settings: Sequence[str] = ()
) -> Recipe:
    """The recipe with the network and the weights of a start, `-transfer` added to its name.

    Args:
        start: the model to begin with.
        recipe: of a network of the same family.
        shape: `(C, H, W)` of the images to train on.
        settings: `key=value` overrides of the result.

    Raises:
        SettingError: the start is an ensemble, of another family than the recipe's network, or for
            images of another kind.
    """
    name = recipe.name if recipe.start.model else f"{recipe.name}-transfer"
    begun = override(name_start(start).begin(recipe), [f"name={name}", *settings])
    check_start(start, begun.model, shape)
    return begun


def name_start(start: SavedModel) -> Start:
    """What a recipe says of a start."""
    return Start(start.settings, start.fingerprint)


def list_places(start: SavedModel | None) -> tuple[Path, ...]:
    """The folder that runs copy a start from, if there is one."""
    return () if start is None or start.folder is None else (start.folder,)


def compare_images(start: SavedModel, dataset: DataSet) -> str:
    """Say whether images look like those that a start was trained on, which flatters a model.

    Near-duplicates are counted among the official training images of the data set of an included
    model, where these lie on this machine; nothing is downloaded. The test images stay sealed.

    Args:
        start: the model to begin with.
        dataset: whose training and validation images are looked at, 2,000 of each at most.
    """
    unknown = "It was not checked whether the start has seen such images before"
    name = next((place.name for place in list_pretrained() if is_same(start, place)), None)
    if name is None:
        if is_of(start, dataset):
            return (
                "Warning: the start was trained on images of this very data set. Where images to "
                "validate on were among them, validation flatters what begins with it."
            )
        return f"{unknown}: its training images are not at hand."
    if not isinstance(find_places().get(name), Path):
        return f"{unknown}: {name} is not on this machine."
    parts = [dataset.train, *([dataset.val] if dataset.val is not None else [])]
    places = [np.linspace(0, len(part) - 1, min(LOOKED_AT, len(part)), dtype=int) for part in parts]
    images = np.concatenate([p.images[where] for p, where in zip(parts, places, strict=True)])
    masks = find_near_duplicates(images, [load_data(name).train.images], mirror=True)
    if masks.alike is None:
        return f"{unknown}: images of this size are not compared with those of {name}."
    count, total = int(masks.seen.sum()), len(images)
    if not count:
        return f"None of {total:,} images is nearly one of {name}, which the start was trained on."
    return (
        f"Warning: of {total:,} images {count:,} are, nearly or wholly, images of {name}, which "
        "the start was trained on. Accuracy on such images flatters what begins with it."
    )


def is_same(start: SavedModel, folder: Path) -> bool:
    """Whether a start is the model in a folder, or a copy of it."""
    return start.fingerprint == fingerprint_model(folder)


def is_of(start: SavedModel, dataset: DataSet) -> bool:
    """Whether a start lies in a run on this data set."""
    run = start.folder.parent if start.folder is not None else Path()
    if not exists(run / SPLIT):
        return False
    return read_split_record(run).data_fingerprint == dataset.train.fingerprint


def offer_start(dataset: DataSet, num_train: int) -> str | None:
    """Offer the included model where the data are few small images that look like photographs.

    Args:
        dataset: whose training images are looked at.
        num_train: images to train on.
    """
    if num_train >= FEW or not look_like_photographs(dataset.train.images):
        return None
    return (
        "`--start cifar10` would begin with the weights of the included model; it may help where "
        "these are photographs."
    )
