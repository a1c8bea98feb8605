"""Which column of a table holds pictures, and which one labels."""

from __future__ import annotations

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
        usual: names in lower case, of which the first that is there is taken.
        never: names in lower case of columns that are not meant, though their type fits.
    """

    holds: str
    option: str
    usual: tuple[str, ...]
    never: tuple[str, ...] = ()


IMAGES = Role(
    "pictures",
    "image_column",
    (
        *("img", "image", "images", "pixel_values", "picture", "photo", "image_path", "file_path"),
        *("filepath", "path", "file_name", "filename", "file", "image_file", "image_name"),
        *("image_id", "id_code", "jpg", "jpeg", "png", "webp", "x", "data", "id"),
    ),
)
LABELS = Role(
    "labels",
    "label_column",
    (
        *("fine_label", "label", "labels", "class", "class_label", "class_name", "classname"),
        *("category", "target", "targets", "y", "cls", "species", "breed", "diagnosis", "name"),
        "coarse_label",
    ),
    never=(
        *("id", "idx", "index", "image_id", "img_id", "width", "height", "split", "filename"),
        *("file_name", "path", "file_path", "caption", "text", "url", "unnamed: 0"),
    ),
)


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
        (name for name in fitting if name.lower() in role.usual),
        key=lambda name: role.usual.index(name.lower()),
    )
    if usual:
        return usual[0], _note_others(role, usual)
    left = [name for name in fitting if name.lower() not in role.never]
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
