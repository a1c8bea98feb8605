"""Claims of Parquet files are compared with their bytes before pyarrow acts on them."""

from __future__ import annotations

import io

import pytest

from smallvision.data.decoding import parquet_claims, parquet_file
from smallvision.data.decoding.parquet_claims import check_footer
from smallvision.data.decoding.parquet_file import read_columns, read_labels, read_rows
from tests.battery.bounds_parquet import ONE, both, write
from tests.battery.craft_parquet import BYTES, Listed, encode, images, labels, repeated

pytest.importorskip("pyarrow")


@pytest.fixture
def place(tmp_path):
    def make(content):
        path = tmp_path / "it.parquet"
        path.write_bytes(content)
        return path

    return make


def read(path):
    columns = read_columns(path)
    return len(list(read_rows(path, columns))), len(read_labels(path, columns))


def test_a_file_written_by_hand_is_one(place):
    assert read(place(write(both(), 12))) == (12, 12)


def test_files_of_pyarrow_pass(write_parquet, tmp_path):
    for number, plain in enumerate((True, False)):
        assert read(write_parquet(tmp_path / f"{number}.parquet", n=30, plain=plain)) == (30, 30)


@pytest.mark.parametrize("codec", ["none", "snappy", "zstd", "gzip"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_every_codec_and_kind_of_page_passes(codec, version, write_parquet, tmp_path):
    from pyarrow import parquet

    table = parquet.read_table(write_parquet(tmp_path / "a.parquet", n=30))
    parquet.write_table(
        table,
        tmp_path / "b.parquet",
        compression=codec,
        data_page_version=version,
        row_group_size=7,
        write_page_checksum=True,
    )
    assert read(tmp_path / "b.parquet") == (30, 30)


def test_rows_follow_from_bytes(place, refuses, monkeypatch):
    path = place(write(both(), 12))
    monkeypatch.setattr(parquet_claims, "FREE_ROWS", 0)
    monkeypatch.setattr(parquet_claims, "BYTES_PER_ROW", path.stat().st_size // 12)
    assert read(path) == (12, 12)
    monkeypatch.setattr(parquet_claims, "BYTES_PER_ROW", path.stat().st_size // 11)
    with refuses("it claims 12 rows in"):
        read(path)


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("MAX_PAGE_BYTES", 50, "expected at most 50: write smaller row groups"),
        ("MAX_PAGES", 0, "it has more than 0 pages"),
        ("MAX_FOOTER_BYTES", 50, "its footer has"),
        ("MAX_STEPS", 20, "more fields and entries than any footer has"),
        ("MAX_LEVELS", 2, "more than 2 deep"),
    ],
)
def test_each_limit_is_one(limit, value, words, place, refuses, monkeypatch):
    path = place(write(both(), 12))
    monkeypatch.setattr(parquet_claims, limit, value)
    with refuses("it.parquet cannot be read as Parquet", words):
        read(path)


def test_unpacked_bytes_follow_from_packed_ones(place, refuses, monkeypatch):
    path = place(write(both(), 12))
    monkeypatch.setattr(parquet_claims, "BOMB_BYTES", 50)
    monkeypatch.setattr(parquet_claims, "BOMB_RATIO", 0)
    with refuses("it unpacks"):
        read(path)


def test_a_picture_that_is_repeated(place, refuses, monkeypatch):
    path = place(write([repeated(b"img", BYTES, ONE, 12), labels()], 12))
    assert read(path) == (12, 12)
    monkeypatch.setattr(parquet_file, "FREE_BYTES", 0)
    with refuses("it.parquet holds its pictures over and over"):
        read(path)


def test_few_rows_are_read_at_once_where_pages_are_large(place, monkeypatch):
    monkeypatch.setattr(parquet_file, "_BYTES_AT_ONCE", 1)
    assert read(place(write(both(), 12))) == (12, 12)


def test_class_names_of_deep_metadata_are_none(place):
    path = place(write(both(), 12, metadata=[(b"huggingface", b"[" * 100_000)]))
    assert read_columns(path).class_names is None


def test_many_columns_are_named_in_part(place, refuses):
    names = [encode({4: b"schema", 5: 500})]
    names += [encode({1: 1, 3: 0, 4: b"column%d" % i}) for i in range(500)]
    path = place(write([], 0, schema=names))
    with refuses("column9 and 490 more"):
        read_columns(path)


def test_every_cut_of_a_footer_is_noticed():
    content = write(both(), 12, more={9: Listed([b"\x14"], kind=5), 10: 2**20})
    check_footer(io.BytesIO(content))
    length = int.from_bytes(content[-8:-4], "little")
    for cut in range(1, length):
        tail = (length - cut).to_bytes(4, "little") + b"PAR1"
        with pytest.raises(ValueError, match="cut short"):
            check_footer(io.BytesIO(content[: -8 - cut] + tail))


def test_lists_of_pictures_are_refused(place, refuses):
    from dataclasses import replace

    with refuses("column 'img' holds BYTE_ARRAY or lists"):
        read(place(write([replace(images(), repetition=2), labels()], 12)))
