"""What columns are usually called, and which one of a table holds pictures, which one labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smallvision.data.decoding.labels import name_some
from smallvision.errors import DataError


@dataclass(frozen=True)
class Role:
    """What a column is looked for as.

    Attributes:
        holds: what it holds, for an error.
        option: by which a user names the column.
        usual: names as `spell_key` spells them, of which the first that is there is taken.
        never: names, spelt the same, of columns that are not meant, though their type fits.
    """

    holds: str
    option: str
    usual: tuple[str, ...]
    never: tuple[str, ...] = ()


# Usual names of columns as `spell_key` spells them; of several that are there, the first counts.
IMAGE_NAMES = (
    *("img", "image", "images", "pixelvalues", "picture", "photo", "filename", "filenames"),
    *("file", "files", "fname", "imagename", "imgname", "imagepath", "imgpath", "path", "filepath"),
    *("filepaths", "imagefile", "imageid", "idcode", "jpg", "jpeg", "png", "webp", "x", "data"),
    "id",
)
# Fine classes rather than coarse ones, and the words of a class rather than its number.
LABEL_NAMES = (
    *("finelabel", "classname", "labelname", "categoryname", "label", "labels", "class"),
    *("classes", "classlabel", "category", "target", "targets", "species", "breed", "diagnosis"),
    *("dx", "y", "cls", "classid", "labelid", "categoryid", "coarselabel"),
)
SPLIT_NAMES = ("split", "set", "subset", "partition", "dataset", "phase", "usage", "part")

IMAGES = Role("pictures", "image_column", IMAGE_NAMES)
LABELS = Role(
    "labels",
    "label_column",
    (*LABEL_NAMES, "name"),
    never=(
        *("id", "idx", "index", "imageid", "imgid", "width", "height", "split", "filename"),
        *("path", "filepath", "caption", "text", "url", "unnamed0"),
    ),
)


def spell_key(name: str) -> str:
    """The letters and digits of the name of a column, by which usual names are found."""
    return re.sub(r"[\W_]+", "", name.lower())


def pick_column(
    role: Role, fitting: Sequence[str], names: Sequence[str], wanted: str | None
) -> tuple[str, tuple[str, ...]]:
    """Pick a column by the user's word, by its usual name, or because no other fits.

    Args:
        role: what the column is looked for as.
        fitting: names of the columns whose type fits.
        names: of all columns.
        wanted: the column that the user named, or None.

    Returns: its name, and a note where another column might have been meant.

    Raises:
        DataError: there is no such column, or several and no reason to prefer one.
    """
    if wanted is not None:
        if wanted not in names:
            raise DataError(f"there is no column '{wanted:.80}'; it has {name_some(names)}")
        return wanted, ()
    usual = sorted(
        (name for name in fitting if spell_key(name) in role.usual),
        key=lambda name: role.usual.index(spell_key(name)),
    )
    if usual:
        return usual[0], _note_others(role, usual)
    left = [name for name in fitting if spell_key(name) not in role.never]
    if len(left) == 1:
        return left[0], (f"The {role.holds} are those of column '{left[0]}'.",)
    found = f"{name_some(left)} might hold {role.holds}" if left else f"none holds {role.holds}"
    raise DataError(
        f"it has the columns {name_some(names)}; {found}; name the column with {role.option}"
    )


def _note_others(role: Role, usual: Sequence[str]) -> tuple[str, ...]:
    if len(usual) == 1 or role is IMAGES:
        return ()
    return (
        f"The {role.holds} are those of column '{usual[0]}'; {name_some(usual[1:])} can be named "
        f"with {role.option}.",
    )
