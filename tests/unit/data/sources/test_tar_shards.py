"""Shards of webdataset are read where they lie."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.data.loading.load import load_data
from smallvision.data.loading.origin import describe_origin, load_again
from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.sources.source import SourceOptions
from smallvision.data.sources.table import recognize
from smallvision.data.storage.room import cache_folder
from smallvision.errors import DataError
from tests.support.sources import encode_picture, make_pixels

Members = list[tuple[str, bytes]]


def make_samples(n: int, *, seed: int = 0, fields: bool = False, start: int = 0) -> Members:
    members: Members = []
    for i, pixels in enumerate(make_pixels(n, seed)):
        members.append((f"s/{start + i:06d}.png", encode_picture(pixels.transpose(1, 2, 0))))
        label = (b"cat", b"dog")[i % 2]
        told = json.dumps({"width": 32, "label": label.decode()}).encode() if fields else label
        members.append((f"s/{start + i:06d}.{'json' if fields else 'cls'}", told))
    return members


def write_shard(path: Path, members: Members) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("fields", [False, True])
@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_parts_by_the_names_of_shards(tmp_path: Path, fields: bool, ending: str) -> None:
    for part, number, seed in (("train", 0, 1), ("train", 1, 2), ("val", 0, 3), ("test", 0, 4)):
        path = tmp_path / f"set-{part}-{number:06d}.{ending}"
        write_shard(path, make_samples(20, seed=seed, fields=fields, start=100 * number))
    data = load_data(tmp_path)
    assert data.val is not None
    assert (len(data.train), len(data.val), len(data.test)) == (40, 20, 20)
    assert data.train.class_names == ("cat", "dog")
    assert data.train.labels.tolist() == [0, 1] * 20
    expected = np.concatenate([make_pixels(20, 1), make_pixels(20, 2)])
    assert np.array_equal(data.train.images[:], expected)
    assert np.array_equal(open_sealed_test(data.test).images[:], make_pixels(20, 4))
    assert not (cache_folder() / "unpacked").exists()


def test_a_folder_for_each_part_a_single_tar_and_a_pattern(tmp_path: Path) -> None:
    for part in ("train", "test"):
        write_shard(tmp_path / "in" / part / "0000.tar", make_samples(20, seed=len(part)))
    assert len(load_data(tmp_path / "in").test) == 20
    one = write_shard(tmp_path / "some.tar", make_samples(20))
    assert len(load_data(one).test) == 4, "a fifth is carved"
    named = load_data(tmp_path / "in", train=one, test=tmp_path / "in" / "test" / "0000.tar")
    assert (len(named.train), len(named.test)) == (20, 20)
    for number in range(3):
        write_shard(
            tmp_path / "many" / f"train-{number:04d}.tar",
            make_samples(20, seed=number, start=20 * number),
        )
    data = load_data(tmp_path / "many" / "train-000[01].tar")
    assert (data.name, len(data.train) + len(data.test)) == ("many", 40)
    again = load_again(tmp_path, data.name, describe_origin(data), None, None)
    assert again.train.fingerprint == data.train.fingerprint


def test_what_is_no_sample_is_counted(tmp_path: Path) -> None:
    members = make_samples(20)
    picture = members[0][1]
    more = [
        ("s/9.png", picture),
        ("s/a.cls", b"cat"),
        ("s/b.png", picture),
        ("s/b.txt", b"a cat"),
        ("s/b.cls", b"cat"),
        ("._b.cls", b"of the system"),
    ]
    layout = recognize(write_shard(tmp_path / "train-0000.tar", members + more), SourceOptions())
    decoded = layout.read("train")
    assert len(decoded.images) == 21
    assert {(one.reason, one.count) for one in decoded.left_out} == {
        ("without a label", 1),
        ("without a picture", 1),
        ("a member of a shard that is neither a picture nor a class", 1),
    }


def test_numbers_are_classes_in_their_order(tmp_path: Path) -> None:
    members = make_samples(24)
    for i in range(12):
        for k in (i, 12 + i):
            members[2 * k + 1] = (members[2 * k + 1][0], f" {i}\n".encode())
    decoded = recognize(write_shard(tmp_path / "x.tar", members), SourceOptions()).read("train")
    assert decoded.images.class_names == tuple(map(str, range(12)))
    assert decoded.images.labels.tolist() == [*range(12)] * 2


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (("s/z.cls", b""), "s/z.cls is empty; expected a class"),
        (("s/z.cls", b"x" * 2000), "s/z.cls has 2,000 bytes; expected at most 1,020"),
        (("s/z.json", b"{"), "s/z.json cannot be read as JSON"),
        (("s/z.json", b"[" * 1000), "s/z.json cannot be read as JSON"),
        (("s/z.json", b" " * 1_000_001), "s/z.json has 1,000,001 bytes; expected at most"),
    ],
)
def test_a_hostile_member_is_one_error(tmp_path: Path, member: Any, said: str) -> None:
    path = write_shard(tmp_path / "train-0000.tar", [*make_samples(20), member])
    with pytest.raises(DataError, match=f"train-0000.tar: {said}"):
        load_data(tmp_path)
    assert path.exists()


def test_a_shard_that_is_cut_short_or_missing_is_one_error(tmp_path: Path) -> None:
    for number in (0, 1, 3):
        path = write_shard(tmp_path / f"train-{number:04d}.tar", make_samples(20, seed=number))
    with pytest.raises(DataError, match=r"train-0002\.tar is missing; get all shards"):
        load_data(tmp_path)
    path.rename(tmp_path / "train-0002.tar")
    path = tmp_path / "train-0002.tar"
    content = path.read_bytes()
    for size in range(20_000, 24_000, 512):
        path.write_bytes(content[: size + 100])
        with pytest.raises(DataError, match=r"train-0002\.tar: .*cut short"):
            load_data(tmp_path)


def test_a_link_in_a_shard_is_passed_over(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "train-0000.tar", make_samples(20))
    with tarfile.open(path, "a") as tar:
        for name in ("s/l.png", "s/l.cls"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
    assert len(load_data(tmp_path).train) == 16


def test_a_tar_of_class_folders_is_still_unpacked(tmp_path: Path) -> None:
    members = [
        (f"{kind}/{i}.png", encode_picture(pixels.transpose(1, 2, 0)))
        for kind in ("cat", "dog")
        for i, pixels in enumerate(make_pixels(10, len(kind) + ord(kind[0])))
    ]
    data = load_data(write_shard(tmp_path / "pets.tar", members))
    assert data.train.class_names == ("cat", "dog")
    assert (cache_folder() / "unpacked").exists()
