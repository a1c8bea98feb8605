"""What a Parquet file claims, checked before pyarrow acts on it.

A few bytes can claim any number of rows, columns and bytes, and pyarrow sets memory aside for what
is claimed. So the headers are read here first: the footer, and the header of each page of the
columns that are wanted. They are Thrift structs in its compact protocol.
https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from smallvision.records.files import BOMB_BYTES, BOMB_RATIO

MAX_FOOTER_BYTES = 32_000_000
MAX_STEPS = 400_000  # fields and entries of a footer; each may take 360 bytes in memory
MAX_LEVELS = 16
MAX_PAGE_BYTES = 32_000_000
MAX_PAGES = 20_000
# A picture takes 50 bytes or more; packed and with many copies, somewhat less.
FREE_ROWS, BYTES_PER_ROW = 10_000, 8
_HEADER_BYTES = 16_384, 1_000_000  # of a page: what is read at first, and at most
# Numbers of encodings: those that cannot make many bytes of few without a dictionary.
_PLAIN, _DICTIONARY, _RLE, _DELTA_NUMBERS = 0, (2, 8), 3, 5
_ALLOWED: dict[str, tuple[int, ...]] = {
    "BOOLEAN": (_PLAIN, _RLE),
    "FLOAT": (_PLAIN, *_DICTIONARY),
    "DOUBLE": (_PLAIN, *_DICTIONARY),
    "BYTE_ARRAY": (_PLAIN, *_DICTIONARY),
    "INT32": (_PLAIN, *_DICTIONARY, _RLE, _DELTA_NUMBERS),
    "INT64": (_PLAIN, *_DICTIONARY, _RLE, _DELTA_NUMBERS),
}


class _Thrift:
    """Reads structs; of lists and texts only their lengths count."""

    def __init__(self, data: bytes, steps: int) -> None:
        self.data, self.at, self.steps = data, 0, steps

    def struct(self, level: int = 0) -> dict[int, Any]:
        """The next struct, as a dict from the numbers of its fields to their values."""
        if level > MAX_LEVELS:
            raise ValueError(f"structs are nested more than {MAX_LEVELS} deep")
        fields: dict[int, Any] = {}
        number = 0
        while True:
            self._step()
            head = self._byte()
            if head == 0:
                return fields
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind, level)

    def _value(self, kind: int, level: int) -> Any:
        if kind in (1, 2, 3):
            return self._byte()
        if kind in (4, 5, 6):
            return self._integer()
        if kind == 12:
            return self.struct(level + 1)
        if kind in (9, 10):
            return self._list(level)
        if kind not in (7, 8):
            raise ValueError(f"a field of unknown kind {kind}")
        size = 8 if kind == 7 else self._varint()
        self.at += size
        if self.at > len(self.data):
            raise IndexError
        return None

    def _list(self, level: int) -> None:
        if level > MAX_LEVELS:
            raise ValueError(f"lists are nested more than {MAX_LEVELS} deep")
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._varint()
        for _ in range(size):
            self._step()
            self._value(head & 15, level + 1)

    def _step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise ValueError("more fields and entries than any footer has")

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise ValueError("a number of more than 64 bits")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def check_footer(file: BinaryIO) -> None:
    """Refuse a footer that takes far more memory than its bytes; others are left to pyarrow.

    Raises:
        ValueError: it does.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] == b"PAR1" and length <= size - 8:
        if length > MAX_FOOTER_BYTES:
            raise ValueError(
                f"its footer has {length:,} bytes; expected at most {MAX_FOOTER_BYTES:,}"
            )
        file.seek(size - 8 - length)
        try:
            _Thrift(file.read(length), MAX_STEPS).struct()
        except IndexError as error:
            raise ValueError("its footer is cut short") from error
    file.seek(0)


