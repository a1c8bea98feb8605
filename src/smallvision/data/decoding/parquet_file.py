"""One Parquet file of pictures, read by pyarrow (an optional extra)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

from smallvision.data.decoding.labels import check_labels, name_some
from smallvision.data.decoding.parquet_claims import check_columns, check_footer
from smallvision.data.decoding.regular import open_regular
from smallvision.errors import DataError
from smallvision.records.nesting import check_depth
from smallvision.shapes import Labels

IMAGE_COLUMNS = ("img", "image")
LABEL_COLUMNS = ("fine_label", "label")
_ROWS_AT_ONCE, _BYTES_AT_ONCE = 1024, 32_000_000
_BUFFER = 1 << 20  # bytes of a column that are read at once
_MAX_NAMES_BYTES = 1_000_000  # of the metadata that name the classes
# Pictures that a dictionary repeats; more would let a small file fill hours.
COPIES, FREE_BYTES = 4, 1_000_000


@dataclass(frozen=True)
class Columns:
    """The column names of a shard, and its class names if it has any."""

    image: str
    label: str
    class_names: tuple[str, ...] | None

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


def read_columns(path: Path) -> Columns:
    """Find the picture and label columns of a shard.

    Raises:
        DataError: it is no Parquet file or has no such columns, or pyarrow is not installed.
    """
    with _open(path) as opened:
        schema = opened.parquet.schema_arrow
    image = next((name for name in IMAGE_COLUMNS if name in schema.names), None)
    label = next((name for name in LABEL_COLUMNS if name in schema.names), None)
    if image is None or label is None:
        raise DataError(
            f"{path.name} has the columns {name_some(schema.names)}; expected pictures in "
            f"{' or '.join(IMAGE_COLUMNS)} and labels in {' or '.join(LABEL_COLUMNS)}"
        )
    return Columns(image, label, _find_names(schema.metadata, label))


def read_labels(path: Path, columns: Columns, num_classes: int | None = None) -> Labels:
    """Read all labels of a shard, int64 `(N,)`.

    Args:
        path: the shard.
        columns: from `read_columns`.
        num_classes: K, or None to accept any that are not negative.

    Raises:
        DataError: a label is missing, no whole number or out of range, or the file is damaged.
    """
    with _open(path) as opened:
        from pyarrow import types

        if not types.is_integer(opened.parquet.schema_arrow.field(columns.label).type):
            raise DataError(f"{path.name}: column '{columns.label}' holds no whole numbers")
        opened.check_claims(columns.label)
        column = opened.parquet.read(columns=[columns.label]).column(0)
    if column.null_count:
        raise DataError(f"{path.name}: {column.null_count} rows have no label; remove them")
    if len(column) == 0:
        raise DataError(f"{path.name} holds no images; remove it")
    labels = column.to_numpy()
    K = num_classes if num_classes is not None else max(1, int(labels.max()) + 1)
    return check_labels(labels, K, path.name)


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
        if len(columns) != 1:
            raise ValueError(f"it has {len(columns)} columns '{leaf}'")
        return check_columns(self.file, metadata, columns)


@contextmanager
def _open(path: Path) -> Iterator[_Opened]:
    try:  # imported here, because pyarrow is an optional extra and slow to import
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise DataError("reading Parquet needs pyarrow: pip install 'smallvision[hub]'") from error
    try:
        with open_regular(path, path.name) as file:
            check_footer(file)
            with pq.ParquetFile(
                file, page_checksum_verification=True, pre_buffer=False, buffer_size=_BUFFER
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
