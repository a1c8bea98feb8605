"""Archives of any layout: what is loaded, where it is unpacked, what is refused."""

from __future__ import annotations

import io
import os
import shutil
import struct
import tarfile
import zipfile

import numpy as np
import pytest

from smallvision.data.decoding.formats import unpack as unpack_module
from smallvision.data.loading import unpacked
from smallvision.data.loading.load import load_data
from smallvision.errors import DataError, SettingError
from tests.support.sources import LABELS, PIXELS, encode_picture, plant_tree, write_pictures
from tests.unit.data.sources.test_known import write_mnist
from tests.unit.data.sources.test_tables import TEN, pictures, table, write_files

KINDS = {"zip": "zip", "tar": "tar", "gztar": "tar.gz"}


def pack(root, kind="zip", name="pets"):
    """An archive of a folder, beside it."""
    return root.parent / os.path.basename(  # noqa: PTH119
        shutil.make_archive(str(root.parent / name), kind, root)
    )


def write_parts(root):
    for part, n in (("train", 5), ("test", 3)):
        write_pictures(root / part, n=n)
    return root


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_archive(kind, tmp_path):
    write_parts(tmp_path / "all" / "pets")
    archive = pack(tmp_path / "all", kind, "cats.and.dogs")
    data = load_data(archive)
    assert (len(data.train), len(data.test), data.name) == (10, 6, "cats")
    assert (data.place, data.left_out) == (archive, ())
    assert data.train.fingerprint == load_data(tmp_path / "all" / "pets").train.fingerprint


def test_tgz_and_upper_case(tmp_path):
    write_parts(tmp_path / "pets")
    for kind, name in (("gztar", "a.tgz"), ("zip", "B.ZIP")):
        path = pack(tmp_path / "pets", kind).rename(tmp_path / name)
        assert len(load_data(path).train) == 10


def write_npz(root):
    root.mkdir(parents=True)
    np.savez(root / "x.npz", x=PIXELS, y=LABELS)


INSIDE = {
    "a table and pictures": (
        lambda root: write_files(
            root, {"labels.csv": table("id,label", TEN), **pictures("images/", TEN)}
        ),
        (8, 2),
    ),
    "MNIST": (lambda root: write_mnist(root), (40, 20)),
    "one npz": (write_npz, (32, 8)),
    "a folder in a folder, and papers": (
        lambda root: (
            write_parts(root / "data" / "deep"),
            write_files(root, {"README.md": "hello", "__MACOSX/._x": "x"}),
        ),
        (10, 6),
    ),
    "class folders": (lambda root: write_pictures(root), (8, 2)),
}


@pytest.mark.parametrize("name", INSIDE)
def test_every_layout_inside(name, tmp_path):
    write, counts = INSIDE[name]
    write(tmp_path / "set")
    data = load_data(pack(tmp_path / "set"))
    assert (len(data.train), len(data.test)) == counts


def test_options_reach_what_lies_inside(tmp_path):
    files = {f"{kind}.{i}.png": None for kind in ("cat", "dog") for i in range(5)}
    archive = pack(write_files(tmp_path / "set", files))
    assert load_data(archive, label_from=r"^([a-z]+)\.").train.class_names == ("cat", "dog")
    write_npz(tmp_path / "arrays")
    with pytest.raises(SettingError, match=f"image_size does not apply to {tmp_path}/b.zip"):
        load_data(pack(tmp_path / "arrays", name="b"), image_size=16)


def test_it_is_unpacked_once_and_anew_when_it_changes(tmp_path, own_cache, monkeypatch):
    write_parts(tmp_path / "pets")
    archive = pack(tmp_path / "pets")
    first = load_data(archive)
    (shelf,) = (own_cache / "unpacked").iterdir()
    (home,) = shelf.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(unpacked, "unpack", lambda *_: pytest.fail("it was unpacked already"))
        assert load_data(archive).train.fingerprint == first.train.fingerprint
    shutil.rmtree(tmp_path / "pets")
    write_pictures(tmp_path / "pets", ("cow", "horse"))
    os.utime(pack(tmp_path / "pets"), ns=(1, 1))
    assert load_data(archive).train.class_names == ("cow", "horse")
    assert [one.name for one in shelf.iterdir()] != [home.name]
    assert len(list(shelf.iterdir())) == 1


