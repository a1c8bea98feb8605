"""Whatever tree of folders a person has: each picture is in one part, or counted as left out."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
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
# A file anywhere, and class folders below a part: most trees of the first kind alone are refused.
STRAY = st.tuples(st.lists(FOLDERS, max_size=4), FILES).map(lambda one: "/".join([*one[0], one[1]]))
PARTS = st.sampled_from(("train", "train", "test", "val", "seg_test/seg_test"))
SORTED = st.tuples(PARTS, st.sampled_from(CLASSES), FILES).map("/".join)
TREES = st.tuples(st.sets(STRAY, max_size=3), st.sets(SORTED, min_size=4, max_size=25))
OPTIONS = st.builds(
    SourceOptions,
    min_per_class=st.sampled_from((None, None, 2)),
    suffixes=st.sampled_from((None, None, ("dat",))),
)


def is_picture(file: str, options: SourceOptions) -> bool:
    """Whether a person would call it one; `._x.png` is what macOS keeps beside a picture."""
    name = file.rpartition("/")[2].lower()
    endings = (".png", ".jpg", *(f".{each}" for each in options.suffixes or ()))
    return name.endswith(endings) and not name.startswith("._")


def test_each_picture_is_in_one_part_or_counted() -> None:
    loaded: Counter[bool] = Counter()

    @settings(deadline=None, max_examples=300)
    @given(TREES, OPTIONS)
    def check(tree: tuple[set[str], set[str]], options: SourceOptions) -> None:
        files = tree[0] | tree[1]
        root = Path(tempfile.mkdtemp())
        try:
            for file in files:
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                (root / file).touch()
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
    assert loaded[True] > 50, "nearly all trees were refused, so that little was checked"
