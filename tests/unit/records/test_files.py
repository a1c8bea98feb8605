import json
import os
from pathlib import Path

import numpy as np
import pytest

from smallvision.errors import RecordError
from smallvision.records import files, ledger
from smallvision.records.layout import list_numbered, newest_folder, number_folder
from smallvision.records.locks import check_folder, lock_folder


def test_a_write_that_fails_keeps_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, {"a": 1})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(RecordError, match="No space left"):
        files.write_json(path, {"a": 2})
    assert files.read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_json_refuses_what_json_has_not(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00\xff"])
def test_damaged_json_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(RecordError) as caught:
        files.read_json(tmp_path / "a.json")
    assert "\n" not in str(caught.value)
    assert "a.json" in str(caught.value)


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    files.append_line(path, {"n": 1})
    with path.open("a") as file:
        file.write('{"n": 2')
    assert files.read_jsonl(path) == [{"n": 1}]
    files.append_line(path, {"n": 3})
    assert files.read_jsonl(path) == [{"n": 1}, {"n": 3}]


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": 1}\n{"n": \n{"n": 3}\n')
    with pytest.raises(RecordError, match="line 2"):
        files.read_jsonl(path)


def test_npz_round_trip(tmp_path: Path) -> None:
    files.write_npz(tmp_path / "a.npz", x=np.arange(3))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert arrays["x"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("length", [0, 10, 60])
def test_a_damaged_npz_is_one_line(tmp_path: Path, length: int) -> None:
    files.write_npz(tmp_path / "a.npz", x=np.arange(300))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[:length] if length < 60 else content[:-40] + bytes(40))
    with pytest.raises(RecordError, match=r"a\.npz cannot be read"):
        files.read_npz(tmp_path / "a.npz", "x")


def test_the_ledger_counts(tmp_path: Path) -> None:
    about = {"study": "s", "model": "m", "command": "c", "n": 5, "data_fingerprint": "sha256:0"}
    assert [ledger.record_opening(tmp_path, **about) for _ in range(3)] == [1, 2, 3]
    lines = (tmp_path / "ledger.jsonl").read_text().splitlines()
    assert [json.loads(line)["opening"] for line in lines] == [1, 2, 3]


def test_a_folder_is_claimed_once(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    assert check_folder(folder, "status.json", resume=False) is False
    with (
        lock_folder(folder),
        pytest.raises(RecordError, match=f"process {os.getpid()} on .* is at work"),
        lock_folder(folder),
    ):
        pass
    (folder / "status.json").write_text("{}")
    with pytest.raises(RecordError, match="--resume"):
        check_folder(folder, "status.json", resume=False)
    assert check_folder(folder, "status.json", resume=True) is True


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("")
    for resume in (False, True):
        with pytest.raises(RecordError, match="not empty"):
            check_folder(tmp_path, "status.json", resume=resume)
    with pytest.raises(RecordError, match="is a file"):
        check_folder(tmp_path / "photo.jpg", "status.json", resume=False)


def test_folders_are_numbered_and_found_again(tmp_path: Path) -> None:
    for expected in ("s", "s-2", "s-3"):
        folder = number_folder(tmp_path, "s")
        assert folder.name == expected
        folder.mkdir()
    (tmp_path / "s-2" / "study.json").write_text("{}")
    (tmp_path / "s-quick").mkdir()
    (tmp_path / "s-quick" / "study.json").write_text("{}")
    assert newest_folder(tmp_path, "s", "study.json") == tmp_path / "s-2"


def test_another_name_is_no_number(tmp_path: Path) -> None:
    for name in ("s", "s-2", "s16", "s-two"):
        (tmp_path / name).mkdir()
    assert [path.name for path in list_numbered(tmp_path, "s")] == ["s", "s-2"]


@pytest.mark.parametrize(("offset", "bit"), [(6, 0x40), (8, 1), (8, 0x20), (10, 0x40)])
def test_any_flipped_bit_of_an_npz_is_one_line(tmp_path: Path, offset: int, bit: int) -> None:
    """Those of the directory of a zip file say how a member is packed."""
    path = tmp_path / "a.npz"
    files.write_npz(path, a=np.arange(9))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + offset] ^= bit
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"a\.npz cannot be read"):
        files.read_npz(path, "a")


def test_a_number_that_was_changed_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, {"schema": 1, "accuracy": 0.9321, "names": {"é": [1, 2]}})
    assert files.read_json(path) == {"schema": 1, "accuracy": 0.9321, "names": {"é": [1, 2]}}
    path.write_text(path.read_text().replace("0.9321", "0.9329"))
    with pytest.raises(RecordError, match="'sum' is not that of its content"):
        files.read_json(path)
    edited = {"schema": 1, "accuracy": 0.9329}  # without a sum, as earlier versions wrote it
    path.write_text(json.dumps(edited))
    assert files.read_json(path) == edited


def test_a_later_version_is_named(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"schema": 2})
    with pytest.raises(RecordError, match=r"later version .schema 2.*upgrade"):
        files.read_json(tmp_path / "a.json")


def test_lines_are_counted_as_they_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for number in (1, 2):
        assert files.append_line(path, {"a": number}, number_as="n") == number
    with path.open("a") as file:
        file.write('{"n": 3, "a"')  # a kill
    assert files.append_line(path, {"a": 3}, number_as="n") == 3
    assert [line["n"] for line in files.read_jsonl(path)] == [1, 2, 3]


def test_lines_before_damage_can_be_had(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for number in range(3):
        files.append_line(path, {"epoch": number})
    path.write_text(path.read_text().replace('"epoch": 1', '"epoch": 7'))
    assert [line["epoch"] for line in files.read_jsonl(path, whole=False)] == [0]
    with pytest.raises(RecordError, match="line 2"):
        files.read_jsonl(path)


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    ours, theirs = tmp_path / f".a.json.{os.getpid()}.tmp", tmp_path / ".a.json.999999999.tmp"
    for path in (ours, theirs):
        path.write_text("half")
    with lock_folder(tmp_path):
        assert ours.exists()
        assert not theirs.exists()


def test_a_bomb_in_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.zeros(150_000_000, np.uint8))
    with pytest.raises(RecordError, match="unpacks to 150,000,128 bytes"):
        files.read_npz(path, "x")
