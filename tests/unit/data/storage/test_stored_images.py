"""Images in a file answer as an array does."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallvision.data.storage import stored_images
from smallvision.data.storage.room import cache_folder
from smallvision.data.storage.stored_images import StoredImages, iterate_chunks
from smallvision.errors import DataError

N, SHAPE = 23, (3, 8, 9)
PIXELS = np.random.default_rng(0).integers(0, 256, (N, *SHAPE), dtype=np.uint8)


def store(pixels: np.ndarray[Any, Any] = PIXELS) -> StoredImages:
    stored = StoredImages.create(pixels.shape)
    stored[: len(pixels)] = pixels
    return stored


numbers = st.lists(st.integers(-N, N - 1), max_size=40)
keys = st.one_of(
    st.integers(-N, N - 1),
    st.slices(N),
    numbers.map(lambda some: np.array(some, dtype=np.int64)),
    st.lists(st.booleans(), min_size=N, max_size=N).map(np.array),
)


@given(key=keys, through=st.sampled_from([0, 500, 10**6]))
def test_a_key_selects_what_it_does_of_an_array(key: Any, through: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_images, "THROUGH", through)
        assert np.array_equal(store()[key], PIXELS[key])


@given(first=numbers, second=st.lists(st.integers(0, 10**6), max_size=9), key=st.slices(9))
def test_some_of_some_are_those(first: list[int], second: list[int], key: slice) -> None:
    outer = np.array(first, dtype=np.int64)
    inner = np.array([i % len(first) for i in second if first], dtype=np.int64)
    taken = store().take(outer).take(inner)
    expected = PIXELS[outer][inner]
    assert np.array_equal(np.asarray(taken), expected)
    assert np.array_equal(taken[key], expected[key])
    assert (len(taken), taken.shape, taken.nbytes) == (
        len(expected),
        expected.shape,
        expected.nbytes,
    )
    taken.prefetch(np.arange(len(taken)))


@pytest.mark.parametrize("key", [[N], [-N - 1], [True], [[1, 2]], ["a"], [0.5]])
def test_what_is_not_there_is_an_index_error(key: Any) -> None:
    with pytest.raises(IndexError):
        store()[key]
    with pytest.raises(IndexError):
        store()[N]


def test_images_of_one_file_are_joined() -> None:
    stored = store()
    some, others = stored.take(np.array([5, 2])), stored.take(np.array([0]))
    assert np.array_equal(np.asarray(some.join([others])), PIXELS[[5, 2, 0]])
    assert stored.shares_file(some)
    assert not stored.shares_file(store())


@pytest.mark.parametrize("unnamed", [True, False])
@pytest.mark.parametrize("some", [True, False])
def test_what_is_saved_is_read_by_numpy_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unnamed: bool, some: bool
) -> None:
    if not unnamed:
        monkeypatch.setattr(stored_images, "UNNAMED", 0)
    stored, expected = store(), PIXELS
    if some:
        chosen = np.array([7, 3])
        stored, expected = stored.take(chosen), PIXELS[chosen]
    path = tmp_path / "images.npy"
    path.write_bytes(b"of another state")
    stored.save(path)
    assert np.array_equal(np.load(path), expected)
    assert np.array_equal(StoredImages.open(path)[:], expected)
    assert np.array_equal(stored[:], expected)
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["images.npy"]


def test_fewer_images_than_room_was_made_for() -> None:
    stored = StoredImages.create((100, *SHAPE))
    stored[:N] = PIXELS
    stored[4] = 7
    cut = stored.cut(N)
    expected = PIXELS.copy()
    expected[4] = 7
    assert np.array_equal(np.concatenate([chunk for _, chunk in iterate_chunks(cut, 5)]), expected)


@pytest.mark.parametrize("spoil", ["cut", "other", "empty", "longer"])
def test_a_damaged_file_is_refused(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "images.npy"
    store().save(path)
    content = path.read_bytes()
    if spoil == "other":
        np.save(path, np.zeros((2, 3)))
    else:
        path.write_bytes({"cut": content[:-1], "empty": b"", "longer": content + b"0"}[spoil])
    with pytest.raises((ValueError, DataError)):
        StoredImages.open(path)


def test_a_file_that_is_cut_while_it_is_used_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "images.npy"
    store().save(path)
    opened = StoredImages.open(path)
    os.truncate(path, 1000)
    with pytest.raises(DataError, match="cut short meanwhile"):
        opened[:]


def test_another_process_loads_by_itself() -> None:
    with pytest.raises(TypeError, match="load them again"):
        pickle.dumps(store())


def test_a_disk_found_full_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    stored = StoredImages.create(PIXELS.shape)
    monkeypatch.setattr(stored_images.os, "pwrite", fail)
    with pytest.raises(DataError, match=r"where No space left on device: make room there"):
        stored[:] = PIXELS


KILLED = """
import sys, time
from smallvision.data.storage.stored_images import StoredImages
stored = StoredImages.create((10, 1, 8, 8))
stored[:5] = 1
print("half", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not stored_images.UNNAMED, reason="only Linux has files without a name")
def test_a_kill_leaves_nothing_behind() -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == b"half\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [path for path in cache_folder().rglob("*") if path.is_file()] == []
