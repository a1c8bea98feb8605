"""The folders that the user named for parts: in the tree, or elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from smallvision.data.sources.pictures.tree import TreeFolder, read_tree
from smallvision.data.sources.source import LeftOut, Part, SourceOptions
from smallvision.errors import DataError


@dataclass(frozen=True)
class ChosenParts:
    """The folders of the parts that the user named.

    Attributes:
        parts: a folder for each of these parts, without those of the others.
        rest: the tree without all of them; None where there is no more.
        left_out: what is in none of the trees that were read.
    """

    parts: dict[Part, TreeFolder]
    rest: TreeFolder | None
    left_out: tuple[LeftOut, ...]

    @property
    def trees(self) -> list[TreeFolder]:
        """The trees that hold all that was read, each file in one of them."""
        return [*([self.rest] if self.rest else []), *self.parts.values()]


def find_chosen(
    root: TreeFolder, left_out: tuple[LeftOut, ...], options: SourceOptions
) -> ChosenParts:
    """Find the folders that the user named for parts.

    Args:
        root: the tree that the user named.
        left_out: what is not in it.
        options: of the user.

    Raises:
        DataError: one is no folder, is named twice, or holds the tree.
    """
    named: dict[Part, Path | None] = {
        "train": options.train,
        "val": options.val,
        "test": options.test,
    }
    trees, found, lost = [root], dict[Part, TreeFolder](), list(left_out)
    # An outer folder is read before those in it, which are then found in its tree.
    for part, path in sorted(named.items(), key=lambda each: len(str(each[1]))):
        if path is None:
            continue
        _check_folder(root, part, path)
        folder = next((each for tree in trees if (each := _find_in(tree, path))), None)
        if folder is None:
            folder, more = read_tree(path, options.suffixes)
            trees.append(folder)
            # Where it is hidden or behind a link in the tree, it is not left out any more.
            outside = [one for one in lost if not (root.path / one.example).is_relative_to(path)]
            lost = [*outside, *more]
        if folder in found.values():
            raise DataError(f"{path} is named for two parts; name another folder for {part}")
        found[part] = folder
    parts = {
        part: folder.without([other for other in found.values() if other is not folder])
        or TreeFolder(folder.path)
        for part, folder in found.items()
    }
    return ChosenParts(parts, root.without(list(found.values())), tuple(lost))


def _check_folder(root: TreeFolder, part: Part, path: Path) -> None:
    if not path.is_dir():
        raise DataError(f"{path}, which is named for {part}, is no folder")
    if root.path.resolve().is_relative_to(path.resolve()) and not root.path.samefile(path):
        raise DataError(f"{path}, which is named for {part}, holds {root.path}; load it instead")


def _find_in(tree: TreeFolder, path: Path) -> TreeFolder | None:
    wanted = path.resolve()
    for folder in tree.walk():
        alike = folder.name == wanted.name or folder is tree or folder.path.is_symlink()
        if alike and folder.path.resolve() == wanted:
            return folder
    return None
