"""The one place that reads pickles: the official CIFAR batches are nothing else.

A pickle is a program. This reader lets it call four functions, all of which only build arrays and
bytes no larger than what they are given; anything else is refused before it runs.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any

import numpy as np

from smallvision.errors import DataError


def _encode_latin1(text: str, encoding: str) -> bytes:
    """`codecs.encode` for the single use that Python 3 makes of it: bytes in old protocols.

    The full function would also unpack zip and bz2, and with them bombs.
    """
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding!r}")
    return text.encode("latin1")


# What stands for `numpy.ndarray`, which itself would build arrays of any size on a few bytes.
_NDARRAY = object()


def _reconstruct(kind: Any, shape: Any, _typecode: Any) -> Any:
    """An empty array, to be filled by its state, whose size numpy checks against its bytes."""
    if kind is not _NDARRAY or shape != (0,):
        raise pickle.UnpicklingError(f"an array of shape {shape!s:.40} without content")
    return _rebuild(np.ndarray, (0,), b"b")


def _plain_dtype(*arguments: Any) -> np.dtype[Any]:
    """A type of numbers; of objects, numpy takes the claimed size of an array at its word."""
    dtype: np.dtype[Any] = np.dtype(*arguments)
    if dtype.kind not in "biuf":
        raise pickle.UnpicklingError(f"numbers of type {dtype!s:.40}")
    return dtype


# numpy has moved its builders twice; asking an array keeps us off private modules.
_rebuild: Any = np.empty(0, dtype=np.uint8).__reduce__()[0]
_frombuffer: Any = np.empty(1, dtype=np.uint8).__reduce_ex__(5)[0]

ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _plain_dtype,
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
    return {k.decode("latin1") if isinstance(k, bytes) else str(k): v for k, v in record.items()}
