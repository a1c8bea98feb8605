"""Pickles of arrays can be read, and no pickle can do harm."""

from __future__ import annotations

import codecs
import pickle
from typing import Any

import numpy as np
import pytest

from smallvision.data.decoding import pickles
from smallvision.data.decoding.pickles import unpickle_arrays


@pytest.mark.parametrize(
    "program",
    [
        b"cnumpy\nndarray.tofile\n.",
        b"cnumpy.testing\nrundocs\n.",
        b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00ziptR.",
        b"cbuiltins\neval\n(X\x03\x00\x00\x001+1tR.",
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
        b"Pos.system\n.",
        b"\x80\x02]r\xff\xff\xff\x7f.",
        b"]p2000000000\n.",
        b"garbage",
        b"",
    ],
)
def test_a_pickle_may_only_build_arrays(program, refuses):
    with refuses("batch_x is damaged or is no CIFAR batch"):
        unpickle_arrays(program, "batch_x")


class View:
    """An array of any size on eight bytes, by a stride of nothing."""

    def __init__(self, shape: tuple[int, ...], kind: str) -> None:
        self.arguments = (shape, np.dtype(kind), bytes(8), 0, (0,) * len(shape))

    def __reduce__(self) -> tuple[Any, ...]:
        return np.ndarray, self.arguments


class State:
    """An empty array, and what it is to be filled with."""

    def __init__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def __reduce__(self) -> tuple[Any, ...]:
        build, arguments, _ = np.empty(0).__reduce__()
        return build, arguments, self.state


def test_a_pickle_builds_no_array_larger_than_its_bytes(refuses):
    content = pickle.dumps({"data": View((10**7, 3072), "u1")})
    assert len(content) < 1000
    with refuses("batch_x is damaged or is no CIFAR batch"):
        unpickle_arrays(content, "batch_x")
    objects = (1, (10**9,), np.dtype("O"), False, [])
    missing = (1, (10**9,), np.dtype("u1"), False, [])
    for state in (objects, missing, (1, (10**9,), np.dtype("u1"), False, b"few")):
        with refuses("batch_x is damaged or is no CIFAR batch"):
            unpickle_arrays(pickle.dumps({"data": State(state)}), "batch_x")
    flags = b"(I3\nS'|'\nNNNI-1\nI-1\nI63\ntb"  # which would make it a type of objects
    before = np.dtype("u1").flags
    plain = b"cnumpy\ndtype\n(S'u1'\ntR"
    record = unpickle_arrays(b"(S'data'\n" + plain + flags + b"d.", "batch_x")
    assert np.dtype("u1").flags == before
    assert not isinstance(record["data"], np.dtype)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["u1", "<i8", ">i4", "bool"])
def test_arrays_come_out_as_they_went_in(protocol, order, kind):
    array = np.asarray(np.arange(12).reshape(3, 4), dtype=kind, order=order)
    found = unpickle_arrays(pickle.dumps({"data": array}, protocol=protocol), "batch_x")["data"]
    assert np.array_equal(found, array)
    assert found.dtype == array.dtype


def test_a_pickle_builds_no_array_without_a_size(refuses):
    program = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nJ\x00\x00\x00\x7f\x85U\x01b\x87R."
    )
    with refuses("batch_x is damaged or is no CIFAR batch"):
        unpickle_arrays(program, "batch_x")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (b"}(X\x01\x00\x00\x00a\x8fu.", "the step EMPTY_SET"),
        (b"]2a.", "the step DUP"),
        (b"}(X\x01\x00\x00\x00a\x8a\x05\x00\x00\x00\x00\x01u.", "more than 32 bits"),
        (b"}(X\x01\x00\x00\x00aL4294967296L\nu.", "more than 32 bits"),
        (b"]r\x05\x00\x00\x00.", "memo slot 5 after 1 steps"),
    ],
)
def test_steps_that_no_batch_needs(program, words, refuses):
    with refuses("batch_x is damaged", words):
        unpickle_arrays(program, "batch_x")


def test_steps_are_counted(refuses, monkeypatch):
    content = pickle.dumps({"labels": list(range(100))}, protocol=2)
    assert unpickle_arrays(content, "batch_x")["labels"] == list(range(100))
    monkeypatch.setattr(pickles, "MAX_STEPS", 100)
    with refuses("more than 100 steps"):
        unpickle_arrays(content, "batch_x")


class Again:
    """Text that becomes bytes, as Python 3 writes bytes for Python 2."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __reduce__(self) -> tuple[Any, ...]:
        return codecs.encode, (self.text, "latin1")


def test_a_text_becomes_bytes_once(refuses):
    text = "a" * 1000
    one = pickle.dumps({"data": [Again(text)]}, protocol=2)
    assert unpickle_arrays(one, "batch_x")["data"] == [text.encode()]
    with refuses("it makes more bytes than it has"):
        unpickle_arrays(pickle.dumps({"data": [Again(text) for _ in range(3)]}), "batch_x")


def test_text_of_python_2_is_read(refuses):
    row = b"U\x0cabcdefghijkl"  # twelve bytes, as Python 2 writes them
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    minus = b"J\xff\xff\xff\xff"
    kind = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNN" + minus * 2 + b"K\x00tb"
    state = b"(K\x01(K\x03K\x04t" + kind + b"I00\n" + row + b"tb"
    record = unpickle_arrays(b"\x80\x02}(U\x04data" + array + state + b"u.", "batch_x")
    assert record["data"].tobytes() == b"abcdefghijkl"
    assert record["data"].shape == (3, 4)
