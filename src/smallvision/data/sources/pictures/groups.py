"""Groups of pictures: those of one person or burst, which stay on one side of each split."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from smallvision.data.sources.pictures.listing import PictureFile
from smallvision.data.sources.source import Part
from smallvision.errors import DataError, SettingError

FOLDER = "folder"


def group_pictures(
    parts: Mapping[Part, Sequence[PictureFile]],
    homes: Mapping[tuple[Part, str], Path],
    group_by: str,
) -> tuple[dict[Part, list[PictureFile]], tuple[str, ...]]:
    """Give pictures the groups that the user asked for.

    Args:
        parts: the pictures of each part.
        homes: the class folder of each part and class.
        group_by: `folder` for the folder inside of the class folder, or a regular expression with
            one group for the name of the file.

    Returns: the pictures with their groups, and a sentence about those without one.

    Raises:
        DataError: no picture has a group.
        SettingError: `group_by` is neither of both.
    """
    inside = [
        Path(picture.path).relative_to(homes[part, picture.label])
        for part, pictures in parts.items()
        for picture in pictures
    ]
    found = _list_folders(inside) if group_by == FOLDER else _match_names(inside, group_by)
    if not any(found):
        raise DataError(
            "group_by is 'folder', but all pictures lie directly in their class folders"
            if group_by == FOLDER
            else f"group_by '{group_by}' matches no name of a file, such as {inside[0].name}"
        )
    words = iter(found)
    grouped = {
        part: [replace(picture, group=next(words)) for picture in pictures]
        for part, pictures in parts.items()
    }
    return grouped, _describe_alone(found)


def find_homes(parts: Mapping[Part, Sequence[PictureFile]]) -> dict[tuple[Part, str], Path]:
    """The folder that holds all pictures of a part, where no class has a folder of its own."""
    homes = {
        part: Path(os.path.commonpath({Path(picture.path).parent for picture in pictures}))
        for part, pictures in parts.items()
    }
    return {
        (part, picture.label): homes[part]
        for part, pictures in parts.items()
        for picture in pictures
    }


def _list_folders(inside: Sequence[PurePath]) -> list[str | None]:
    """The first folder by which pictures differ: an outer one holds all pictures of a person."""
    folders = [path.parts[:-1] for path in inside]
    while all(folders) and len({each[0] for each in folders}) == 1:
        folders = [each[1:] for each in folders]
    return [each[0] if each else None for each in folders]


def _match_names(inside: Sequence[PurePath], group_by: str) -> list[str | None]:
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        raise SettingError(f"group_by '{group_by}' is no regular expression ({error})") from error
    if pattern.groups != 1:
        raise SettingError(
            f"group_by is '{group_by}'; expected 'folder' or a regular expression with one group "
            r"in parentheses, such as '^(person\d+)_'"
        )
    matches = (pattern.search(path.name) for path in inside)
    return [match.group(1) if match else None for match in matches]


def _describe_alone(found: Sequence[str | None]) -> tuple[str, ...]:
    alone = found.count(None)
    return (f"Pictures that belong to no group and stand alone: {alone:,}.",) if alone else ()
