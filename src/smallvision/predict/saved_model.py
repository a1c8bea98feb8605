"""A saved model: everything prediction needs, in one folder of plain files."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from smallvision.augment import build_normalizer
from smallvision.compute.machine import Machine, choose_machine
from smallvision.data.sources.arrays import to_model_images
from smallvision.errors import RecordError, SettingError
from smallvision.predict.ensemble import list_members
from smallvision.predict.infer import BATCH, infer_logits
from smallvision.predict.network import check_tensors, fill_network, sketch_network
from smallvision.predict.tta import Tta
from smallvision.records import store
from smallvision.records.model_folders import (
    MANIFEST,
    find_model,
    fingerprint_model,
    read_manifest,
)
from smallvision.records.schema import ModelRecord, PredictionSetsRecord, UnlikeRecord
from smallvision.records.schema.settings.networks import NetworkSettings
from smallvision.records.weights import check_manifest, load_tensors, read_header, save_tensors
from smallvision.shapes import Fit, Floats, Images, Shape
from smallvision.stats.probabilities.answers import ModelAnswers, answer_by_members
from smallvision.stats.probabilities.logits import pool_members
from smallvision.stats.probabilities.unlike import find_unlike

FILES = {"model.json", "model.safetensors"}  # which a manifest vouches for
MOST_BYTES = 2**26  # of images that are brought to the device at a time


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
        fit: how pictures of another shape are fitted to this one.
        bits: of values of 16 bits, how many hold the largest value of the training images.
        unlike: from where on an image counts as unlike all that it was trained on; None where no
            validation images told.
        sets: what a class takes to be in a prediction set; None likewise.
        fingerprint: SHA-256 of the folder's manifest, which sums up every file; empty before the
            model is saved.
        machine: where it computes.
        folder: it was read from; None before the model is saved.

    >>> import numpy as np
    >>> import smallvision as sv
    >>> model = sv.load_model("cifar10")
    >>> model.shape, model.class_names[:3]
    ((3, 32, 32), ('airplane', 'automobile', 'bird'))
    >>> black = np.zeros((2, 32, 32, 3), dtype=np.uint8)
    >>> model.predict(black).shape
    (2, 10)
    """

    network: nn.Module
    settings: NetworkSettings
    class_names: tuple[str, ...]
    shape: Shape
    mean: tuple[float, ...]
    std: tuple[float, ...]
    epoch: int
    temperature: float = 1.0
    tta: Tta = field(default_factory=Tta)
    fit: Fit = "crop"
    bits: int = 16
    unlike: UnlikeRecord | None = None
    sets: PredictionSetsRecord | None = None
    machine: Machine = field(default_factory=choose_machine)
    fingerprint: str = ""
    folder: Path | None = None

    def __repr__(self) -> str:
        C, H, W = self.shape
        return f"SavedModel({self.settings.name}, {C}x{H}x{W} -> {len(self.class_names)} classes)"

    def predict(self, images: Any) -> Floats:
        """Class probabilities, float32 `(N, K)`, of images of the model's shape.

        They are calibrated: softened by the model's temperature.

        Args:
            images: in any of the forms that `load_data` takes: an array or tensor `(N, C, H, W)`,
                `(N, H, W, C)` or `(N, H, W)` of uint8, bools, or floating-point numbers 0 to 1 or 0
                to 255, or a list of pictures or arrays. A single image counts as one of one.

        Raises:
            DataError: the images are not of the shape the model was trained on, which
                `sv.classify` brings them to.
            RecordError: the weights are such that a probability would not be finite.
        """
        return self.answer(images).probabilities

    def answer(self, images: Any) -> ModelAnswers:
        """What the model says of images, all of it; arguments and errors as for `predict`."""
        return answer_by_members(self.predict_member_logits(images), self.temperature)

    def find_unlike(self, energies: Floats) -> npt.NDArray[np.bool_] | None:
        """Which images are unlike all that it was trained on, `(N,)`; None where it cannot tell."""
        return find_unlike(energies, self.unlike.limit if self.unlike else None)

    def predict_logits(self, images: Any) -> Floats:
        """Logits after test-time augmentation, without temperature; arguments as for `predict`.

        Returns: float32 `(N, K)`; of an ensemble, the logarithm of its members' mean probability.

        Raises:
            DataError: the images are not of the shape the model was trained on.
            RecordError: the weights are such that a logit or probability would not be finite.
        """
        return pool_members(self.predict_member_logits(images))

    def predict_member_logits(self, images: Any) -> Floats:
        """The logits of each member of an ensemble, or of the one network.

        Each member has test-time augmentation of its own, so that the ensemble averages what its
        members predict alone.

        Returns: float32 `(M, N, K)`, without temperature.

        Raises:
            DataError: the images are not of the shape the model was trained on.
            RecordError: the weights are such that a logit or probability would not be finite.
        """
        images = to_model_images(images, "images", self.shape, self.bits)
        count = max(BATCH, MOST_BYTES // math.prod(self.shape) // BATCH * BATCH)
        if len(images) > count:
            chunks = (images[i : i + count] for i in range(0, len(images), count))
            return np.concatenate([self.predict_member_logits(chunk) for chunk in chunks], axis=1)
        # torch wants memory it may write to, which a memory-mapped or frozen array is not.
        pixels = torch.from_numpy(np.array(images)).to(self.machine.device)
        normalize = build_normalizer(self.mean, self.std, self.machine.device)

        def ask(network: nn.Module) -> Tensor:
            def infer(images: Tensor) -> Tensor:
                return infer_logits(network, images, normalize, self.machine)

            logits = self.tta.infer(infer, pixels)
            self.check_finite((logits / self.temperature).log_softmax(dim=1))
            return logits

        return torch.stack([*map(ask, list_members(self.network))]).cpu().numpy()

    def check_finite(self, values: Tensor) -> None:
        """Refuse what a network answers where it is no answer.

        Weights can be finite, each of them, and overflow on an image.

        Raises:
            RecordError: a value is NaN or infinite.
        """
        if not values.isfinite().all():
            raise RecordError(
                f"{self.folder or self} answers with numbers that are not finite; its weights are "
                "not those of a trained model"
            )

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
            fit=self.fit,
            bits=self.bits,
            unlike=self.unlike,
            sets=self.sets,
        )
        save_tensors(folder, {"model": self.network.state_dict()}, {"model": about})


