"""Pictures of any size become one array of images with the same channels, height and width."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from smallvision.data.decoding.pixels.decoded import (
    DEEPEST,
    Decoded,
    count_bits,
    measure_fit,
    reduce_depth,
)
from smallvision.data.storage.stored_images import (
    ImageRows,
    iterate_chunks,
    keep_first,
    make_images,
)
from smallvision.errors import DataError
from smallvision.shapes import MAX_SIZE, MIN_SIZE, Fit, Images, Shape

# Pixels a side of which one is chosen where sizes differ and the user asked for none.
SIDES = (32, 48, 64, 96)
# What a laptop can train in minutes. `speednet` sees 400,000 images, or all 200 times if they are
# fewer: at 32 pixels a side that takes five minutes to half an hour on two cores, and four times
# that is affordable. The images are held in memory several times while they are divided.
SEEN, MOST_PASSES = 400_000, 200
MOST_TRAINED = 4 * SEEN * 32**2  # pixels
MOST_HELD = 2**27  # pixels, which are 400 MB in colour
SHEET = 2**18  # pixels of small pictures that become an array at once
KEPT_SIZE = 96  # pixels a side at most, up to which pictures of one size keep it
MOST_CUT = 0.25  # share of the pixels that may be cut away by default: that of a 4:3 photograph

FITTED: dict[Fit, str] = {"crop": "cropped", "pad": "padded", "stretch": "stretched"}
# What became of the pictures that had another number of channels.
CONVERTED = {1: "colour images were made grey", 3: "grey images were stored as colour"}

Size: TypeAlias = tuple[int, int]  # width, height


@dataclass(frozen=True)
class Preparation:
    """How pictures became the images of a data set, so that later ones are treated the same.

    Attributes:
        shape: `(C, H, W)`.
        fit: how a picture of another shape is fitted.
        bits: of values of 16 bits, how many hold the largest value of the training images.
    """

    shape: Shape
    fit: Fit = "crop"
    bits: int = DEEPEST


@dataclass(frozen=True)
class OriginalSizes:
    """The sizes of pictures before they were resized, as `(width, height)` in pixels.

    Attributes:
        distinct: how many different sizes there are.
        smallest, largest: by the number of pixels.
        middle: median width and median height.
    """

    distinct: int
    smallest: Size
    middle: Size
    largest: Size


@dataclass(frozen=True, eq=False)
class Stacked:
    """Images of one shape, and how they became so.

    Attributes:
        images: uint8 `(N, C, H, W)`.
        preparation: for pictures that follow.
        sizes: before they were resized.
        notes: a sentence about each kind of change.
    """

    images: ImageRows
    preparation: Preparation
    sizes: OriginalSizes
    notes: tuple[str, ...]


@dataclass
class Stack:
    """Pictures that are brought to one shape as they come, since only small ones fit in memory.

    Without `like`, the pictures determine the shape: they have one channel if all are grey, and
    keep their size if it is the same for all and from 8 to 96 pixels a side. Otherwise they become
    square; `choose_side` says how large.

    Args:
        n: the most pictures that come.
        sample: sizes of some of them, from which size and fit are chosen.
        image_size: pixels a side, or None to choose.
        fit: how pictures of another shape are fitted, or None to choose: `crop` if that cuts away
            at most a quarter of the pixels, else `pad`.
        like: the preparation of the training images, or None for the training images themselves.

    Raises:
        DataError: `image_size` is not 8 to 224, or the disk has no room for the images.
    """

    n: int
    sample: Sequence[Size] = ()
    image_size: int | None = None
    fit: Fit | None = None
    like: Preparation | None = None

    _target: Size = field(init=False)
    _how: Fit = field(init=False)
    _kept: bool = field(init=False, default=False)  # whether the pictures keep the size of all
    _pixels: ImageRows = field(init=False)
    _sheet: Image.Image = field(init=False)  # small pictures below each other
    _moved: int = field(init=False, default=0)  # pictures that are in `_pixels`
    _deep: dict[int, npt.NDArray[np.uint16]] = field(init=False, default_factory=dict)
    _sizes: Counter[Size] = field(init=False, default_factory=Counter)
    _count: int = field(init=False, default=0)
    _coloured: int = field(init=False, default=0)
    _peak: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.image_size is not None and not MIN_SIZE <= self.image_size <= MAX_SIZE:
            raise DataError(
                f"image_size is {self.image_size}; expected {MIN_SIZE} to {MAX_SIZE} pixels"
            )
        if self.like is not None:
            C, H, W = self.like.shape
            self._target, self._how = (W, H), self.fit or self.like.fit
        else:
            C = 1
            self._choose(self.sample)
        self._begin(C)

    @property
    def side(self) -> int:
        """The larger side of the images, for `decode`."""
        return max(self._target)

    def add(self, picture: Decoded) -> None:
        """Append a picture."""
        if self._kept and picture.size != self._target:
            self._stop_keeping(picture.size)
        if picture.channels == 3 and self.like is None and self._pixels.shape[1] == 1:
            self._colour()
        _, C, H, _ = self._pixels.shape
        number = self._count
        small = picture.fit(self._target, self._how)
        if picture.peak is None:
            # On a sheet of many: an array of each would take a sixth of the time of decoding it.
            self._sheet.paste(small.bands[0], (0, (number - self._moved) * H))
        else:
            self._peak = max(picture.peak, self._peak or 0)
            self._deep[number] = small.values(C).astype(np.uint16)
        self._sizes[picture.size] += 1
        self._count += 1
        self._coloured += picture.channels == 3
        if self._count - self._moved == self._sheet.height // H:
            self._move()

    def finish(self) -> Stacked:
        """All pictures as one array.

        Raises:
            DataError: there are none.
        """
        N = self._count
        if not N:
            raise DataError("there are no images")
        self._move()
        bits = self.like.bits if self.like else count_bits(self._peak)
        images = keep_first(self._pixels, N)
        for number, values in self._deep.items():
            images[number] = reduce_depth(values, bits)
        C, H, W = images.shape[1:]
        notes = (self._describe_sizes(), self._describe_depth(bits), self._describe_channels(C))
        return Stacked(
            images,
            Preparation((C, H, W), self._how, bits),
            _sum_up(self._sizes),
            tuple(note for note in notes if note),
        )

    def _begin(self, C: int) -> None:
        """Make room for all images, and an empty sheet."""
        W, H = self._target
        rows = max(1, min(self.n, SHEET // (W * H)))
        self._sheet = Image.new("L" if C == 1 else "RGB", (W, H * rows))
        self._pixels = make_images((self.n, C, H, W))

    def _colour(self) -> None:
        """Store the images so far, which are grey, as colour."""
        self._move()
        grey = keep_first(self._pixels, self._moved)
        self._begin(3)
        for start, chunk in iterate_chunks(grey):
            self._pixels[start : start + len(chunk)] = chunk

    def _move(self) -> None:
        """Take the pictures from the sheet."""
        W, H = self._target
        count = self._count - self._moved
        pixels = np.asarray(self._sheet).reshape(-1, H, W, self._pixels.shape[1])
        self._pixels[self._moved : self._count] = pixels[:count].transpose(0, 3, 1, 2)
        self._moved = self._count

    def _choose(self, sizes: Sequence[Size]) -> None:
        """Choose size and fit from the sizes of some pictures."""
        self._kept = self.image_size is None and len(set(sizes)) == 1 and _may_stay(sizes[0])
        if self._kept:
            self._target = sizes[0]
        else:
            side = self.image_size or choose_side(sizes, self.n)
            self._target = side, side
        cut = [measure_fit(size, self._target) for size in sizes]
        mostly_kept = not cut or sum(cut) / len(cut) <= MOST_CUT
        self._how = self.fit or ("crop" if mostly_kept else "pad")

    def _stop_keeping(self, size: Size) -> None:
        """Resize the pictures so far, since this one has another size."""
        self._move()
        same, number = self._target, self._count
        pixels, deep = self._pixels, self._deep
        self._choose([*self.sample, size])
        self._begin(pixels.shape[1])
        self._deep = {}
        for i in range(number):
            if i in deep:
                bands = tuple(map(Image.fromarray, deep[i]))
                small = Decoded(bands, same, peak=0).fit(self._target, self._how)
                self._deep[i] = small.values(pixels.shape[1]).astype(np.uint16)
            else:
                channels = pixels[i].transpose(1, 2, 0).squeeze()
                small = Decoded((Image.fromarray(channels),), same)
                self._pixels[i] = small.fit(self._target, self._how).values(pixels.shape[1])

    def _describe_sizes(self) -> str | None:
        changed = {size: n for size, n in self._sizes.items() if size != self._target}
        if not changed:
            return None
        W, H = self._target
        total = sum(changed.values())
        lost = sum(n * measure_fit(size, self._target) for size, n in changed.items()) / total
        how = FITTED[self._how]
        share = {
            "crop": f", which cut {lost:.0%} of their pixels away",
            "pad": f", {lost:.0%} of which are filled up with the colour of their edges",
        }.get(self._how, "")
        if round(lost, 2) == 0:
            share = ""
        chosen = ""
        if self.like is None and (self.image_size is None or self.fit is None):
            why = "" if self.image_size or W not in SIDES else f"{self._explain(W)}; "
            chosen = f" ({why}image_size and fit choose otherwise)"
        return (
            f"{total:,} of {self._count:,} images were resized and {how} to {W}x{H} "
            f"pixels{share}{chosen}."
        ).replace("%", " %")

    def _explain(self, side: int) -> str:
        """Why images have so many pixels a side."""
        larger = [each for each in SIDES if each > side]
        if (
            larger
            and _find_middle({size: min(size) for size in self._sizes}, self._sizes) >= larger[0]
        ):
            return f"{side} are what {self.n:,} images can be trained at in minutes on two cores"
        return f"half of them have {side} or more"

    def _describe_depth(self, bits: int) -> str | None:
        if not self._deep:
            return None
        return (
            f"{len(self._deep):,} of {self._count:,} images have values of 16 bits, up to "
            f"{self._peak:,}; they were scaled from {bits} bits to 8."
        )

    def _describe_channels(self, C: int) -> str | None:
        N = self._count
        converted = self._coloured if C == 1 else N - self._coloured
        if not converted:
            return None
        return f"{converted:,} of {N:,} {CONVERTED[C]}, like the rest."


def choose_side(sizes: Sequence[Size], n: int) -> int:
    """The pixels a side of square images, where none were asked for.

    32, 48, 64 or 96: the most that half of the pictures have, and at which so many images can be
    trained on a laptop. Pictures that are smaller keep what the shorter side of most has.

    Args:
        sizes: of some pictures.
        n: how many images there will be.
    """
    shorter = int(median(map(min, sizes))) if sizes else SIDES[0]
    seen = min(SEEN, MOST_PASSES * n)
    afforded = [
        side
        for side in SIDES
        if seen * side**2 <= MOST_TRAINED and n * side**2 <= MOST_HELD and side <= shorter
    ]
    return max(afforded, default=max(MIN_SIZE, min(SIDES[0], shorter)))


def prepare_picture(picture: Decoded, like: Preparation) -> Images:
    """One picture as the images of a data set were prepared, uint8 `(1, C, H, W)`."""
    stack = Stack(1, like=like)
    stack.add(picture)
    return np.asarray(stack.finish().images)


def _may_stay(size: Size) -> bool:
    return all(MIN_SIZE <= side <= KEPT_SIZE for side in size)


def _find_middle(values: Mapping[Size, int], counts: Counter[Size]) -> float:
    """The median of a value of each size, by how many pictures have that size."""
    ordered = sorted((value, counts[size]) for size, value in values.items())
    total, seen, low = counts.total(), 0, None
    for value, count in ordered:
        seen += count
        if low is None and 2 * seen >= total:
            low = value
        if 2 * seen > total:
            assert low is not None
            return (low + value) / 2
    raise ValueError("there are no pictures")


def _sum_up(sizes: Counter[Size]) -> OriginalSizes:
    distinct = sorted(sizes, key=lambda size: (math.prod(size), size))
    width, height = (
        int(_find_middle({size: size[axis] for size in sizes}, sizes)) for axis in (0, 1)
    )
    return OriginalSizes(len(distinct), distinct[0], (width, height), distinct[-1])
