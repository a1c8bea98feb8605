"""An exported model without torch: pictures in, probabilities out, as `smallvision classify` gives.

It needs numpy, Pillow, pydantic and onnxruntime.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smallvision.data.decoding.image import decode
from smallvision.data.decoding.image_files import read_picture
from smallvision.data.decoding.regular import open_regular
from smallvision.data.decoding.resize import Preparation, prepare_picture
from smallvision.errors import DataError, RecordError, SettingError
from smallvision.records import store
from smallvision.records.files import check_held
from smallvision.records.schema.models.exported import Layout, ServedModel
from smallvision.shapes import Floats, Images
from smallvision.stats.probabilities.answers import ModelAnswers, answer_by_members
from smallvision.stats.probabilities.unlike import find_unlike

BATCH = 64  # images at a time
MAX_MODEL_BYTES = 2**31  # which no single ONNX file exceeds
FILES_BESIDE = "session.model_external_initializers_file_folder_path"
ABOUT = "smallvision"  # of the entries in the metadata
INSTALL = "pip install 'smallvision[serve]'"


@dataclass(frozen=True, eq=False)
class PictureAnswer:
    """What a model says of one picture.

    Attributes:
        name: of the picture.
        probabilities: calibrated, float32 `(K,)`.
        class_name: the most probable class.
        is_unlike: whether the picture is unlike all that the model was trained on; None where the
            model cannot tell.
    """

    name: str
    probabilities: Floats
    class_name: str
    is_unlike: bool | None

    @property
    def probability(self) -> float:
        """Of the most probable class."""
        return float(self.probabilities.max())


class Runner:
    """A model that `smallvision export` wrote as ONNX.

    Args:
        path: of the file.
        threads: that compute an answer.

    Attributes:
        about: what the file says of the model.
        preparation: how pictures become its images.

    Raises:
        RecordError: the file is missing, damaged, or was not written by `smallvision export`.
        SettingError: onnxruntime is not installed.
    """

    def __init__(self, path: str | Path, *, threads: int = 1) -> None:
        self.path = Path(path)
        self._session = open_session(self.path, threads)
        told = self._session.get_modelmeta().custom_metadata_map
        if ABOUT not in told:
            raise RecordError(
                f"{path} was not written by smallvision; make it with 'smallvision export MODEL'"
            )
        try:
            fields = store.parse(told[ABOUT])
        except ValueError as error:
            raise RecordError(f"{path} is damaged ({error}); export it anew") from error
        self.about = store.check(fields, ServedModel, self.path)
        self.preparation = Preparation(self.about.shape, self.about.fit, self.about.bits)
        # One answer, so that a graph which is not as its metadata say is found out here.
        self._infer(np.zeros((1, *self.about.shape), dtype=np.uint8))

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names, in the order of the probabilities."""
        return self.about.class_names

    def read(self, picture: bytes | str | Path, name: str | None = None) -> Images:
        """A picture as the model sees it, uint8 `(1, C, H, W)`.

        Args:
            picture: the bytes of a picture file, or its path.
            name: what to call it in an error.

        Raises:
            DataError: it is missing, no picture, damaged or too large.
        """
        if isinstance(picture, bytes):
            content, name = picture, name or "the picture"
        else:
            content = read_picture(Path(picture), str(picture))
        decoded = decode(content, name or str(picture), side=max(self.about.shape[1:]))
        return prepare_picture(decoded, self.preparation)

    def classify(self, pictures: Iterable[bytes | str | Path]) -> Iterator[PictureAnswer]:
        """Answer pictures one by one.

        Args:
            pictures: the bytes of picture files, or their paths.

        Raises:
            DataError: a picture is missing, damaged or none.
        """
        for number, picture in enumerate(pictures):
            name = f"picture {number}" if isinstance(picture, bytes) else str(picture)
            yield next(self.describe(self.read(picture, name), [name]))

    def describe(self, images: Images, names: Iterable[str]) -> Iterator[PictureAnswer]:
        """Answers of images that were read, each with its name."""
        answers = self.answer(images)
        limit = self.about.unlike.limit if self.about.unlike else None
        found = find_unlike(answers.energies, limit)
        for number, (name, row) in enumerate(zip(names, answers.probabilities, strict=True)):
            unlike = None if found is None else bool(found[number])
            yield PictureAnswer(name, row, self.class_names[int(row.argmax())], unlike)

    def predict(self, images: Images) -> Floats:
        """Class probabilities, float32 `(N, K)`, of uint8 images `(N, C, H, W)`, as `classify`."""
        return self.answer(images).probabilities

    def answer(self, images: Images) -> ModelAnswers:
        """What the model says of images, all of it; arguments and errors as for `predict`."""
        return answer_by_members(self.predict_member_logits(images), self.about.temperature)

    def predict_member_logits(self, images: Images) -> Floats:
        """Logits of each member after test-time augmentation, float32 `(M, N, K)`.

        Args:
            images: uint8 `(N, C, H, W)` of the model's shape, at least one.

        Raises:
            DataError: they have another type or shape.
            RecordError: a logit is not finite.
        """
        if images.dtype != np.uint8 or images.shape[1:] != self.about.shape or not len(images):
            raise DataError(
                f"the images are {images.dtype} {images.shape}; expected uint8 "
                f"(N, {', '.join(map(str, self.about.shape))})"
            )
        parts = [self._augment(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
        logits = np.concatenate(parts, axis=1)
        if not np.isfinite(logits / self.about.temperature).all():
            raise RecordError(
                f"{self.path} answers with numbers that are not finite; its weights are not those "
                "of a trained model"
            )
        return logits

    def _augment(self, images: Images) -> Floats:
        """Logits `(M, N, K)`, averaged with those of shifted copies where a member is uncertain."""
        logits = self._infer(images)
        if not self.about.tta.shift or len(self.class_names) < 2:
            return logits
        best = np.partition(logits, -2, axis=2)
        uncertain = best[:, :, -1] - best[:, :, -2] < self.about.uncertain
        doubtful = np.flatnonzero(uncertain.any(axis=0))
        if not len(doubtful):
            return logits
        copies = shift_images(images[doubtful], self.about.tta.shift)
        shifted = np.mean([self._infer(copy) for copy in copies], axis=0, dtype=np.float32)
        averaged = (logits[:, doubtful] + shifted) / 2
        logits[:, doubtful] = np.where(uncertain[:, doubtful, None], averaged, logits[:, doubtful])
        return logits

    def _infer(self, images: Images) -> Floats:
        """One look at images `(N, C, H, W)`, or two where they are mirrored: logits `(M, N, K)`.

        Raises:
            RecordError: the graph fails, or answers in another form than the metadata say.
        """
        expected = (self.about.members, len(images), len(self.class_names))
        ordered = order_images(images, self.about.layout)
        try:
            logits: npt.NDArray[np.float32] = self._session.run(["logits"], {"images": ordered})[0]
        except Exception as error:
            # onnxruntime raises a dozen classes that have no parent of their own.
            raise RecordError(f"{self.path} cannot answer ({error}); export it anew") from error
        found = (getattr(logits, "dtype", None), getattr(logits, "shape", None))
        if found != (np.float32, expected):
            raise RecordError(
                f"{self.path} answers with {found[0]} {found[1]}; expected float32 {expected} by "
                "its metadata; export it anew"
            )
        return logits


def open_session(path: Path, threads: int) -> Any:
    """Open an ONNX file in onnxruntime, on the CPU.

    Raises:
        RecordError: the file is missing, too large or damaged.
        SettingError: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise SettingError(f"answers without torch need onnxruntime; {INSTALL}") from error
    try:
        with open_regular(path, str(path), most=MAX_MODEL_BYTES) as file:
            check_held(file.fileno(), path)
            content = file.read()
    except DataError as error:
        raise RecordError(str(error)) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong is told by the exception
    # Weights may be said to lie in another file, which would be looked for in the working folder.
    options.add_session_config_entry(FILES_BESIDE, f"{os.devnull}/none")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime raises a dozen classes that have no parent of their own.
        raise RecordError(f"{path} is no model that onnxruntime can open ({error})") from error


def order_images(images: Images, layout: Layout) -> Images:
    """Images `(N, C, H, W)` with their dimensions in the order of a graph's input."""
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1) if layout == "nhwc" else images)


def shift_images(images: Images, shift: int) -> Iterator[Images]:
    """Yield images shifted down and right, and up and left; mirrored pixels fill the border.

    Args:
        images: uint8 `(N, C, H, W)`.
        shift: pixels.
    """
    H, W = images.shape[2:]
    padded = np.pad(images, ((0, 0), (0, 0), (shift, shift), (shift, shift)), mode="reflect")
    yield padded[:, :, :H, :W]
    yield padded[:, :, -H:, -W:]