def test_what_a_kill_left_behind_is_removed(tmp_path, own_cache):
    write_parts(tmp_path / "pets")
    archive = pack(tmp_path / "pets")
    load_data(archive)
    (shelf,) = (own_cache / "unpacked").iterdir()
    (home,) = shelf.iterdir()
    for name, age in (("tmp-old", 1), ("tmp-new", None)):
        (shelf / name).mkdir()
        if age:
            os.utime(shelf / name, (age, age))
    (home / "archive.json").unlink()
    load_data(archive)
    assert sorted(one.name for one in shelf.iterdir()) == sorted([home.name, "tmp-new"])


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch, refuses):
    write_parts(tmp_path / "pets")
    archive = pack(tmp_path / "pets")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SMALLVISION_CACHE", str(tmp_path / "file" / "cache"))
    with refuses(archive, "cannot be unpacked into the cache", "SMALLVISION_CACHE"):
        load_data(archive)


def test_an_error_inside_names_the_archive(tmp_path, own_cache):
    write_pictures(tmp_path / "pets", ("cat",))
    archive = pack(tmp_path / "pets")
    with pytest.raises(DataError) as caught:
        load_data(archive)
    assert str(archive) in str(caught.value)
    assert str(own_cache) not in str(caught.value)


def write_dogs_against_cats(root):
    """As Kaggle packs it: an archive for each part, and a form for answers."""
    cats = {f"cat.{i}.png": None for i in range(6)} | {f"dog.{i}.png": None for i in range(6)}
    for part, files in (("train", cats), ("test1", {f"{i}.png": None for i in range(4)})):
        write_files(root.parent / f"{part}-files" / part, files)
        pack(root.parent / f"{part}-files", name=part)
        root.mkdir(exist_ok=True)
        (root.parent / f"{part}.zip").rename(root / f"{part}.zip")
    write_files(root, {"sampleSubmission.csv": "id,label\n1,0\n"})
    return pack(root, name="dogs-vs-cats")


def test_archives_in_an_archive(tmp_path):
    archive = write_dogs_against_cats(tmp_path / "set")
    data = load_data(archive, label_from=r"^([a-z]+)\.")
    assert (data.train.class_names, len(data.train), len(data.test)) == (("cat", "dog"), 10, 2)
    assert {one.reason: one.count for one in data.left_out} == {"no label": 4, "no picture": 1}
    with pytest.raises(DataError, match="--label-from"):
        load_data(archive)


def test_archives_in_an_archive_share_its_bounds(tmp_path, monkeypatch, refuses, own_cache):
    write_pictures(tmp_path / "set")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "zeros").write_bytes(bytes(60_000))
    for i in range(4):
        pack(tmp_path / "inner", name=f"set/{i}")
    monkeypatch.setattr(unpack_module, "BOMB_BYTES", 200_000)
    monkeypatch.setattr(unpack_module, "BOMB_RATIO", 1)
    archive = pack(tmp_path / "set")
    with refuses(archive, ".zip: it unpacks to 60,000 bytes"):
        load_data(archive)
    monkeypatch.setattr(unpacked, "MOST_INNER", 3)
    assert {one.reason: one.count for one in load_data(archive).left_out} == {"no picture": 4}


def count(root, **options):
    data = load_data(root, **options)
    carved = len(data.test) if data.carved else 0
    return data.train.class_names, len(data.train) + carved, len(data.test) - carved


