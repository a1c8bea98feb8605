"""Tiny ImageNet: class folders for training, a file of annotations for validation.

Source: http://cs231n.stanford.edu/tiny-imagenet-200.zip. Its test pictures have no labels.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from smallvision.data.decoding.image_files import list_pictures
from smallvision.data.decoding.regular import read_regular
from smallvision.data.sources.pictures.listing import Listing, PictureFile, lay_out
from smallvision.data.sources.source import Layout, LeftOut, Part, SourceOptions

ANNOTATIONS = "val_annotations.txt"
MAX_BYTES = 50_000_000  # of a file of text; the words of all of WordNet take 3 million


class TinyImageNetSource:
    """A folder with `train/`, and `val/` with `val_annotations.txt` and `images/`."""

    expects = "a folder of Tiny ImageNet (val/val_annotations.txt)"
    takes: tuple[str, ...] = ("image_size", "fit", "strict", "min_per_class")

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe a folder without decoding its pictures; see `Source`."""
        annotations = place / "val" / ANNOTATIONS
        if not (annotations.is_file() and (place / "train").is_dir()):
            return None
        train = [
            (path, folder.name)
            for folder in sorted((place / "train").iterdir())
            if folder.is_dir()
            for path in list_pictures(folder)
        ]
        val, left_out = _read_annotations(place, annotations)
        names = _name_classes(place / "words.txt", {name for _, name in train})
        test = list_pictures(place / "test") if (place / "test").is_dir() else ()
        if test:
            example = test[0].relative_to(place).as_posix()
            left_out.append(LeftOut("no label", len(test), example))
        listed: dict[Part, list[tuple[Path, str]]] = {"train": train, "val": val}
        parts = {
            part: [PictureFile(str(path), names.get(name, name)) for path, name in pictures]
            for part, pictures in listed.items()
        }
        return lay_out(Listing(place, parts, tuple(left_out)), "Tiny ImageNet", options)


def _read_annotations(place: Path, path: Path) -> tuple[list[tuple[Path, str]], list[LeftOut]]:
    """The pictures of the validation part with their classes, and pictures that no line names."""
    there = {picture.name: picture for picture in list_pictures(place / "val")}
    found, missing = [], []
    for line in _read_text(path, path.relative_to(place).as_posix()).splitlines():
        name, _, rest = line.partition("\t")
        if not rest:
            continue
        picture = there.pop(name, None)
        if picture is None:
            missing.append(name)
        else:
            found.append((picture, rest.split("\t")[0].strip()))
    left_out = []
    if missing:
        left_out.append(LeftOut(f"named by {ANNOTATIONS} and not there", len(missing), missing[0]))
    if there:
        example = min(there.values()).relative_to(place).as_posix()
        left_out.append(LeftOut(f"not named by {ANNOTATIONS}", len(there), example))
    return found, left_out


def _name_classes(words: Path, numbers: set[str]) -> dict[str, str]:
    """Words for the numbers of WordNet, where they are known and tell all classes apart."""
    if not words.is_file():
        return {}
    names = {}
    for line in _read_text(words, words.name).splitlines():
        number, _, text = line.partition("\t")
        if number in numbers and text.strip():
            names[number] = text.split(",")[0].strip()[:100]
    several = {name for name, n in Counter(names.values()).items() if n > 1}
    return {
        number: f"{name} ({number})" if name in several else name for number, name in names.items()
    }


def _read_text(path: Path, name: str) -> str:
    return read_regular(path, name, most=MAX_BYTES).decode("utf-8", "replace")
