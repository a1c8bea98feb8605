"""Pictures whose classes stand in a table: `labels.csv`, `train.csv`, `metadata.jsonl`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from smallvision.data.decoding.columns import SPLIT_NAMES, spell_key
from smallvision.data.decoding.formats.rows import TABLE_SUFFIXES, Rows
from smallvision.data.decoding.labels import name_some, sort_names
from smallvision.data.sources.pictures.columns import (
    NotThisTableError,
    PictureColumns,
    PictureIndex,
    UnknownClassesError,
    find_columns,
    tell_parts,
    tell_split,
)
from smallvision.data.sources.pictures.groups import find_homes, group_pictures
from smallvision.data.sources.pictures.listing import Listing, PictureFile, lay_out
from smallvision.data.sources.pictures.lists.class_names import name_classes
from smallvision.data.sources.pictures.lists.division import divide_by_lists
from smallvision.data.sources.pictures.lists.picture_list import (
    GONE,
    Lists,
    PictureList,
    is_list,
    is_table_name,
    leave_out_joined,
    read_lists,
    read_one_list,
    read_tables,
    sample_pictures,
)
from smallvision.data.sources.pictures.meaning import FILE_WORDS
from smallvision.data.sources.pictures.tree import (
    JUNK_FOLDERS,
    TreeFolder,
    count_others,
    read_tree,
    show_inside,
)
from smallvision.data.sources.source import (
    Layout,
    LeftOut,
    Part,
    SourceOptions,
    merge_left_out,
    tell_part,
)
from smallvision.errors import DataError, SettingError, UserError

# Folders beside the pictures in which people keep their tables.
TABLE_FOLDERS = re.compile(
    r"(?:labels?|annotations?|csvs?|data|tables?|meta(?:data)?|splits?|lists?|devkit)", re.I
)
MOST_TORN = 0.01  # of the pictures that may be named with several classes, though always 3
WHOLE = re.compile(r"\d+\.0+")

SOURCE = "table of pictures"
NO_LABEL = "no label"
NO_ROW = "named by no row of the table"
NO_PART = "of a part that is neither train, validation nor test"
TORN = "named by the table with several classes or parts"


@dataclass(frozen=True)
class _Table:
    """A table whose columns are understood.

    Attributes:
        path: of the file.
        part: what its name, or the folder that it lies in, tells.
        rows: its content.
        columns: what the columns mean.
        pictures: the picture of each row, or None.
        listed: whether it is a list, whose lines have no columns.
    """

    path: Path
    part: Part | None
    rows: Rows
    columns: PictureColumns
    pictures: list[str | None]
    listed: bool = False


class TableSource:
    """A CSV, TSV or JSON Lines file of pictures and classes, or a folder that holds such files.

    Any of the usual columns is understood; pictures are found below the folder of the table, by
    their path or their name, with or without the suffix. A column or the names of tables and
    folders may tell parts.
    """

    expects = "a table of file names and labels (.csv, .tsv or .jsonl)"
    takes: tuple[str, ...] = (
        *("image_size", "fit", "strict", "image_column", "label_column"),
        *("group_by", "min_per_class", "suffixes"),
    )

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe a table or a folder without decoding pictures; see `Source`.

        A folder of class folders beside which a table names a few of the pictures is left to
        `FolderSource`.

        Raises:
            DataError: the table is damaged, or it cannot be told what it means.
            SettingError: it lacks a column that the user named.
        """
        if place.is_file():
            return _recognize_file(place, options) if is_table(place) else None
        if not place.is_dir() or options.train or options.val or options.test or options.label_from:
            return None
        paths = list(_list_tables(place))
        return _recognize_folder(place, paths, options)

    def recognize_parts(
        self, place: Path, tables: Mapping[Part, Path], options: SourceOptions
    ) -> Layout:
        """Describe the pictures of a folder whose parts the user named a table for.

        Args:
            place: a folder that holds all pictures, or a table in it.
            tables: a table for each part.
            options: of the user.

        Raises:
            DataError, SettingError: as for `recognize`.
        """
        root = place if place.is_dir() else place.parent
        parts = dict(tables) if place.is_dir() else {"train": place, **tables}
        if "train" not in parts:
            raise DataError("expected a table of the training part too; name it with --train")
        tree, left_out = read_tree(root, options.suffixes)
        index = PictureIndex(root, tree.list_pictures())
        read = [
            replace(_understand(path, index, options, part), part=part)
            for part, path in parts.items()
        ]
        listing = _make_listing(index, read, options)
        rest = merge_left_out([*listing.left_out, *left_out])
        layout = lay_out(replace(listing, left_out=rest), SOURCE, options)
        return replace(layout, place=place, files=(*parts.values(), *layout.files))