@pytest.mark.parametrize("inside", ["set/", "set/labels.csv"])
def test_archives_beside_a_table_are_read_with_it(inside, tmp_path, own_cache):
    root = write_files(tmp_path / "set", {"labels.csv": table("id,label", TEN)})
    pack(write_files(tmp_path / "images", pictures("", TEN)), name="set/images")
    for _ in range(2):  # unpacked, and from the cache
        data = load_data(tmp_path / inside)
        assert data.train.class_names == ("cat", "dog")
        assert len(data.train) + len(data.test) == 10
        assert data.place == tmp_path / inside
        assert "The archives were unpacked and are read as one set: images.zip." in data.notes
    assert sorted(path.name for path in root.iterdir()) == ["images.zip", "labels.csv"]


def write_archives(root, archives):
    """A zip file for each name, with the pictures of a tree; see `plant_tree`."""
    root.mkdir()
    for name, tree in archives.items():
        plant_tree(root.parent / "work", tree)
        pack(root.parent / "work", name=f"{root.name}/{name}")
        shutil.rmtree(root.parent / "work")
    return root


TOGETHER = {
    "one for each class": ({"cat": "a:5", "dog": "dog:5"}, (("cat", "dog"), 10, 0)),
    "one for each part": (
        {"train": "train/cat:4 train/dog:4", "test": "test/cat:1 test/dog:1"},
        (("cat", "dog"), 8, 2),
    ),
    # A large folder, as Google Drive packs it: both pieces hold pictures of one class.
    "pieces of one folder": (
        {"pets-001": "pets/cat:4", "pets-002": "pets/cat/x.png pets/dog:3"},
        (("cat", "dog"), 8, 0),
    ),
    "pieces with files of the same names": (
        {"part1": "cat:4 dog:4", "part2": "cat:5 dog:5"},
        (("cat", "dog"), 18, 0),
    ),
}


@pytest.mark.parametrize(("archives", "loads"), TOGETHER.values(), ids=TOGETHER)
def test_a_folder_of_archives_is_one_set(archives, loads, tmp_path, own_cache):
    root = write_archives(tmp_path / "set", archives)
    assert count(root) == loads
    pack(plant_tree(tmp_path / "more", "cow:4"), name="set/cow9")
    if "cat" in archives:  # a new archive is noticed
        assert count(root) == (("cat", "cow9", "dog"), 14, 0)


def test_archives_that_might_be_persons_are_not_merged(tmp_path, own_cache, refuses):
    root = write_archives(tmp_path / "set", {"john": "cat:4 dog:4", "mary": "cat:4 dog:4"})
    words = ("hold folders of the same names", str(root / "john.zip"))
    with refuses(root, *words, "it holds archives (john.zip, mary.zip)"):
        load_data(root)


def test_archives_among_other_files_are_not_unpacked(tmp_path, own_cache, refuses):
    root = write_archives(tmp_path / "set", {"pets": "cat:4 dog:4"})
    (root / "setup.exe").write_bytes(b"MZ")
    with refuses(root, "it holds archives (pets.zip): name one of them, or unpack them"):
        load_data(root)
    assert not (own_cache / "unpacked").exists()


def test_a_damaged_archive_in_a_folder_is_one_line(tmp_path, own_cache, refuses):
    root = write_archives(tmp_path / "set", {"cat": "a:4"})
    (root / "dog.zip").write_bytes(b"PK")
    with refuses(root, "dog.zip: the archive cannot be read"):
        load_data(root)


# from strangers ---------------------------------------------------------------------------------


def list_files(root):
    return {path for path in root.rglob("*") if path.is_file() or path.is_symlink()}


