"""Damaged and hostile archives are refused, and nothing is written."""

from __future__ import annotations

import gzip
import tarfile

import numpy as np
import pytest

from smallvision.data.decoding import tar
from smallvision.data.loading.load import load_data
from smallvision.errors import DataError
from tests.support.sources import find_archive, pack


def test_every_truncation_is_noticed(write_cifar, tmp_path, refuses):
    content = pack(write_cifar(find_archive("cifar100", "binary"), per_batch=4)).read_bytes()
    place = tmp_path / "cut.tar.gz"
    for end in np.linspace(0, len(content) - 1, 25).astype(int):
        place.write_bytes(content[:end])
        with refuses(place):
            load_data(place)


def test_no_bit_flip_loads_in_silence(write_cifar, tmp_path):
    original = pack(write_cifar(find_archive("cifar100", "binary"), per_batch=4))
    truth = load_data(original).train.fingerprint
    rng, place, noticed = np.random.default_rng(0), tmp_path / "flip.tar.gz", 0
    for _ in range(40):
        content = bytearray(original.read_bytes())
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        place.write_bytes(content)
        try:
            assert load_data(place).train.fingerprint == truth  # a flip in gzip's own date
        except DataError:
            noticed += 1
    assert noticed >= 35


def member(name: str, **fields) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


BATCH = "cifar-10-batches-py/data_batch_1"


@pytest.mark.parametrize(
    "hostile",
    [
        member("/abs/data_batch_1", size=10),
        member("../../outside", size=10),
        member("cifar-10-batches-py/../../outside", size=10),
        member("cifar-10-batches-py/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    ],
    ids=lambda info: info.name,
)
def test_strange_members_are_ignored_and_nothing_is_written(
    hostile, write_cifar, tmp_path, own_cache
):
    archive = pack(write_cifar(find_archive("cifar10", "python")), hostile)
    before = set(tmp_path.rglob("*"))
    assert len(load_data(archive).train) == 100
    after = {path for path in tmp_path.rglob("*") if own_cache not in (path, *path.parents)}
    assert after == before


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        (member(BATCH, type=tarfile.SYMTYPE, linkname="/etc/passwd"), "not a plain file"),
        (member(BATCH, type=tarfile.LNKTYPE, linkname="test_batch"), "not a plain file"),
        (member(BATCH, type=tarfile.CHRTYPE), "not a plain file"),
        (member(BATCH, type=tarfile.FIFOTYPE), "not a plain file"),
        (member(BATCH, type=tarfile.DIRTYPE), "not a plain file"),
        (
            member(BATCH, pax_headers={"GNU.sparse.map": "0,1", "GNU.sparse.size": "100000"}),
            "not a plain file",
        ),
        (member(BATCH, size=10**10), "expected at most"),
    ],
    ids=["symlink", "hardlink", "device", "fifo", "folder", "sparse", "huge"],
)
def test_a_batch_must_be_a_plain_small_file(hostile, words, write_cifar, refuses):
    archive = pack(write_cifar(find_archive("cifar10", "python")), hostile)
    with refuses(archive, words):
        load_data(archive)


def test_a_batch_may_not_come_twice(write_cifar, refuses):
    again = member("cifar-10-batches-bin/data_batch_1.bin", size=3073)
    with refuses("data_batch_1.bin twice"):
        load_data(pack(write_cifar(find_archive("cifar10", "binary")), again))


def test_an_archive_that_unpacks_without_end(write_cifar, monkeypatch, refuses):
    archive = pack(write_cifar(find_archive("cifar10", "python")))
    monkeypatch.setattr(tar, "MAX_TOTAL_BYTES", 100_000)
    with refuses(archive, "unpacks to more than 100,000 bytes"):
        load_data(archive)


def test_a_sparse_member_of_nonsense_is_one_line(write_cifar, refuses):
    hostile = member("x", size=10, pax_headers={"GNU.sparse.map": "x"})
    with refuses("the archive cannot be read"):
        load_data(pack(write_cifar(find_archive("cifar10", "python")), hostile))


def read(archive) -> int:
    """The number of batches found, without the cache."""
    return len(list(tar.stream_members(archive, "cifar-10-batches-py", {"data_batch_1"})))


def test_limits_of_headers(write_cifar, monkeypatch, refuses):
    archive = pack(write_cifar(find_archive("cifar10", "python")), member("n" * 300, size=10))
    assert read(archive) == 1
    for limit, value, words in (
        ("MAX_MEMBERS", 9, "more than 9 members"),
        ("MAX_NOTE_BYTES", 200, "an extended header of"),
        ("MAX_HEADER_BYTES", 1000, "has a header of more than 1,000 bytes"),
        ("MAX_ARCHIVE_BYTES", 1000, "expected at most 1,000"),
    ):
        with monkeypatch.context() as patch, refuses(words):
            patch.setattr(tar, limit, value)
            read(archive)


def test_streams_of_gzip_that_follow_each_other(write_cifar, monkeypatch, refuses):
    archive = pack(write_cifar(find_archive("cifar10", "python")))
    content = gzip.decompress(archive.read_bytes())
    halves = [gzip.compress(half) for half in (content[:70_001], content[70_001:])]
    archive.write_bytes(b"".join(halves) + bytes(100))
    assert read(archive) == 1
    with monkeypatch.context() as patch, refuses("more than 1 gzip streams"):
        patch.setattr(tar, "MAX_STREAMS", 1)
        read(archive)
    archive.write_bytes(b"".join(halves)[:-4])
    with refuses("cut short"):
        read(archive)


def test_a_claim_beyond_all_archives_is_not_waited_for(write_cifar, refuses):
    hostile = member("x", pax_headers={"size": "9" * 18})
    with refuses("x claims 999,999,999,999,999,999 bytes"):
        load_data(pack(write_cifar(find_archive("cifar10", "python")), hostile))
