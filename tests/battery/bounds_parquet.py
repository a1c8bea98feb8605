"""Parquet files that claim rows, pages, columns, depth and bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.battery.bounds_case import Case, fifo, load, put
from tests.battery.craft_parquet import (
    BYTES,
    DELTA_BYTES,
    DELTA_LENGTHS,
    FIXED,
    INT64,
    PLAIN,
    ZSTD,
    Column,
    Lies,
    Listed,
    Long,
    Page,
    change,
    encode,
    images,
    labels,
    plain_images,
    repeated,
    spell_schema,
    write_parquet,
)
from tests.support.sources import encode_picture, make_pixels

MANY = 700_000_000
ONE = encode_picture(make_pixels(1)[0].transpose(1, 2, 0))
SLOW = ("3 GB", "one picture 9,000", "33 MB", "half a million", "10,000 rows")


def list_parquet() -> Iterator[Case]:
    """Files to refuse, then those to accept."""
    for name, build, says in (*list_files(), *list_pages(), *list_footers(), *list_honest()):

        def make(folder: Path, build: Callable[[], bytes] = build) -> Path:
            return put("train.parquet", build())(folder)

        needs = 10_000 * 64 * 2 if name.startswith("10,000") else 0
        yield Case("parquet", name, make, load, says, needs, name.startswith(SLOW))
    yield Case(
        "parquet", "one shard of 99,999", make_shard, load, "00000-of-99999.parquet is missing"
    )
    yield Case("parquet", "a pipe", fifo("train.parquet"), load, "a pipe, a socket or a device")


File = tuple[str, Callable[[], bytes], str | None]


def make_shard(folder: Path) -> Path:
    """One of many shards."""
    return put("train-99998-of-99999.parquet", write([images(), labels()], 12))(folder).parent


def write(columns: list[Column], n: int, **lies: object) -> bytes:
    """A file of a column of pictures and one of labels."""
    return write_parquet(columns, n, Lies(**lies))  # type: ignore[arg-type]


def list_files() -> Iterator[File]:
    """Rows and values that nothing in the file holds."""
    picture, zero = repeated(b"img", BYTES, ONE, MANY), repeated(b"label", INT64, bytes(8), MANY)
    yield (
        "700 million labels in 30 bytes",
        lambda: write([picture, zero], MANY),
        "claims 700,000,000 rows",
    )
    yield (
        "12 rows and 700 million labels",
        lambda: write([images(), zero], 12),
        "a page that claims",
    )
    claims = "claims 700,000,000 values in 12 rows"
    yield "700 million values", lambda: write([images(), labels()], 12, values=MANY), claims
    rows = lambda: write([images(), labels()], 12, rows=2**62)  # noqa: E731
    yield "2^62 rows", rows, f"claims {2**62:,} rows"
    yield "less than no rows", lambda: write([images(), labels()], 12, rows=-1), "claims -1 rows"
    groups = lambda: write([images(), labels()], 12, groups=500)  # noqa: E731
    yield "500 row groups of the same pages", groups, "bytes of pages in"
    bitmap = BytesIO()
    Image.new("RGB", (800, 800)).save(bitmap, "BMP")
    again = lambda: write(  # noqa: E731
        [repeated(b"img", BYTES, bitmap.getvalue(), 9000), labels(9000)], 9000
    )
    yield "one picture 9,000 times", again, "over and over"


def list_pages() -> Iterator[File]:
    """Pages that claim what they do not hold, or unpack to far more."""
    for column, name in ((0, "pictures"), (1, "labels")):
        with_page = lambda c=column, **claims: write(  # noqa: E731
            [change(each, **claims) if i == c else each for i, each in enumerate(both())], 12
        )
        cases = {
            "2 GB": ({"unpacked": 2**31 - 1}, "a page of 2,147,483,647 bytes"),
            "less than no bytes": ({"unpacked": -1}, "a page of -1 bytes"),
            "a length of -5": ({"packed": -5}, "ends beyond the file"),
            "a length beyond the file": ({"packed": 10**9}, "ends beyond the file"),
            "2^31 values": ({"values": 2**31 - 1}, "a page that claims 2147483647 of 12"),
            "encoded as lengths": ({"encoding": DELTA_LENGTHS}, "pages in encoding 6"),
            "encoded as changes": ({"encoding": DELTA_BYTES}, "pages in encoding 7"),
            "an endless header": ({"header": endless()}, "header does not end"),
            "no header": ({"header": b"\0"}, "a page without its length"),
            "a number of 70 bits": ({"header": b"\x15" + b"\xff" * 10}, "more than 64 bits"),
            "a field of a kind that is none": ({"header": b"\x1d"}, "unknown kind 13"),
            "2,000 fields": ({"header": b"\x15\0" * 2000}, "more fields"),
            "structs in structs": ({"header": b"\x1c" * 60}, "more than 16 deep"),
        }
        for claim, (fields, says) in cases.items():
            yield f"a page of {name}: {claim}", lambda w=with_page, f=fields: w(**f), says
    bomb = Column(b"img", BYTES, [Page(plain_images([bytes(40_000_000)]), 12)], ZSTD)
    yield "a page of 40 MB in 4 kB", lambda: write([bomb, labels()], 12), "at most 32,000,000"
    pages = [Page(plain_images([ONE]) + bytes(10_000_000), 1) for _ in range(12)]
    many = Column(b"img", BYTES, pages, ZSTD)
    yield "12 pages of 10 MB in 1 kB each", lambda: write([many, labels()], 12), "unpacks"
    empty = Page(b"", 0)
    crumbs = lambda: write(  # noqa: E731
        [replace(images(), pages=[empty] * 20_001 + images().pages), labels()], 12
    )
    yield "20,001 pages without a value", crumbs, "more than 20,000 pages"
    yield "a label of 30 MB in each of 9,000 rows", make_long, "a text of 30,000,000 characters"
    entries = change(repeated(b"img", BYTES, ONE, 12), values=2**31 - 1)
    yield (
        "a dictionary of 2^31 entries",
        lambda: write([entries, labels()], 12),
        "a page that claims",
    )
    words = change(repeated(b"img", BYTES, ONE, 12), encoding=DELTA_BYTES)
    yield "a dictionary of changes", lambda: write([words, labels()], 12), "in encoding 7"


def make_long() -> bytes:
    """A label that a dictionary repeats, in a column that says that it holds text."""
    schema = [*spell_schema(both())[:2], encode({1: BYTES, 3: 0, 4: b"label", 6: 0})]
    columns = [
        repeated(b"img", BYTES, ONE, 9000),
        repeated(b"label", BYTES, b"x" * 30_000_000, 9000),
    ]
    return write(columns, 9000, schema=schema)


def both() -> list[Column]:
    """Both columns as they should be."""
    return [images(), labels()]


def endless() -> bytes:
    """A header with a minimum of two megabytes."""
    return encode({1: 0, 2: 9, 3: 9, 5: {1: 12, 2: 0, 3: 3, 4: 3, 5: {1: bytes(2_000_000)}}})


def list_footers() -> Iterator[File]:
    """Footers that take far more memory than their bytes, or nest."""
    fields = "more fields and entries than any footer has"
    chunk = encode({2: Long(4)})
    chunks = lambda: write(both(), 12, chunks=[chunk] * 200_000)  # noqa: E731
    yield "200,000 column chunks", chunks, fields
    groups = lambda: write(both(), 12, groups=40_000)  # noqa: E731
    yield "40,000 row groups", groups, fields
    more = lambda: write(both(), 12, more={9: Listed([], claims=2**31, kind=12)})  # noqa: E731
    yield "a list of 2^31", more, "footer is cut short"
    numbers = lambda: write(both(), 12, more={9: Listed([b"\0" * 500_000], 500_000, 3)})  # noqa: E731
    yield "half a million numbers", numbers, fields
    wide = lambda: write(  # noqa: E731
        both(), 12, schema=[encode({1: 1, 3: 0, 4: b"c"})] * 100_000
    )
    yield "100,000 columns", wide, fields
    group = encode({3: 0, 4: b"g", 5: 1})
    deep = [encode({4: b"schema", 5: 3}), *spell_schema(both())[1:], *[group] * 1000]
    leaf = encode({1: 1, 3: 0, 4: b"x"})
    yield "groups 1,000 deep", lambda: write(both(), 12, schema=[*deep, leaf]), "nested"
    nested: dict[int, object] = {}
    for _ in range(40):
        nested = {1: nested}
    yield "structs 40 deep", lambda: write(both(), 12, more={9: nested}), "more than 16 deep"
    lists = lambda: write(both(), 12, more={9: Listed([b"\x19" * 40], 1, 9)})  # noqa: E731
    yield "lists 40 deep", lists, "more than 16 deep"
    text = lambda: write(both(), 12, metadata=[(b"a", bytes(33_000_000))])  # noqa: E731
    yield "33 MB of metadata", text, "its footer has"
    names = json.dumps({"info": {"features": {"label": {"names": [*map(str, range(50_000))]}}}})
    named = lambda: write(both(), 12, metadata=[(b"huggingface", names.encode())])  # noqa: E731
    yield "50,000 class names", named, "50000 class names"
    fixed = [encode({4: b"schema", 5: 2}), encode({1: FIXED, 2: 8, 3: 0, 4: b"img"})]
    column = replace(images(), type=FIXED)
    yield (
        "pictures of fixed length",
        lambda: write([column, labels()], 12, schema=[*fixed, spell_schema(both())[2]]),
        "holds FIXED_LEN_BYTE_ARRAY",
    )
    yield (
        "a list of pictures in a row",
        lambda: write([replace(images(), repetition=2), labels()], 12),
        "or lists; expected one",
    )


def list_honest() -> Iterator[File]:
    """What is large and true, or odd and harmless."""
    yield "as it should be", lambda: write(both(), 12), None
    yield "packed", lambda: write([images(codec=ZSTD), labels(codec=ZSTD)], 12), None
    # The same two pictures again and again would leave a class without an image for the test.
    yield "10,000 rows of labels in 30 bytes", make_many, None
    deep = b"[" * 5000
    metadata = lambda: write(both(), 12, metadata=[(b"huggingface", deep)])  # noqa: E731
    yield "metadata 5,000 deep", metadata, None
    yield "long metadata", lambda: write(both(), 12, metadata=[(b"a", bytes(10**6))]), None


def make_many() -> bytes:
    """Many small pictures, and labels that take next to nothing."""
    n = 10_000
    # Grey PPM pictures, each unlike the others.
    contents = [
        b"P5 8 8 255 " + struct.pack("<QQ", i * 0x9E3779B97F4A7C15 % 2**64, i) * 4 for i in range(n)
    ]
    step = 1000
    pages = [Page(plain_images(contents[i : i + step]), step, PLAIN) for i in range(0, n, step)]
    halves = [Page(struct.pack("<qq", 0, 1), 2, kind=2)]
    run = b"\x01" + b"".join(varint_run(n // 2, value) for value in (0, 1))
    return write(
        [Column(b"img", BYTES, pages), Column(b"label", INT64, [*halves, Page(run, n, 8)])], n
    )


def varint_run(length: int, value: int) -> bytes:
    """A run of one value."""
    from tests.battery.craft_parquet import varint

    return varint(length << 1) + bytes([value])