# As in ZJONSSON/node-unzipper 59 and 176, bearcove/rc-zip 17 and ziglang/zig 24727 (names that lead
# out, links, backslashes), and huggingface/datasets 5761 and 8419 (what lies in an archive).
def test_members_that_lead_out_are_left_out_and_counted(tmp_path, own_cache):
    write_pictures(tmp_path / "pets")
    archive = pack(tmp_path / "pets")
    picture = encode_picture(np.zeros((9, 9), np.uint8))
    link = zipfile.ZipInfo("cat/link.png")
    link.external_attr = 0o120777 << 16
    pipe = zipfile.ZipInfo("cat/pipe.png")
    pipe.external_attr = 0o010777 << 16
    with zipfile.ZipFile(archive, "a") as opened:
        for name in ("../up.png", "cat/../../up.png", "/abs.png", "C:/x.png", "C:\\y.png"):
            opened.writestr(name, picture)
        opened.writestr("cat\\from-windows.png", picture)
        opened.writestr(link, "/etc/passwd")
        opened.writestr(pipe, "")
        opened.writestr("./cat/0.png", picture)
        opened.writestr("cat/0.png/below.png", picture)
    before = list_files(tmp_path)
    data = load_data(archive)
    assert {one.reason: one.count for one in data.left_out} == {
        unpack_module.OUTSIDE: 5,
        unpack_module.LINK: 2,
        unpack_module.TWICE: 2,
    }
    assert len(data.train) + len(data.test) == 11
    assert {path for path in list_files(tmp_path) if own_cache not in path.parents} == before
    assert not any(path.is_symlink() for path in own_cache.rglob("*"))
    assert load_data(archive).left_out == data.left_out, "remembered"


def test_links_and_devices_in_a_tar(tmp_path, own_cache):
    write_pictures(tmp_path / "pets")
    archive = pack(tmp_path / "pets", "tar")
    with tarfile.open(archive, "a") as opened:
        for kind, target in (
            (tarfile.SYMTYPE, "/etc"), (tarfile.LNKTYPE, "cat/0.png"), (tarfile.FIFOTYPE, ""),
            (tarfile.CHRTYPE, ""),
        ):  # fmt: skip
            info = tarfile.TarInfo(f"dog/x{kind.decode()}.png")
            info.type, info.linkname = kind, target
            opened.addfile(info)
        # A file below a link of the archive would be written through it.
        info = tarfile.TarInfo("dog/x2.png/passwd")
        info.size = 3
        opened.addfile(info, io.BytesIO(b"abc"))
        info = tarfile.TarInfo("../../up.png")
        opened.addfile(info)
    data = load_data(archive)
    found = {one.reason: one.count for one in data.left_out}
    assert (found[unpack_module.LINK], found[unpack_module.OUTSIDE]) == (4, 1)
    assert len(data.train) == 8
    assert not list(tmp_path.rglob("up.png"))


def test_what_an_archive_claims_is_bounded(tmp_path, monkeypatch, refuses, own_cache):
    root = write_pictures(tmp_path / "pets")
    for kind in KINDS:
        archive = pack(root, kind)
        for limit, value, words in (
            ("MAX_TOTAL_BYTES", 3000, "3,000"),
            ("MAX_MEMBERS", 5, "members"),
        ):
            with monkeypatch.context() as patch, refuses(archive, words):
                patch.setattr(unpack_module, limit, value)
                load_data(archive)
    with monkeypatch.context() as patch, refuses("its directory has"):
        patch.setattr(unpack_module, "MAX_DIRECTORY_BYTES", 100)
        load_data(pack(root))
    assert not list_files(own_cache), "nothing is left of what was refused"


@pytest.mark.parametrize(
    ("kind", "words"), [("zip", "unpacks to 3,000,000"), ("gztar", "claims 3,000,000 bytes")]
)
def test_a_bomb_is_refused_before_it_fills_the_disk(kind, words, tmp_path, monkeypatch, refuses):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "zeros.png").write_bytes(bytes(3_000_000))
    monkeypatch.setattr(unpack_module, "BOMB_BYTES", 10_000)
    with refuses(words, "expected at most"):
        load_data(pack(tmp_path / "set", kind))


def test_a_full_disk_is_noticed_before(tmp_path, monkeypatch, refuses):
    archive = pack(write_pictures(tmp_path / "pets"))
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(unpack_module.shutil, "disk_usage", lambda _: usage)
    with refuses("expected at most 1,000", "the room on the disk"):
        load_data(archive)


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_noticed(kind, tmp_path, refuses):
    content = pack(write_pictures(tmp_path / "pets"), kind).read_bytes()
    place = tmp_path / f"cut.{KINDS[kind]}"
    ends = np.linspace(0, len(content) - (1 if kind != "tar" else 12_000), 8).astype(int)
    for end in ends:
        place.write_bytes(content[:end])
        with refuses(place):
            load_data(place)


