"""The only place that reads pickles, which the official python archives of CIFAR consist of.

A pickle is a program. This reader lets it call only four functions of its own, which replace those
of numpy and build arrays no larger than the bytes they are given. Any other call is refused before
it runs.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any

import numpy as np

from smallvision.errors import DataError


def _encode_latin1(text: str, encoding: str) -> bytes:
    """Replaces `codecs.encode`, which Python 3 calls only for bytes in old protocols.

    The original would also unpack zip and bz2, and so let a small file fill the memory.
    """
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding!r}")
    return text.encode("latin1")


# Replaces `numpy.ndarray`, which would build arrays of any size from a few bytes.
_NDARRAY = object()


class _Dtype:
    """Replaces `numpy.dtype`, which does not check the state that it is restored from."""

    def __init__(self, kind: Any, *_: Any) -> None:
        self.dtype: np.dtype[Any] = np.dtype(kind)
        if self.dtype.kind not in "biuf":
            raise pickle.UnpicklingError(f"numbers of type {self.dtype!s:.40}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"byte order {order!s:.40}")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Replaces an array; it is as large as its bytes."""

    def __init__(self) -> None:
        self.array: np.ndarray[Any, Any] = np.empty(0, dtype=np.uint8)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_column, content = state
        content = content.encode("latin1") if isinstance(content, str) else content
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
    ("_codecs", "encode"): _encode_latin1,
}


class _ArrayUnpickler(pickle.Unpickler):
    """Builds containers, numbers, text and numpy arrays, and calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


def _check_memo(content: bytes) -> None:
    """Refuse memo slots out of order: slot 2^31 alone makes the unpickler claim 32 GB."""
    for steps, (opcode, slot, _) in enumerate(pickletools.genops(content)):
        puts = opcode.name in ("PUT", "BINPUT", "LONG_BINPUT")
        if puts and isinstance(slot, int) and not 0 <= slot <= steps:
            raise pickle.UnpicklingError(f"memo slot {slot} after {steps} steps")


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
        _check_memo(content)
        record = _ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:
        # A damaged pickle is a damaged program: it can fail in any way.
        raise DataError(
            f"{where} is damaged or is no CIFAR batch ({error}); replace it with the original"
        ) from error
    if not isinstance(record, dict):
        raise DataError(f"{where} holds a {type(record).__name__}; expected a dict of arrays")
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): (
            value.array if isinstance(value, _Array) else value
        )
        for key, value in record.items()
    }