def is_table(place: Path) -> bool:
    """Whether a file is called like a table; a text file may be one too."""
    return (is_list(place.name) or is_table_name(place.name)) and place.is_file()


def _recognize_file(place: Path, options: SourceOptions) -> Layout:
    root = place.parent
    tree, left_out = read_tree(root, options.suffixes)
    if not tree.total and TABLE_FOLDERS.fullmatch(root.absolute().name):
        root = root.absolute().parent  # `data/labels.csv` beside `images/`
        tree, left_out = read_tree(root, options.suffixes)
    index = PictureIndex(root, tree.list_pictures())
    table = replace(_understand(place, index, options, tell_part(place.stem)), part=None)
    lists = Lists() if tell_part(place.stem) else read_lists([tree], index)
    listing = divide_by_lists(_make_listing(index, [table], options), lists)
    beside = [path.name for path in _list_tables(root) if path.parent == root and path != place]
    notes = listing.notes
    if tell_part(place.stem) == "train" and any(tell_part(Path(name).stem) for name in beside):
        notes += (
            f"Of the tables in its folder only {place.name} was read; name the folder to read all.",
        )
    rest = merge_left_out([*listing.left_out, *left_out])
    layout = lay_out(replace(listing, left_out=rest, notes=notes), SOURCE, options)
    return replace(layout, place=place, files=(place, *layout.files))


def _recognize_folder(place: Path, paths: list[Path], options: SourceOptions) -> Layout | None:
    tree, left_out = read_tree(place, options.suffixes)
    divided = _is_divided(tree)
    texts = [name for folder in tree.walk() for name in folder.others if is_list(name)]
    if not tree.total or not (paths or texts) or (divided and not paths):
        return None
    index = PictureIndex(place, tree.list_pictures())
    lists = read_lists([tree], index)
    tables: list[_Table] = []
    errors: list[UserError] = []
    for path in paths:
        if _is_form(path):
            continue
        try:
            part = _tell_part(path, place)
            tables.append(_understand(path, index, options, part, divided=divided))
        except (DataError, SettingError) as error:
            errors.append(error)
    if not (tables or divided):
        tables = _read_all_classes(lists, index)
        if tables and not any(table.part in ("train", None) for table in tables):
            return None  # they tell the classes of a part beside class folders
    if not tables:
        asked = options.label_column is not None or options.image_column is not None
        if not errors or (divided and not asked):
            return None
        raise _choose_error(errors)
    named = {path for table in tables for path in table.pictures if path is not None}
    if divided and 2 * len(named) < len(index):
        return None
    tables = _choose(tables)
    listing = divide_by_lists(_make_listing(index, tables, options), lists)
    listing = name_classes(listing, lists)
    used = {table.path for table in tables} | {*listing.lists}
    others = [path for path in tree.list_others() if path not in used]
    rest = merge_left_out([*listing.left_out, *left_out, *count_others(others, place)])
    layout = lay_out(replace(listing, left_out=rest), SOURCE, options)
    return replace(layout, files=tuple(dict.fromkeys((*sorted(used), *layout.files))))


# tables -----------------------------------------------------------------------------------------