def test_a_flipped_bit_in_a_picture_is_noticed(tmp_path, refuses):
    archive = pack(write_pictures(tmp_path / "pets"))
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        at = opened.getinfo("cat/3.png").header_offset + 100
    content[at] ^= 1
    archive.write_bytes(content)
    with refuses(archive, "the archive cannot be read"):
        load_data(archive)


def test_a_password_and_other_ways_to_pack(tmp_path, refuses):
    archive = pack(write_pictures(tmp_path / "pets"))
    content = archive.read_bytes()
    at = content.rindex(b"PK\1\2")
    for offset, value, words in ((8, 1, "protected with a password"), (10, 9, "method 9")):
        changed = bytearray(content)
        struct.pack_into("<H", changed, at + offset, value)
        archive.write_bytes(changed)
        with refuses(archive, words, "unpack it, and name the folder"):
            load_data(archive)


def test_an_archive_without_a_data_set(tmp_path, refuses):
    archive = pack(write_files(tmp_path / "set", {"notes.txt": "hello", "more.txt": "x"}))
    with refuses(archive, "there are no images"):
        load_data(archive)


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_may_be_an_archive_of_its_own(kind, tmp_path):
    write_pictures(tmp_path / "train", n=5)
    write_pictures(tmp_path / "held" / "later", n=3)
    (tmp_path / "held" / "later" / "cat" / "x.txt").write_text("x", encoding="utf-8")
    archive = pack(tmp_path / "held", kind, "later")
    shutil.rmtree(tmp_path / "held")
    data = load_data(tmp_path / "train", test=archive)
    assert (len(data.train), len(data.test)) == (10, 6)
    assert data.options.test == archive  # by which it is read again
    (left_out,) = data.left_out
    assert str(archive) in left_out.example
    assert "unpacked" not in "".join(data.notes)


def test_all_parts_may_be_archives(tmp_path):
    parts = {}
    for name, n in (("train", 5), ("val", 2), ("test", 3)):
        write_pictures(tmp_path / name / "pictures", n=n)
        parts[name] = pack(tmp_path / name, "zip", f"{name}-part")
    data = load_data(parts["train"], **parts)
    assert (len(data.train), len(data.val), len(data.test)) == (10, 4, 6)


def test_an_archive_of_a_part_is_named_in_errors(tmp_path):
    write_pictures(tmp_path / "train", n=5)
    write_pictures(tmp_path / "held", ("emu", "cat"), n=3)
    archive = pack(tmp_path / "held", "zip", "later")
    with pytest.raises(DataError, match="test has a class 'emu'") as caught:
        load_data(tmp_path / "train", test=archive)
    assert "unpacked" not in str(caught.value)
    archive.write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"later\.zip"):
        load_data(tmp_path / "train", test=archive)


def test_archives_below_a_folder_are_named(tmp_path, refuses, own_cache):
    plant_tree(tmp_path / "set", "README.png python/a.zip matlab/notes")
    with refuses(tmp_path / "set", "it holds archives (python/a.zip): name one of them"):
        load_data(tmp_path / "set")


def test_what_lies_in_an_archive_is_named_once_it_is_unpacked(tmp_path, refuses, own_cache):
    plant_tree(tmp_path / "set", "greek/a:3 greek/b:3 korean/a:3 korean/b:3")
    archive = pack(tmp_path / "set")
    with refuses(f"name one of them ({archive}/greek)", "; unpack pets.zip to name a folder in it"):
        load_data(archive)
    data = load_data(archive, label_from="([^/]+/[^/]+)/[^/]+$")
    assert data.train.class_names == ("greek/a", "greek/b", "korean/a", "korean/b")