def check_columns(file: BinaryIO, metadata: Any, columns: Sequence[int]) -> tuple[int, int]:
    """Refuse columns that claim far more rows or bytes than the file can hold.

    Args:
        file: the file.
        metadata: pyarrow's, of the file.
        columns: numbers of the wanted columns.

    Returns: the bytes of the largest page, and of all pages, unpacked.

    Raises:
        ValueError: they do, or a header is damaged.
    """
    size = file.seek(0, 2)
    rows = metadata.num_rows
    if not 0 <= rows <= FREE_ROWS + size // BYTES_PER_ROW:
        raise ValueError(f"it claims {rows:,} rows in {size:,} bytes")
    packed = unpacked = largest = pages = 0
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        for j in columns:
            chunk = group.column(j)
            _check_kind(chunk, metadata.schema.column(j))
            if chunk.num_values != group.num_rows:
                raise ValueError(
                    f"it claims {chunk.num_values:,} values in {group.num_rows:,} rows"
                )
            packed += chunk.total_compressed_size
            if chunk.total_compressed_size < 0 or packed > size:
                raise ValueError(f"it claims {packed:,} bytes of pages in {size:,} bytes")
            for page in _read_pages(file, chunk, size):
                pages, unpacked, largest = pages + 1, unpacked + page, max(largest, page)
                if pages > MAX_PAGES:
                    raise ValueError(f"it has more than {MAX_PAGES:,} pages")
    if unpacked > max(BOMB_BYTES, BOMB_RATIO * packed):
        raise ValueError(f"it unpacks {packed:,} bytes to {unpacked:,}")
    file.seek(0)
    return largest, unpacked


def _check_kind(chunk: Any, column: Any) -> None:
    if chunk.physical_type not in _ALLOWED or column.max_repetition_level:
        raise ValueError(
            f"column '{chunk.path_in_schema:.40}' holds {chunk.physical_type} or lists; expected "
            "one picture (bytes) or one label per row"
        )


def _read_pages(file: BinaryIO, chunk: Any, size: int) -> Any:
    """Yield the unpacked bytes of each page of a column chunk."""
    at = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < (chunk.dictionary_page_offset or 0) < at:
        at = chunk.dictionary_page_offset
    left = chunk.num_values
    while left > 0:
        header, start = _read_header(file, at)
        unpacked, packed = header.get(2), header.get(3)
        if not isinstance(unpacked, int) or not isinstance(packed, int):
            raise ValueError("a page without its length")
        if not 0 <= unpacked <= MAX_PAGE_BYTES:
            raise ValueError(
                f"a page of {unpacked:,} bytes; expected at most {MAX_PAGE_BYTES:,}: write smaller "
                "row groups"
            )
        at = start + packed
        if packed < 0 or at > size:
            raise ValueError(f"a page of {packed:,} bytes, which ends beyond the file")
        left -= _check_page(header, chunk)
        yield unpacked


def _check_page(header: dict[int, Any], chunk: Any) -> int:
    """How many values of the column a page holds."""
    about: dict[int, Any] = next(
        (header[i] for i in (5, 7, 8) if isinstance(header.get(i), dict)), {}
    )
    values, kind = about.get(1), header.get(1)
    if not isinstance(values, int) or not 0 <= values <= chunk.num_values:
        raise ValueError(f"a page that claims {values} of {chunk.num_values:,} values")
    if kind not in (0, 2, 3):
        return 0  # a page of an index, which pyarrow passes over
    encoding = about.get(4 if kind == 3 else 2)
    if encoding not in _ALLOWED[chunk.physical_type]:
        raise ValueError(f"pages in encoding {encoding}; write it plain or with a dictionary")
    return 0 if kind == 2 else values


def _read_header(file: BinaryIO, at: int) -> tuple[dict[int, Any], int]:
    """The header of the page at a place in the file, and where its content begins."""
    for length in _HEADER_BYTES:
        file.seek(at)
        thrift = _Thrift(file.read(length), 1000)
        try:
            return thrift.struct(), at + thrift.at
        except IndexError:
            continue
    raise ValueError("a page whose header does not end")
