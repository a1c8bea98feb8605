"""Records with their pictures as data URIs, so that the page carries them along."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from smallvision.data.contact_sheet import encode_webp
from smallvision.errors import RecordError
from smallvision.records.files import read_bytes
from smallvision.records.schema import ErrorAnalysisRecord, ExplorationRecord
from smallvision.reporting.folder import Folder, is_plain_name
from smallvision.reporting.view import Picture, Pictured

LOST = " is missing: the page has one picture less."
MOST_LOSSLESS = 20_000  # bytes of an embedded picture that loses nothing
MOST_NAMED = 3  # lost pictures that are named one by one
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_exploration(study: Folder) -> Pictured[ExplorationRecord] | None:
    """Read the exploration of a study; None, with a note, where there is none.

    Raises:
        RecordError: the record is damaged, or a picture is not as it should be.
    """
    name = "exploration/exploration.json"
    record = study.read(ExplorationRecord, name, "the report cannot show the data.")
    if record is None:
        return None
    folder = Folder(study.path / "exploration", study.missing)
    return Pictured(record, read_pictures(folder, record.pictures.list_files()))


def read_errors(study: Folder, run: str) -> Pictured[ErrorAnalysisRecord] | None:
    """Read the error analysis of a run of a study; None where there is none.

    Raises:
        RecordError: the record is damaged, or a picture is not as it should be.
    """
    folder = Folder(study.path / run / "errors", study.missing)
    record = folder.read_optional(ErrorAnalysisRecord, "errors.json")
    if record is None:
        return None
    files = [
        *(name for pair in record.pairs for name in (pair.file, pair.reverse_file)),
        *(name for error in record.worst for name in (error.file, error.saliency)),
        *(image.file for image in record.disagreements),
        *(image.file for image in record.label_issues.images),
        record.gallery.file if record.gallery else None,
    ]
    return Pictured(record, read_pictures(folder, [name for name in files if name is not None]))


def read_pictures(folder: Folder, names: Iterable[str]) -> dict[str, Picture | None]:
    """Read the pictures of a folder, by file name."""
    return {name: read_picture(folder, name) for name in names}


def read_picture(folder: Folder, name: str) -> Picture | None:
    """Read a picture that a record names; None, with a note, where it is absent.

    Raises:
        RecordError: the name leaves the folder, or the file is a link or no such picture.
    """
    if not is_plain_name(name):
        raise RecordError(f"{folder.path}: the picture name {name!r} is not a plain file name")
    path = folder.path / name
    if not folder.has(name):
        folder.missing.append(f"{folder.path.name}/{name}{LOST}")
        return None
    content = read_bytes(path)
    kind, read_size = ("WebP", read_webp_size) if path.suffix == ".webp" else ("PNG", read_png_size)
    size = read_size(content)
    if size is None:
        raise RecordError(f"{path} is not a {kind} picture; run the step that drew it again")
    encoded = base64.b64encode(content).decode("ascii")
    return Picture(f"data:image/{kind.lower()};base64,{encoded}", *size)


def read_png_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG; None where it is none."""
    if len(content) < 24 or not content.startswith(PNG_SIGNATURE) or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def read_webp_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP with transparency, as sheets have it; None where it is none.

    Source: RFC 9649, sections 2.4, 2.7 and 3.4.
    """
    if len(content) < 30 or content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    if content[12:16] == b"VP8X":
        width, height = (int.from_bytes(content[i : i + 3], "little") for i in (24, 27))
        return width + 1, height + 1
    if content[12:16] == b"VP8L" and content[20] == 0x2F:
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def embed(pixels: npt.NDArray[np.uint8]) -> Picture:
    """A picture in memory, RGBA `(height, width, 4)`; a large one with a loss that nobody sees."""
    encoded = base64.b64encode(encode_webp(pixels, MOST_LOSSLESS)).decode("ascii")
    return Picture(f"data:image/webp;base64,{encoded}", pixels.shape[1], pixels.shape[0])


def sum_up_lost(missing: Sequence[str]) -> tuple[str, ...]:
    """Put many lost pictures into one line: records are often kept without any of them."""
    lost = [line.removesuffix(LOST) for line in missing if line.endswith(LOST)]
    if len(lost) <= MOST_NAMED:
        return tuple(missing)
    others = (line for line in missing if not line.endswith(LOST))
    return (*others, f"{lost[0]} and {len(lost) - 1} other pictures are missing.")