def _list_tables(root: Path) -> Iterator[Path]:
    """Tables in a folder, in folders of parts inside it, and where people keep labels.

    A lone folder only wraps others.
    """
    folders = []
    shown = [
        entry
        for entry in sorted(root.iterdir())
        if not entry.name.startswith(".") and entry.name not in JUNK_FOLDERS
    ]
    if len(shown) == 1 and shown[0].is_dir() and not tell_part(shown[0].name):
        yield from _list_tables(shown[0])
        return
    for entry in shown:
        if entry.is_dir():
            folders.append(entry)
        elif is_table_name(entry.name) and entry.is_file():
            yield entry
    for folder in folders:
        if TABLE_FOLDERS.fullmatch(folder.name):
            yield from sorted(path for path in folder.iterdir() if is_table_name(path.name))
        elif tell_part(folder.name):
            for suffix in TABLE_SUFFIXES:
                for name in ("metadata", "labels", "_classes"):
                    if (path := folder / f"{name}{suffix}").is_file():
                        yield path


def _tell_part(path: Path, root: Path) -> Part | None:
    """The part that the name of a table tells, or the folder that it lies in."""
    return tell_part(path.stem) or (tell_part(path.parent.name) if path.parent != root else None)


def _is_form(path: Path) -> bool:
    """Whether a table is a form for answers, as competitions have; its classes are made up."""
    return "submission" in path.name.lower()


def _understand(
    path: Path,
    index: PictureIndex,
    options: SourceOptions,
    part: Part | None,
    *,
    divided: bool = False,
) -> _Table:
    """Read a table and find out what its columns mean.

    Raises:
        NotThisTableError: it does not name pictures with their classes.
    """
    name = show_inside(path, index.root)
    if _is_form(path):
        raise NotThisTableError(f"{name} is a form to fill in by its name, and holds no classes")
    if options.image_column is None and options.label_column is None:
        one = read_one_list(path, index)
        if one and (listed := _read_classes(one, index)):
            return replace(listed, part=part)
    inside = path.parent != index.root and path.is_relative_to(index.root)
    beside = path.parent.relative_to(index.root).as_posix() if inside else ""
    errors: list[UserError] = []
    for table in read_tables(path, name, index):
        samples = sample_pictures(table, index, beside, part)
        try:
            columns = find_columns(table, samples, options, divided=divided)
        except UserError as error:
            errors.append(type(error)(f"{name}: {error}"))
            continue
        pictures = [index.find(row[columns.image], beside, part) for row in table.rows]
        return _Table(path, part, table, columns, pictures)
    raise _choose_error(errors) if errors else NotThisTableError(f"{name} holds no table")


def _choose_error(errors: Sequence[UserError]) -> UserError:
    """The error to tell, of several tables that are not understood."""
    return min(errors, key=lambda error: not isinstance(error, UnknownClassesError))


def _read_all_classes(lists: Lists, index: PictureIndex) -> list[_Table]:
    """The lists whose lines tell classes too; those of other parts tell the same as of training."""
    train = [one for one in lists.pictures if one.part in ("train", None)]
    tables = [table for one in train if (table := _read_classes(one, index))]
    known = {row[1] for table in tables for row in table.rows.rows}
    others = [one for one in lists.pictures if one not in train]
    return [*tables, *(table for one in others if (table := _read_classes(one, index, known)))]


def _read_classes(
    one: PictureList, index: PictureIndex, known: AbstractSet[str] = frozenset()
) -> _Table | None:
    """A list whose lines tell classes too, as a table; None of any other list."""
    classes = one.tell_classes(known)
    if classes is None:
        return None
    rows: list[tuple[str, ...]] = [
        (name, label) for name, label in zip(one.names, classes, strict=True)
    ]
    return _Table(
        one.path,
        _tell_part(one.path, index.root),
        Rows(("picture", "class"), rows),
        PictureColumns(0, (1,), None, None),
        one.pictures,
        listed=True,
    )


def _choose(tables: list[_Table]) -> list[_Table]:
    """The tables that are read together: one without a part, or one for each part.

    Raises:
        DataError: there are several of a kind.
    """
    tables = leave_out_joined(tables)
    with_split = [table for table in tables if table.columns.split is not None]
    chosen = with_split or [table for table in tables if table.part] or tables
    parts = Counter(table.part for table in chosen)
    if (with_split and len(with_split) > 1) or max(parts.values()) > 1:
        names = name_some(sorted(table.path.name for table in chosen))
        kind = "lists" if chosen[0].listed else "tables"
        raise DataError(
            f"several {kind} hold pictures with classes ({names}); name one of them, or "
            "one for each part with --train, --val and --test (in Python train=, val= and test=)"
        )
    if not with_split and any(table.part for table in chosen) and "train" not in parts:
        names = ", ".join(sorted(table.path.name for table in chosen))
        raise DataError(f"there is {names}, but no table of the training part; name one of them")
    return chosen


