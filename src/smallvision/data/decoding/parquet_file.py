"""One Parquet file of pictures, read by pyarrow (an optional extra)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from smallvision.data.decoding.columns import IMAGES, LABELS, pick_column
from smallvision.data.decoding.labels import name_some
from smallvision.data.decoding.parquet_claims import check_columns, check_footer
from smallvision.data.decoding.regular import open_regular
from smallvision.errors import DataError
from smallvision.records.nesting import check_depth
from smallvision.shapes import MAX_NAME, Labels

_ROWS_AT_ONCE, _BYTES_AT_ONCE = 1024, 32_000_000
_BUFFER = 1 << 20  # bytes of a column that are read at once
# Different texts of a column in one row group: of labels, and of what pictures are grouped by.
MOST_WORDS, MOST_GROUPS = 20_000, 10_000_000
_MAX_NAMES_BYTES = 1_000_000  # of the metadata that name the classes
# Pictures that a dictionary repeats; more would let a small file fill hours.
COPIES, FREE_BYTES = 4, 1_000_000


@dataclass(frozen=True)
class Columns:
    """The column names of a shard, and its class names if it has any.

    Attributes:
        image, label: the columns of pictures and of labels.
        class_names: K names, or None.
        group: the column by which pictures are grouped, or None.
        notes: why these columns, where others might have been meant.
    """

    image: str
    label: str
    class_names: tuple[str, ...] | None
    group: str | None = None
    notes: tuple[str, ...] = ()

    def tell_difference(self, other: Columns) -> str | None:
        """Say why two shards cannot belong to one data set, or give None if they can.

        Class names are compared only where both have some.
        """
        if (self.image, self.label) != (other.image, other.label):
            return f"columns {self.image} and {self.label}, unlike {other.image} and {other.label}"
        if self.class_names is None or other.class_names is None:
            return None
        names = zip_longest(self.class_names, other.class_names, fillvalue="nothing")
        for k, (mine, theirs) in enumerate(names):
            if mine != theirs:
                return f"'{mine}' as class {k}, unlike '{theirs}'"
        return None


@dataclass(frozen=True, eq=False)
class LabelColumn:
    """The labels of a shard.

    Attributes:
        codes: int64 `(N,)`: whole numbers, or positions in `words`.
        words: different texts, or None where labels are numbers.
    """

    codes: Labels
    words: tuple[str, ...] | None = None

    @property
    def is_missing(self) -> bool:
        """Whether no row has a label, as in the test part of a contest."""
        return self.words is None and bool((self.codes < 0).all())


def read_columns(
    path: Path,
    image_column: str | None = None,
    label_column: str | None = None,
    group_by: str | None = None,
) -> Columns:
    """Find the picture and label columns of a shard, by their types and names.

    Args:
        path: the shard.
        image_column, label_column: the columns that the user named, or None.
        group_by: the column by which pictures are grouped, or None.

    Raises:
        DataError: it is no Parquet file or has no such columns, or pyarrow is not installed.
    """
    with _open(path) as opened:
        schema = opened.parquet.schema_arrow
        names = list(schema.names)
        if len(set(names)) < len(names):
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise DataError(f"{path.name} has two columns '{twice:.80}'; rename one")
        pictures = [name for name in names if _may_hold_pictures(name, schema.field(name).type)]
        labels = [name for name in names if _may_hold_labels(schema.field(name).type)]
    with_names = [name for name in labels if _find_names(schema.metadata, name)]
    try:
        image, notes = pick_column(IMAGES, pictures, names, image_column)
        others = [name for name in with_names or labels if name != image]
        label, more = pick_column(LABELS, others, names, label_column)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error
    if group_by is not None and group_by not in names:
        raise DataError(f"{path.name} has no column '{group_by:.80}'; it has {name_some(names)}")
    for name in (label, group_by):
        if name is not None and not _may_hold_labels(schema.field(name).type):
            raise DataError(f"{path.name}: column '{name:.80}' holds neither numbers nor text")
    return Columns(image, label, _find_names(schema.metadata, label), group_by, notes + more)


def _may_hold_pictures(name: str, kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    # A column of this name is read whatever its type, which is then told of.
    return types.is_binary(kind) or types.is_large_binary(kind) or name in ("img", "image")


def _may_hold_labels(kind: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return _is_text(kind) or any(
        fits(kind)
        for fits in (types.is_integer, types.is_floating, types.is_boolean, types.is_null)
    )


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def read_labels(path: Path, column: str, most_words: int | None = None) -> LabelColumn:
    """Read all labels of a shard.

    Args:
        path: the shard.
        column: its name.
        most_words: different texts that it may hold in one row group; by default as many as labels
            may.

    Raises:
        DataError: a label is missing, neither a whole number nor text, or the file is damaged.
    """
    with _open(path, column) as opened:
        opened.check_claims(column)
        found = opened.parquet.read(columns=[column]).column(0)
        if found.null_count and found.null_count == len(found):
            return LabelColumn(np.full(len(found), -1, dtype=np.int64))
        if found.null_count:
            raise DataError(f"{path.name}: {found.null_count} rows have no label; remove them")
        if len(found) == 0:
            raise DataError(f"{path.name} holds no images; remove it")
        words: dict[str, int] = {}
        where = f"{path.name}: column '{column}'"
        codes = [
            _read_chunk(chunk, words, most_words or MOST_WORDS, where) for chunk in found.chunks
        ]
    return LabelColumn(np.concatenate(codes), tuple(words) or None)


def _read_chunk(chunk: Any, words: dict[str, int], most_words: int, where: str) -> Labels:
    """The codes of a chunk of labels, whose texts are added to `words`."""
    from pyarrow import types

    if not types.is_dictionary(chunk.type):
        if types.is_boolean(chunk.type):
            for word in ("False", "True"):
                words.setdefault(word, len(words))
        return _as_whole_numbers(chunk.to_numpy(zero_copy_only=False), where)
    known, positions = chunk.dictionary, chunk.indices.to_numpy().astype(np.int64)
    if not _is_text(known.type):
        numbers: Labels = _as_whole_numbers(known.to_numpy(zero_copy_only=False), where)[positions]
        return numbers
    if len(known) > most_words:
        raise DataError(
            f"{where} holds {len(known):,} different texts; expected classes: name another with "
            "label_column"
        )
    texts = [str(text) for text in known.to_pylist()]
    longest = max(map(len, texts), default=0)
    if longest > MAX_NAME:
        raise DataError(
            f"{where} holds a text of {longest:,} characters; expected classes: name another with "
            "label_column"
        )
    codes = np.array([words.setdefault(text, len(words)) for text in texts], dtype=np.int64)
    placed: Labels = codes[positions]
    return placed


def _as_whole_numbers(values: Any, where: str) -> Labels:
    if values.dtype.kind == "f" and not (
        np.isfinite(values).all() and (values == np.rint(values)).all()
    ):
        raise DataError(f"{where} holds no whole numbers")
    numbers: Labels = values.astype(np.int64)
    return numbers


def read_words(path: Path, column: str) -> list[str]:
    """A column of numbers or text, as a word for each row.

    Raises:
        DataError: it holds something else, or the file is damaged.
    """
    found = read_labels(path, column, MOST_GROUPS)
    if found.words is None:
        return [str(code) for code in found.codes]
    return [found.words[code] for code in found.codes]


def read_rows(path: Path, columns: Columns) -> Iterator[tuple[str, Any]]:
    """The name of each row and its encoded picture; few are in memory at a time."""
    for row, content in enumerate(_read_encoded(path, columns)):
        yield f"{path.name}, row {row}", content


def check_embedded(content: Any, name: str) -> bytes:
    """The bytes of a picture in a row.

    Raises:
        DataError: it lies outside the file.
    """
    if not isinstance(content, bytes):
        raise DataError(f"{name}: the picture is not inside the file; embed its bytes")
    return content


def _read_encoded(path: Path, columns: Columns) -> Iterator[Any]:
    with _open(path) as opened:
        from pyarrow import types

        kind = opened.parquet.schema_arrow.field(columns.image).type
        leaf = f"{columns.image}.bytes" if types.is_struct(kind) else columns.image
        largest, unpacked = opened.check_claims(leaf)
        # A row may hold as much as a page, if that is a dictionary.
        rows = min(_ROWS_AT_ONCE, max(1, _BYTES_AT_ONCE // max(1, largest)))
        read = 0
        for batch in opened.parquet.iter_batches(
            batch_size=rows, columns=[leaf], use_threads=False
        ):
            column = batch.column(0)
            if types.is_struct(column.type):
                column = column.field("bytes")
            for content in column.to_pylist():
                read += len(content or b"")
                if read > COPIES * unpacked + FREE_BYTES:
                    raise DataError(
                        f"{path.name} holds its pictures over and over: more than {read:,} bytes "
                        f"of pictures in pages of {unpacked:,}"
                    )
                yield content


@dataclass(frozen=True)
class _Opened:
    """A file, as pyarrow sees it and as it is."""

    parquet: Any
    file: BinaryIO

    def check_claims(self, leaf: str) -> tuple[int, int]:
        """Bytes of the largest page of a column, and of all its pages; see `check_columns`."""
        metadata = self.parquet.metadata
        columns = [j for j in range(metadata.num_columns) if metadata.schema.column(j).path == leaf]
        return check_columns(self.file, metadata, columns)


@contextmanager
def _open(path: Path, text_column: str | None = None) -> Iterator[_Opened]:
    """Open a file.

    Args:
        path: of the file.
        text_column: a column whose texts are read once each, however many rows have them.
    """
    try:  # imported here, because pyarrow is an optional extra and slow to import
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise DataError(
            "reading Parquet needs pyarrow: pip install 'smallvision[parquet]'"
        ) from error
    try:
        with open_regular(path, path.name) as file:
            check_footer(file)
            with pq.ParquetFile(
                file,
                page_checksum_verification=True,
                pre_buffer=False,
                buffer_size=_BUFFER,
                read_dictionary=None if text_column is None else [text_column],
            ) as parquet:
                yield _Opened(parquet, file)
    except (pa.ArrowException, OSError, LookupError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path.name} cannot be read as Parquet ({reason}); if it is damaged, get it again"
        ) from error


def _find_names(metadata: Any, label: str) -> tuple[str, ...] | None:
    """The class names that Hugging Face writes into the schema, or None."""
    try:
        text = metadata[b"huggingface"][:_MAX_NAMES_BYTES].decode()
        check_depth(text)
        names = json.loads(text)["info"]["features"][label]["names"]
        return tuple(str(name) for name in names) or None
    except (KeyError, TypeError, ValueError):
        return None
