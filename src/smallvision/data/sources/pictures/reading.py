"""Decode the pictures of a part in one pass, and find all that cannot be read."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np

from smallvision.data.decoding.image import decode, quietly, read_size
from smallvision.data.decoding.resize import Preparation, Size, Stack, Stacked
from smallvision.data.sources.source import LeftOut, SourceOptions
from smallvision.errors import DataError
from smallvision.shapes import Indices, Origins

LOOKED_AT = 200  # pictures, from whose sizes the size of all is chosen
# So many pictures, or one in a hundred, may be unreadable before a part is refused.
FEW, SHARE = 3, 100
NAMED = 10  # unreadable pictures that are named with their reasons
UNREADABLE = "unreadable"
_ADVICE = "; replace or remove it"

T = TypeVar("T")


class PictureBytes(NamedTuple):
    """A picture that can be read.

    Attributes:
        name: what to call it in an error.
        read: returns its bytes.
    """

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True, eq=False)
class ReadPictures:
    """The pictures of a part that can be read.

    Attributes:
        stacked: their images.
        kept: the positions of these pictures among all, increasing, int64 `(N,)`.
        names: what each of these is called.
        origins: SHA-256 of the bytes of each picture that is kept, uint8 `(N, 32)`.
        left_out: the others.
        notes: which those are, with the reasons, where there is more than one.
    """

    stacked: Stacked
    kept: Indices
    names: tuple[str, ...]
    origins: Origins
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def spread(pictures: Sequence[T]) -> Sequence[T]:
    """Some of the pictures, evenly spaced, from whose sizes the size of all is chosen."""
    return pictures[:: -(-len(pictures) // LOOKED_AT) or 1]


def allow_unreadable(n: int, options: SourceOptions) -> int:
    """How many of `n` pictures may be left out as unreadable: one in a hundred, but three."""
    return 0 if options.strict else max(FEW, n // SHARE)


def read_pictures(
    pictures: Iterable[PictureBytes],
    n: int,
    *,
    sample: Iterable[PictureBytes],
    options: SourceOptions,
    like: Preparation | None,
) -> ReadPictures:
    """Decode pictures, and leave out the few that cannot be read.

    Args:
        pictures: all of a part.
        n: how many they are.
        sample: some of them, from whose sizes the size and fit of all are chosen.
        options: of the user: `image_size`, `fit`, `strict`.
        like: the preparation of the training images, or None for the training images themselves.

    Raises:
        DataError: more than three pictures and more than one in a hundred are unreadable, or with
            `strict` any; all are counted, and the first are named with their reasons.
    """
    sizes = () if like else _read_sizes(islice(sample, LOOKED_AT))
    stack = Stack(n, sizes, options.image_size, options.fit, like)
    kept, digests, names, failed = array("q"), bytearray(), [], []
    with quietly():
        for number, picture in enumerate(pictures):
            try:
                content = picture.read()
                decoded = decode(content, picture.name, side=stack.side)
            except DataError as error:
                failed.append(error)
                continue
            stack.add(decoded)
            kept.append(number)
            names.append(picture.name)
            digests += hashlib.sha256(content).digest()
    allowed = allow_unreadable(n, options)
    if failed and (len(failed) > allowed or not kept):
        raise _refuse(failed, n, allowed)
    origins = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 32)
    notes = (f"Unreadable: {_list_reasons(failed)}.",) if len(failed) > 1 else ()
    return ReadPictures(
        stack.finish(), np.array(kept), tuple(names), origins, _count(failed), notes
    )


def _read_sizes(pictures: Iterable[PictureBytes]) -> list[Size]:
    sizes = []
    for picture in pictures:
        try:
            sizes.append(read_size(picture.read(), picture.name))
        except DataError:  # reported when all are decoded
            continue
    return sizes


def _refuse(failed: Sequence[DataError], n: int, allowed: int) -> DataError:
    if len(failed) == 1:
        return failed[0]
    return DataError(
        f"{len(failed):,} of {n:,} pictures cannot be read: {_list_reasons(failed)}; replace or "
        "remove them" + (f" (up to {allowed:,} are left out)" if allowed else "")
    )


def _list_reasons(failed: Sequence[DataError]) -> str:
    some = [_tell(error) for error in failed[:NAMED]]
    more = [f"{len(failed) - NAMED:,} more"] if len(failed) > NAMED else []
    return "; ".join(some + more)


def _count(failed: Sequence[DataError]) -> tuple[LeftOut, ...]:
    return (LeftOut(UNREADABLE, len(failed), _tell(failed[0])),) if failed else ()


def _tell(error: DataError) -> str:
    """What is wrong with a picture, without the advice, which is given once for all."""
    return str(error).removesuffix(_ADVICE)