def load_model(folder: str | Path, machine: Machine | None = None) -> SavedModel:
    """Read a saved model from its folder, or from the run folder that holds it.

    Args:
        folder: of the model or the run; where there is no such folder, the name of a model that
            comes with the package, such as `cifar10`.
        machine: where to compute; by default here in float32, so that the answers do not depend
            on what the processor is fast at.

    Raises:
        RecordError: there is none, or it is damaged.

    >>> import numpy as np
    >>> import smallvision as sv
    >>> model = sv.load_model("cifar10")
    >>> model.class_names[:3]
    ('airplane', 'automobile', 'bird')
    >>> images = np.zeros((2, 3, 32, 32), dtype=np.uint8)
    >>> model.predict(images).shape
    (2, 10)
    """
    folder = find_model(Path(folder))
    fingerprint = fingerprint_model(folder)
    if (found := set(read_manifest(folder))) != FILES:
        raise RecordError(
            f"{folder / MANIFEST} is of {', '.join(sorted(found)) or 'nothing'!s:.80}; expected "
            f"{' and '.join(sorted(FILES))}"
        )
    about = store.read(folder / "model.json", ModelRecord)
    machine = machine or choose_machine(precision="fp32")
    header = read_header(folder, "model")
    try:
        # Before the weights, of which a stranger's settings could ask any amount.
        network = sketch_network(
            about.model, about.shape, len(about.class_names), tensors=len(header)
        )
        check_tensors(network, header)
        check_manifest(folder)
        tensors = load_tensors(folder, "model")
        if fingerprint_model(folder) != fingerprint:
            raise RecordError(f"{folder} was written anew while it was read; try again")
        fill_network(network, tensors)
    except SettingError as error:
        raise RecordError(
            f"{folder} holds no model that this version can build: {error}"
        ) from error
    return SavedModel(
        network=machine.place(network).eval(),
        settings=about.model,
        class_names=about.class_names,
        shape=about.shape,
        mean=about.mean,
        std=about.std,
        epoch=about.epoch,
        temperature=about.temperature,
        tta=Tta(mirror=about.tta.mirror, shift=about.tta.shift),
        fit=about.fit,
        bits=about.bits,
        unlike=about.unlike,
        sets=about.sets,
        machine=machine,
        fingerprint=fingerprint,
        folder=folder,
    )