def _is_divided(tree: TreeFolder) -> bool:
    """Whether pictures lie in folders that might be classes."""
    names = {
        folder.name
        for folder in tree.walk()
        if folder.pictures and not (tell_part(folder.name) or FILE_WORDS.fullmatch(folder.name))
    }
    return len(names - {tree.name}) > 1


# rows -------------------------------------------------------------------------------------------


class _Claim(NamedTuple):
    """What a row says of its picture; the class and the group may be empty."""

    part: Part | None
    label: str
    group: str


def _make_listing(index: PictureIndex, tables: Sequence[_Table], options: SourceOptions) -> Listing:
    """List the pictures that rows name; all others are counted by the reason.

    Raises:
        DataError: more rows name pictures that are not there than others, or many pictures are
            named with several classes.
    """
    claims: dict[str, set[_Claim]] = {}
    gone: list[str] = []
    for table in tables:
        for text, path, claim in _list_claims(table, index):
            if path is None:
                gone.append(text)
            else:
                claims.setdefault(path, set()).add(claim)
    _check_gone(gone, len(claims), options)
    listed: dict[Part, list[PictureFile]] = {"train": [], "val": [], "test": []}
    reasons: dict[str, list[str]] = {}
    for path, several in claims.items():
        labelled = [claim for claim in several if claim.label]
        told = {(claim.part, claim.label) for claim in labelled}
        if not told:
            reasons.setdefault(NO_LABEL, []).append(path)
        elif len(told) > 1:
            reasons.setdefault(TORN, []).append(path)
        elif (part := labelled[0].part) is None:
            reasons.setdefault(NO_PART, []).append(path)
        else:
            group = min(claim.group for claim in labelled) or None
            listed[part].append(PictureFile(path, labelled[0].label, group))
    _check_torn(reasons.get(TORN, []), claims, options, index.root)
    for path in index.paths - claims.keys():
        parts = tell_parts(index.show(path).rpartition("/")[0])
        reason = NO_LABEL if {"val", "test"} & {*parts} else NO_ROW
        reasons.setdefault(reason, []).append(path)
    left_out = [
        LeftOut(reason, len(paths), show_inside(min(paths), index.root))
        for reason, paths in reasons.items()
    ]
    if gone:
        left_out.append(LeftOut(GONE, len(gone), gone[0][:200]))
    classes = {picture.label for pictures in listed.values() for picture in pictures}
    notes = (*_describe_all(tables), *_describe_several(classes))
    return _group(Listing(index.root, {}, tuple(left_out), notes), listed, tables, options)


def _describe_all(tables: Sequence[_Table]) -> Iterator[str]:
    lists = sorted(table.path.name for table in tables if table.listed)
    if lists:
        *first, last = lists
        names = f"{', '.join(first)} and {last}" if first else last
        yield f"In {names}, each line names a picture and its class."
    yield from (_describe(table) for table in tables if not table.listed)


def _describe(table: _Table) -> str:
    """What was taken for what: a table does not say it of itself."""
    columns, names = table.columns, table.rows.columns
    classes = f"'{names[columns.labels[0]]}'"
    if len(columns.labels) > 1:
        classes = f"{len(columns.labels)} columns"
    pieces = [f"'{names[columns.image]}' names the pictures", f"{classes} the classes"]
    if columns.split is not None:
        pieces.append(f"'{names[columns.split]}' the parts")
    if columns.group is not None:
        pieces.append(f"'{names[columns.group]}' the groups")
    unused = [
        name
        for i, name in enumerate(names)
        if spell_key(name) in SPLIT_NAMES and i not in columns.used and columns.split is None
    ]
    rest = f" Column {name_some(unused)} tells no training part and is not used." if unused else ""
    return f"In {table.path.name}, {', '.join(pieces[:-1])} and {pieces[-1]}.{rest}"


