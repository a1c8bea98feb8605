"""The only place that reads pickles, which the official python archives of CIFAR consist of.

A pickle is a program. This reader lets it call only four functions of its own, which replace those
of numpy and build arrays no larger than the bytes they are given. Any other call is refused before
it runs, and so are more steps than any batch has and steps that no batch needs.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any, Literal

import numpy as np

from smallvision.errors import DataError

MAX_STEPS = 500_000  # CIFAR-100 has 250,000
ORDERS: tuple[Literal["<", ">", "|", "="], ...] = ("<", ">", "|", "=")
# What containers, numbers, text and arrays are built with.
STEPS = frozenset(
    word
    for line in (
        "PROTO FRAME STOP MARK EMPTY_DICT DICT SETITEM SETITEMS EMPTY_LIST LIST APPEND APPENDS",
        "EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2",
        "LONG LONG1 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE",
        "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 PUT BINPUT",
        "LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD",
    )
    for word in line.split()
)


# Replaces `numpy.ndarray`, which would build arrays of any size from a few bytes.
_NDARRAY = object()


def _as_text(value: Any) -> str:
    """Text of Python 2, which is bytes here, and of Python 3."""
    if not isinstance(value, bytes | str) or len(value) > 8:
        raise pickle.UnpicklingError(f"numbers of type {value!s:.40}")
    return value.decode("latin1") if isinstance(value, bytes) else value


class _Dtype:
    """Replaces `numpy.dtype`, which does not check the state that it is restored from."""

    def __init__(self, kind: Any, *_: Any) -> None:
        self.dtype: np.dtype[Any] = np.dtype(_as_text(kind))
        if self.dtype.kind not in "biuf":
            raise pickle.UnpicklingError(f"numbers of type {self.dtype!s:.40}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = _as_text(state[1])
        for known in ORDERS:
            if order == known:
                self.dtype = self.dtype.newbyteorder(known)
                return
        raise pickle.UnpicklingError(f"byte order {order!s:.40}")


class _Array:
    """Replaces an array; it is as large as its bytes."""

    def __init__(self) -> None:
        self.array: np.ndarray[Any, Any] = np.empty(0, dtype=np.uint8)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_column, content = state
        self.array = _frombuffer(content, kind, shape, "F" if by_column else "C").array


def _reconstruct(kind: Any, shape: Any, _typecode: Any) -> _Array:
    """Build an empty array, whose state fills it later."""
    if kind is not _NDARRAY or shape != (0,):
        raise pickle.UnpicklingError(f"an array of shape {shape!s:.40} without content")
    return _Array()


def _frombuffer(content: Any, kind: Any, shape: Any, order: Any, _axes: None = None) -> _Array:
    """Build an array from bytes."""
    if not isinstance(kind, _Dtype):
        raise pickle.UnpicklingError("an array without a type")
    found = _Array()
    found.array = np.frombuffer(content, kind.dtype).reshape(shape, order=order)
    return found


ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.numeric", "_frombuffer"): _frombuffer,
    ("numpy._core.numeric", "_frombuffer"): _frombuffer,
}


class _ArrayUnpickler(pickle.Unpickler):
    """Builds containers, numbers, text and numpy arrays, and calls nothing else."""

    def __init__(self, content: bytes) -> None:
        # Text of Python 2 stays bytes: most of it is pixels, of which each copy counts.
        super().__init__(io.BytesIO(content), encoding="bytes")
        self._room = len(content)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return self._encode_latin1
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module:.40}.{name:.40}") from None

    def _encode_latin1(self, text: str, encoding: str) -> bytes:
        """Replaces `codecs.encode`, which Python 3 calls only for bytes in old protocols.

        The original would also unpack zip and bz2, and so let a small file fill the memory; and it
        would encode the same text any number of times.
        """
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"encoding {encoding!s:.40}")
        self._room -= len(text)
        if self._room < 0:
            raise pickle.UnpicklingError("it makes more bytes than it has")
        return text.encode("latin1")


def _check_steps(content: bytes) -> None:
    """Refuse what would take far more memory or time than the bytes of the program.

    An empty set takes 200 bytes for one, memo slot 2^31 claims 32 GB, and a table of large numbers
    is filled in quadratic time if they are chosen so.
    """
    for steps, (opcode, value, _) in enumerate(pickletools.genops(content)):
        if steps >= MAX_STEPS:
            raise pickle.UnpicklingError(f"more than {MAX_STEPS:,} steps")
        if opcode.name not in STEPS:
            raise pickle.UnpicklingError(f"the step {opcode.name}")
        if not isinstance(value, int):
            continue
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and not 0 <= value <= steps:
            raise pickle.UnpicklingError(f"memo slot {value:.3g} after {steps} steps")
        if abs(value) >= 2**31 and opcode.name != "FRAME":
            raise pickle.UnpicklingError("a number of more than 32 bits")


def unpickle_arrays(content: bytes, where: str) -> dict[str, Any]:
    """Read a pickled dict of arrays and lists without running anything in it.

    Args:
        content: pickle of any protocol, also from Python 2.
        where: what to call it in an error.

    Returns: the dict, keys as text.

    Raises:
        DataError: damaged, not a dict, or asking for anything but arrays.
    """
    try:
        _check_steps(content)
        record = _ArrayUnpickler(content).load()
    except Exception as error:
        # A damaged pickle is a damaged program: it can fail in any way.
        raise DataError(
            f"{where} is damaged or is no CIFAR batch ({error!s:.200}); replace it with the "
            "original"
        ) from error
    if not isinstance(record, dict):
        raise DataError(f"{where} holds a {type(record).__name__}; expected a dict of arrays")
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): (
            value.array if isinstance(value, _Array) else value
        )
        for key, value in record.items()
    }
