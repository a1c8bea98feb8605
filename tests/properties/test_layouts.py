"""Whatever tree of folders a person has: each picture is in one part, or counted as left out."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from smallvision.data.sources.pictures.folder import list_folder
from smallvision.data.sources.pictures.listing import leave_out_rare
from smallvision.data.sources.pictures.tree import BEHIND_LINK, EMPTY, NO_PICTURE
from smallvision.data.sources.source import SourceOptions
from smallvision.errors import DataError

CLASSES = ("cat", "dog", "2", "10")
FOLDERS = st.sampled_from(
    (
        "train",
        "Training",
        "seg_test",
        "TEST",
        "val",
        "images",
        "extra",
        ".hid",
        "__MACOSX",
        *CLASSES,
    )
)
FILES = st.sampled_from(("0.png", "1.JPG", ".2.png", "._3.png", "4.txt", "thumbs.db", "5.dat"))
# A layout that loads, with files anywhere in it.
BASES = st.sampled_from(
    (
        "cat/0.png cat/1.png dog/0.png dog/1.png",
        "in/2/0.png in/2/1.png in/10/0.png in/10/1.png",
        "train/cat/0.png train/cat/1.png train/dog/0.png train/dog/1.png",
        "train/2/0.png train/2/1.png train/10/0.png train/10/1.png TEST/2/0.png seg_pred/0.png",
        "cat/train/0.png cat/train/1.png cat/test/0.png dog/train/0.png dog/train/1.png",
    )
).map(lambda base: frozenset(base.split()))
STRAY = st.tuples(st.lists(FOLDERS, max_size=4), FILES).map(lambda one: "/".join([*one[0], one[1]]))
TREES = st.tuples(BASES, st.sets(STRAY, max_size=8)).map(lambda both: both[0] | both[1])
OPTIONS = st.builds(
    SourceOptions,
    min_per_class=st.sampled_from((None, None, 2)),
    suffixes=st.sampled_from((None, None, ("dat",))),
)
# Parts that the person names: any of the folders.
CHOSEN = st.dictionaries(st.sampled_from(("train", "val", "test")), st.integers(0, 50), max_size=2)


def is_picture(file: str, options: SourceOptions) -> bool:
    """Whether a person would call it one; `._x.png` is what macOS keeps beside a picture."""
    name = file.rpartition("/")[2].lower()
    endings = (".png", ".jpg", *(f".{each}" for each in options.suffixes or ()))
    return name.endswith(endings) and not name.startswith("._")


def test_each_picture_is_in_one_part_or_counted() -> None:
    loaded: Counter[bool] = Counter()

    @settings(deadline=None, max_examples=200)
    @given(TREES, OPTIONS, CHOSEN)
    def check(files: frozenset[str], options: SourceOptions, chosen: dict[str, int]) -> None:
        root = Path(tempfile.mkdtemp())
        try:
            for file in files:
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                (root / file).touch()
            folders = sorted({str(parent) for file in files for parent in Path(file).parents})
            named = {part: root / folders[i % len(folders)] for part, i in chosen.items()}
            options = replace(options, **named)
            listing = list_folder(root, options)
            if options.min_per_class is not None:
                listing = leave_out_rare(listing, options.min_per_class)
        except DataError:
            loaded[False] += 1
            return
        finally:
            shutil.rmtree(root)
        loaded[True] += 1
        listed = [picture.path for part in listing.parts.values() for picture in part]
        assert len(set(listed)) == len(listed)
        no_pictures = (NO_PICTURE, EMPTY, BEHIND_LINK)
        left_out = sum(one.count for one in listing.left_out if one.reason not in no_pictures)
        assert len(listed) + left_out == sum(is_picture(file, options) for file in files)

    check()
    assert loaded[True] > 20, "nearly all trees were refused, so that little was checked"