def _describe_several(classes: AbstractSet[str]) -> tuple[str, ...]:
    """A sentence about classes that are made of others, as tables of findings have."""
    several = [
        name
        for name in sort_names(list(classes))
        if len(parts := re.split(r"[|;,]", name)) > 1 and {part.strip() for part in parts} & classes
    ]
    if not several:
        return ()
    return (
        f"{len(several):,} classes name several others, such as '{several[0]}'; each combination "
        "is a class of its own.",
    )


def _group(
    listing: Listing,
    listed: dict[Part, list[PictureFile]],
    tables: Sequence[_Table],
    options: SourceOptions,
) -> Listing:
    """Add the pictures of each part, with the groups that a column or their paths tell."""
    filled = {part: pictures for part, pictures in listed.items() if pictures}
    by_column = all(table.columns.group is not None for table in tables)
    if options.group_by is None or by_column or "train" not in filled:
        return replace(listing, parts=filled)
    grouped, notes = group_pictures(filled, find_homes(filled), options.group_by)
    return replace(listing, parts=grouped, notes=listing.notes + notes)


def _list_claims(table: _Table, index: PictureIndex) -> Iterator[tuple[str, str | None, _Claim]]:
    """For each row: what it calls its picture, the picture, and what it says of it."""
    columns, rows = table.columns, table.rows.rows
    labels = _list_labels(table)
    parts = _list_parts(table, index)
    for row, path, label, part in zip(rows, table.pictures, labels, parts, strict=True):
        group = row[columns.group] if columns.group is not None else ""
        yield row[columns.image], path, _Claim(part, label, group)


def _list_labels(table: _Table) -> list[str]:
    """The class of each row; an empty text where it has none."""
    columns, rows = table.columns, table.rows.rows
    if len(columns.labels) > 1:  # one column for each class
        names = table.rows.columns
        marked = ([i for i in columns.labels if row[i] in ("1", "1.0")] for row in rows)
        return [names[found[0]] if found else "" for found in marked]
    (column,) = columns.labels
    labels = ["" if row[column].lower() == "nan" else row[column] for row in rows]
    if all(WHOLE.fullmatch(label) for label in labels if label):
        # A column of whole numbers with gaps is written with decimals by many programs.
        labels = [label.partition(".")[0] for label in labels]
    return labels


def _list_parts(table: _Table, index: PictureIndex) -> list[Part | None]:
    """The part of each row: by a column, by the name of the table, or by folders of pictures."""
    if table.columns.split is not None:
        i = table.columns.split
        words = [row[i] for row in table.rows.rows]
        split = tell_split(table.rows.columns[i], {*words})
        return [split[word] for word in words]
    if table.part is not None:
        return [table.part] * len(table.rows.rows)
    told = [
        next(iter(tell_parts(index.show(path).rpartition("/")[0])), None) if path else None
        for path in table.pictures
    ]
    if len({"train"} & {*told}) + len({"val", "test"} & {*told}) < 2:
        return ["train"] * len(table.rows.rows)
    return told


def _check_gone(gone: Sequence[str], there: int, options: SourceOptions) -> None:
    if gone and (options.strict or len(gone) > there):
        raise DataError(
            f"{len(gone):,} of {len(gone) + there:,} rows name pictures that are not there, such "
            f"as {gone[0]:.200}; get all pictures, or the table that belongs to them"
        )


def _check_torn(
    torn: Sequence[str], claims: Mapping[str, set[_Claim]], options: SourceOptions, root: Path
) -> None:
    """Refuse a table that describes pictures by several rows, such as one of boxes."""
    if len(torn) > (0 if options.strict else max(3, MOST_TORN * len(claims))):
        first = min(torn)
        words = sorted({f"'{claim.label:.40}' ({claim.part})" for claim in claims[first]})
        raise DataError(
            f"{len(torn):,} of {len(claims):,} pictures are named with several classes or parts, "
            f"such as {show_inside(first, root)} with {name_some(words)}; expected one of each"
        )
