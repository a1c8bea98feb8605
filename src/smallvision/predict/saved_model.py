"""A saved model: everything prediction needs, in one folder of plain files."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from smallvision.augment import build_normalizer
from smallvision.compute.machine import Machine, choose_machine
from smallvision.errors import DataError, RecordError
from smallvision.models import MODELS
from smallvision.predict.ensemble import Ensemble, list_members, pool_logits
from smallvision.predict.infer import BATCH, infer_logits
from smallvision.predict.pretrained import find_pretrained
from smallvision.predict.tta import Tta
from smallvision.records import store
from smallvision.records.files import hash_file
from smallvision.records.nofollow import exists, is_file, is_folder
from smallvision.records.schema import ModelRecord
from smallvision.records.weights import (
    MANIFEST,
    check_manifest,
    load_tensors,
    read_manifest,
    save_tensors,
)
from smallvision.shapes import MAX_SIZE, Floats, Images, Shape
from smallvision.stats.calibration import scale_logits

LARGEST_SETTING = 65_536  # of a network, which is that of `recipes.settings`
MOST_BYTES = 2**28  # of images that are brought to the device at a time
MOST_PARTS = 256  # settings, layers or members in one place


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A trained network with its class names, input shape, normalisation and temperature.

    Attributes:
        network: the module, in evaluation mode, on the machine's device.
        settings: name and settings the network is built from.
        class_names: K names.
        shape: `(C, H, W)` the network was trained on.
        mean, std: C numbers of the training split.
        temperature: logits are divided by it before the softmax; fitted on validation.
        epoch: the epoch the weights come from.
        tta: test-time augmentation.
        fingerprint: SHA-256 of the folder's manifest, which sums up every file; empty before the
            model is saved.
        machine: where it computes.
    """

    network: nn.Module
    settings: dict[str, Any]
    class_names: tuple[str, ...]
    shape: Shape
    mean: tuple[float, ...]
    std: tuple[float, ...]
    epoch: int
    temperature: float = 1.0
    tta: Tta = field(default_factory=Tta)
    machine: Machine = field(default_factory=choose_machine)
    fingerprint: str = ""

    def __repr__(self) -> str:
        C, H, W = self.shape
        return (
            f"SavedModel({self.settings['name']}, {C}x{H}x{W} -> {len(self.class_names)} classes)"
        )

    def predict(self, images: Images) -> Floats:
        """Class probabilities, float32 `(N, K)`, of uint8 images `(N, C, H, W)`.

        They are calibrated: softened by the model's temperature.

        Raises:
            DataError: the images are not of the shape the model was trained on.
        """
        return scale_logits(self.predict_logits(images), self.temperature)

    def predict_logits(self, images: Images) -> Floats:
        """Logits after test-time augmentation, without temperature; arguments as for `predict`.

        Each member of an ensemble has test-time augmentation of its own, so that the ensemble
        averages what its members predict alone.

        Returns: float32 `(N, K)`; of an ensemble, the logarithm of its members' mean probability.

        Raises:
            DataError: the images are not of the shape the model was trained on.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != self.shape:
            raise DataError(
                f"images have shape {images.shape} and type {images.dtype}; this model was "
                f"trained on uint8 (N, {', '.join(map(str, self.shape))})"
            )
        count = max(BATCH, MOST_BYTES // math.prod(self.shape) // BATCH * BATCH)
        if len(images) > count:
            chunks = (images[i : i + count] for i in range(0, len(images), count))
            return np.concatenate([self.predict_logits(chunk) for chunk in chunks])
        # torch wants memory it may write to, which a memory-mapped or frozen array is not.
        pixels = torch.from_numpy(np.array(images)).to(self.machine.device)
        normalize = build_normalizer(self.mean, self.std, self.machine.device)

        def ask(network: nn.Module) -> Tensor:
            def infer(images: Tensor) -> Tensor:
                return infer_logits(network, images, normalize, self.machine)

            return self.tta.infer(infer, pixels)

        members = list_members(self.network)
        alone = members == [self.network]
        logits = ask(self.network) if alone else pool_logits(torch.stack([*map(ask, members)]))
        return logits.cpu().numpy()

    def count_parameters(self) -> int:
        """Parameter count, parameters that are not trained included."""
        return sum(p.numel() for p in self.network.parameters())

    def measure_latency(self, images: Images, *, repeats: int = 30) -> float:
        """Median seconds to classify one image, after a few runs to warm up.

        Args:
            images: such as it is meant for, `(N, C, H, W)`, taken in turns: over some of them it
                takes longer than over others, if it looks at the doubtful ones more often.
            repeats: times that count.
        """
        seconds = []
        for i in range(repeats + 5):
            image = images[[i % len(images)]]
            start = time.perf_counter()
            self.predict(image)
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds[5:])

    def save(self, folder: Path) -> None:
        """Write the model; a folder with a manifest is complete.

        Raises:
            RecordError: the folder cannot be written.
        """
        about = ModelRecord(
            model=self.settings,
            class_names=self.class_names,
            shape=self.shape,
            mean=self.mean,
            std=self.std,
            temperature=self.temperature,
            tta=self.tta.record(),
            epoch=self.epoch,
        )
        save_tensors(folder, {"model": self.network.state_dict()}, {"model": about})


def build_network(
    settings: dict[str, Any], shape: tuple[int, int, int], num_classes: int
) -> nn.Module:
    """Build a catalogue model from `{"name": ..., **settings}`, or an ensemble.

    An ensemble's settings are `{"name": "ensemble", "members": [settings, ...]}`.
    """
    settings = dict(settings)
    if settings["name"] == "ensemble":
        return Ensemble(build_network(one, shape, num_classes) for one in settings["members"])
    return MODELS[settings.pop("name")].build(shape, num_classes, **settings)


def check_modest(settings: Any) -> None:
    """Refuse settings that would keep us building for ever: no network of ours is that large.

    Raises:
        ValueError: a number is beyond what any setting may be, or a list is too long.
    """
    values = settings.values() if isinstance(settings, dict) else settings
    if len(values) > MOST_PARTS:
        raise ValueError(f"{len(values):,} settings in one place")
    for value in values:
        if isinstance(value, dict | list):
            check_modest(value)
        elif isinstance(value, int | float) and abs(value) > LARGEST_SETTING:
            raise ValueError(f"a setting of {value:,}")


@contextmanager
def bound_parameters(most: int) -> Iterator[None]:
    """Stop building a network of more parameter tensors than there are weights for.

    A network of 60,000 layers takes a gigabyte and minutes even without memory for its weights.

    Raises:
        ValueError: the network has more than `most`.
    """
    count = 0

    def count_parameter(*_: object) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise ValueError(f"a network of more than the {most:,} tensors that there are")

    handle = register_module_parameter_registration_hook(count_parameter)
    try:
        yield
    finally:
        handle.remove()


def check_figures(about: ModelRecord, shape: Shape) -> None:
    """Refuse what would make every prediction wrong or fail.

    Raises:
        ValueError: a figure is out of range.
    """
    C, *sides = shape
    if {len(about.mean), len(about.std)} != {C}:
        raise ValueError(f"normalization by {about.mean!s:.80} and {about.std!s:.80}")
    if min(*about.std, about.temperature) <= 0:
        raise ValueError("a deviation or temperature that is not above 0")
    if about.tta.shift >= min(sides):
        raise ValueError(f"a shift by {about.tta.shift} pixels")


def fill_network(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Give a network that was built without memory its parameters and buffers.

    Raises:
        RuntimeError: a tensor is missing, unknown, or of another shape or type.
    """
    for name, wanted in network.state_dict().items():
        found = tensors.get(name)
        if found is not None and (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
            raise RuntimeError(
                f"{name} is {found.dtype} {tuple(found.shape)}; expected {wanted.dtype} "
                f"{tuple(wanted.shape)}"
            )
    network.load_state_dict(tensors, assign=True)


def check_shape(shape: tuple[int, ...], folder: Path) -> Shape:
    """The shape of the images that a model from a folder takes.

    Raises:
        RecordError: no images of ours have it.
    """
    if len(shape) == 3:
        C, *sides = shape
        if C in (1, 3) and all(1 <= side <= MAX_SIZE for side in sides):
            return C, sides[0], sides[1]
    raise RecordError(
        f"{folder} takes images of shape {shape!s:.80}; expected 1 or 3 channels of at most "
        f"{MAX_SIZE} pixels a side"
    )


def find_model(folder: Path) -> Path:
    """The folder of a saved model, given it, its run's folder, or the name of an included model.

    A folder of images that bears the name of a pretrained model does not hide it; a run does.
    """
    if is_folder(folder / "model") and exists(folder / "model" / "model.json"):
        return folder / "model"
    ours = any(exists(folder / name) for name in (MANIFEST, "status.json", "study.json"))
    pretrained = None if ours else find_pretrained(str(folder))
    return pretrained or folder


def fingerprint_model(folder: Path) -> str:
    """The identity of a saved model, from its folder or the run folder that holds it.

    Raises:
        RecordError: there is no such model.
    """
    folder = find_model(folder)
    if not is_file(folder / MANIFEST):
        raise RecordError(f"{folder} holds no model; is the run finished?")
    read_manifest(folder)  # which says in one line what is wrong with it
    return hash_file(folder / MANIFEST)


def load_model(folder: str | Path, machine: Machine | None = None) -> SavedModel:
    """Read a saved model from its folder, or from the run folder that holds it.

    Args:
        folder: of the model or the run; where there is no such folder, the name of a model that
            comes with the package, such as `cifar10`.
        machine: where to compute; by default what `choose_machine` makes of this one.

    Raises:
        RecordError: there is none, or it is damaged.
    """
    folder = find_model(Path(folder))
    fingerprint = fingerprint_model(folder)
    check_manifest(folder)
    about = store.read(folder / "model.json", ModelRecord)
    machine = machine or choose_machine()
    shape = check_shape(about.shape, folder)
    tensors = load_tensors(folder, "model")
    if fingerprint_model(folder) != fingerprint:
        raise RecordError(f"{folder} was written anew while it was read; try again")
    try:
        check_figures(about, shape)
        check_modest(about.model)
        # Without memory for its weights, which settings from a stranger could ask any amount of.
        with torch.device("meta"), bound_parameters(len(tensors)):
            network = build_network(about.model, shape, len(about.class_names))
        fill_network(network, tensors)
    except (
        ArithmeticError,
        AttributeError,
        KeyError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise RecordError(
            f"{folder} holds no model that this version can build: {error}"
        ) from error
    return SavedModel(
        network=machine.place(network).eval(),
        settings=about.model,
        class_names=about.class_names,
        shape=shape,
        mean=about.mean,
        std=about.std,
        epoch=about.epoch,
        temperature=about.temperature,
        tta=Tta(mirror=about.tta.mirror, shift=about.tta.shift),
        machine=machine,
        fingerprint=fingerprint,
    )
