"""Pictures of several sizes, depths and modes become one array."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from smallvision.data.decoding.pixels.decoded import Decoded
from smallvision.data.decoding.resize import (
    MOST_PASSES,
    SEEN,
    OriginalSizes,
    Preparation,
    Stack,
    Stacked,
    choose_side,
)
from smallvision.recipes import scale
from smallvision.recipes.task import Task


def pictures(*sizes, mode="RGB"):
    return [Image.new(mode, size, "red" if mode == "RGB" else 90) for size in sizes]


def deepen(values) -> Decoded:
    band = Image.fromarray(np.asarray(values, dtype=np.uint16))
    return Decoded((band,), band.size, peak=int(np.max(values)))


def stack(*some: Image.Image | Decoded, sample=None, **options) -> Stacked:
    decoded = [one if isinstance(one, Decoded) else Decoded((one,), one.size) for one in some]
    sizes = [one.size for one in decoded] if sample is None else sample
    made = Stack(len(decoded), sizes, **options)
    for one in decoded:
        made.add(one)
    return made.finish()


def resize_pictures(some, *, image_size=None, shape=None):
    like = None if shape is None else Preparation(shape)
    stacked = stack(*some, image_size=image_size, like=like)
    return stacked.images, stacked.notes


def test_equal_sizes_in_range_stay_as_they_are():
    images, notes = resize_pictures(pictures((20, 12), (20, 12)))
    assert (images.shape, notes) == ((2, 3, 12, 20), ())


@pytest.mark.parametrize(
    ("sizes", "resized", "side", "lost"),
    [
        ([(20, 20), (24, 20)], 1, 20, ", which cut 17 % of their pixels away"),
        ([(32, 32), (97, 80)], 2, 48, ", which cut 9 % of their pixels away"),
        ([(7, 7)], 1, 8, ""),
        ([(300, 225)] * 3, 3, 96, ", which cut 25 % of their pixels away"),
        ([(60, 90), (70, 70), (64, 95)], 3, 64, ", which cut 22 % of their pixels away"),
    ],
)
def test_other_sizes_become_what_half_of_them_have(sizes, resized, side, lost):
    images, notes = resize_pictures(pictures(*sizes))
    assert images.shape == (len(sizes), 3, side, side)
    why = f"half of them have {side} or more; " if side >= 32 else ""
    assert notes == (
        f"{resized} of {len(sizes)} images were resized and cropped to {side}x{side} "
        f"pixels{lost} ({why}image_size and fit choose otherwise).",
    )


@pytest.mark.parametrize(
    ("n", "side"),
    [(888, 96), (889, 64), (32_768, 64), (32_769, 48), (58_254, 48), (58_255, 32), (10**6, 32)],
)
def test_many_pictures_become_as_large_as_a_laptop_can_train(n, side):
    assert choose_side([(400, 300)] * 3, n) == side
    # The cost of training: 400,000 images, or all of them 200 times, and what lies in memory.
    larger = {64: 96, 48: 64, 32: 48}.get(side)
    assert min(400_000, 200 * n) * side**2 <= 4 * 400_000 * 32**2
    if larger:
        costly = min(400_000, 200 * n) * larger**2 > 4 * 400_000 * 32**2
        assert costly or 3 * n * larger**2 > 400_000_000


def test_the_note_says_what_a_laptop_can_train():
    made = Stack(1000, [(300, 300), (400, 300)])
    for size in ((300, 300), (400, 300)):
        made.add(Decoded((Image.new("L", size),), size))
    (note,) = made.finish().notes
    assert "to 64x64 pixels" in note
    assert "64 are what 1,000 images can be trained at in minutes on two cores; image_size" in note


def test_one_odd_picture_does_not_decide_the_size():
    """All of a sample have 40 pixels, and one that it did not show has 2,000."""
    stacked = stack(*pictures((40, 40), (40, 40), (2000, 2000)), sample=[(40, 40)] * 2)
    assert stacked.preparation.shape == (3, 32, 32)


def test_the_choice_follows_the_length_of_training():
    """The data layer cannot import the recipes, whose bounds it repeats."""
    assert MOST_PASSES == scale.MOST_PASSES
    seen = (
        scale.choose_range("speednet", Task((3, 32, 32), 50_000, mirror_safe=True)).enough
        / 1.2
        * 50_000
    )
    assert seen == pytest.approx(SEEN, rel=0.05)


def test_pictures_that_lose_more_than_a_quarter_are_padded():
    """An object at the end of a long picture would be cut away."""
    wide = np.full((40, 80, 3), 200, dtype=np.uint8)
    wide[10:30, :20] = 0
    stacked = stack(Image.fromarray(wide), *pictures((100, 50)))
    assert stacked.preparation == Preparation((3, 32, 32), "pad", 16)
    assert stacked.notes == (
        "2 of 2 images were resized and padded to 32x32 pixels, 50 % of which are filled up with "
        "the colour of their edges (half of them have 32 or more; image_size and fit choose "
        "otherwise).",
    )
    first = stacked.images[0, 0]
    assert first[16, 4] < 10  # the object at the end
    assert (np.abs(first[[0, 31]].astype(int) - 200) <= 25).all()  # like the edge, which it touches


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_the_fit_that_was_asked_for_is_taken(fit):
    half = np.zeros((16, 64), dtype=np.uint8)
    half[:, :24] = 255  # 24 of 64: outside the middle quarter
    stacked = stack(Image.fromarray(half), *pictures((16, 16), mode="L"), fit=fit, image_size=16)
    columns = stacked.images[0, 0].mean(axis=0)
    rows = stacked.images[0, 0].mean(axis=1)
    assert stacked.preparation.fit == fit
    assert (columns.max() < 60) == (fit == "crop")
    assert (np.ptp(rows) < 2) == (fit != "pad")
    assert "choose otherwise" not in " ".join(stacked.notes)


def test_image_size_is_obeyed(refuses):
    assert resize_pictures(pictures((20, 20), (99, 90)), image_size=16)[0].shape == (2, 3, 16, 16)
    assert resize_pictures(pictures((20, 20)), image_size=224)[0].shape == (1, 3, 224, 224)
    for size in (7, 225):
        with refuses(f"image_size is {size}; expected 8 to 224"):
            resize_pictures(pictures((20, 20)), image_size=size)


def test_one_colored_picture_colors_all():
    images, notes = resize_pictures(pictures((8, 8), mode="L") + pictures((8, 8)))
    assert images[0, :, 0, 0].tolist() == [90, 90, 90]
    assert notes == ("1 of 2 grey images were stored as colour, like the rest.",)


def test_later_parts_take_the_shape_of_the_training_images():
    images, notes = resize_pictures(pictures((40, 20), (8, 8)), shape=(1, 8, 8))
    assert images.shape == (2, 1, 8, 8)
    assert notes == (
        "1 of 2 images were resized and cropped to 8x8 pixels, which cut 50 % of their pixels "
        "away.",
        "2 of 2 colour images were made grey, like the rest.",
    )


def test_resizing_is_antialiased_and_centered():
    stripes = np.zeros((64, 128), dtype=np.uint8)
    stripes[:, ::2] = 255
    stripes[:, :16] = stripes[:, -16:] = 0
    images = stack(Image.fromarray(stripes), image_size=16, fit="crop").images
    assert np.abs(images.astype(int) - 127).max() <= 3  # sampling would give black or white


def test_a_size_that_the_sample_did_not_show_resizes_all():
    rng = np.random.default_rng(0)
    some = [Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)) for _ in range(3)]
    odd = pictures((50, 40))
    late = stack(*some, *odd, sample=[(40, 40)] * 2)
    known = stack(*some, *odd)
    assert np.array_equal(late.images, known.images)
    assert (late.preparation, late.notes) == (known.preparation, known.notes)


def test_deep_pictures_of_another_size_keep_their_depth():
    late = stack(*[deepen(np.full((40, 40), 4000))] * 2, deepen(np.full((40, 50), 4000)), sample=())
    assert (late.images == 250).all()


@pytest.mark.parametrize(
    ("values", "bits", "wanted"),
    [
        ([0, 100, 255], 8, [0, 100, 255]),  # 8-bit data in 16-bit files, not black
        ([0, 2048, 4095], 12, [0, 128, 255]),  # 12-bit data, not 16 grey levels
        ([0, 257 * 100, 65535], 16, [0, 100, 255]),
    ],
)
def test_values_of_16_bits_are_scaled_by_what_the_set_holds(values, bits, wanted):
    """Others clip all above 255, or keep the upper byte (pytorch/vision 2218, keras 4486)."""
    stacked = stack(*(deepen(np.full((8, 8), value)) for value in values))
    assert stacked.images[:, 0, 0, 0].tolist() == wanted
    assert stacked.preparation.bits == bits
    assert stacked.notes == (
        f"3 of 3 images have values of 16 bits, up to {values[-1]:,}; they were scaled from "
        f"{bits} bits to 8.",
    )


def test_later_parts_are_scaled_like_the_training_images():
    like = Preparation((1, 8, 8), "crop", 12)
    stacked = stack(deepen(np.full((8, 8), 160)), deepen(np.full((8, 8), 9999)), like=like)
    assert stacked.images[:, 0, 0, 0].tolist() == [10, 255]


def test_deep_grey_becomes_coloured_among_colours():
    stacked = stack(deepen(np.full((8, 8), 100)), *pictures((8, 8)))
    assert stacked.images[0, :, 0, 0].tolist() == [100, 100, 100]


def test_deep_colours_become_grey_like_the_training_images():
    bands = tuple(Image.fromarray(np.full((8, 8), v, dtype=np.uint16)) for v in (1000, 2000, 3000))
    colour = Decoded(bands, (8, 8), peak=3000)
    grey = stack(colour, like=Preparation((1, 8, 8), "crop", 12)).images[0, 0, 0, 0]
    assert grey == round(0.299 * 1000 + 0.587 * 2000 + 0.114 * 3000) >> 4


def test_original_sizes_are_summed_up():
    stacked = stack(*pictures((400, 300), (10, 20), (60, 60), (60, 60)))
    assert stacked.sizes == OriginalSizes(3, (10, 20), (60, 60), (400, 300))


def test_no_pictures_at_all(refuses):
    with refuses("there are no images"):
        resize_pictures([])


def test_images_that_fit_neither_memory_nor_disk_are_one_error(refuses):
    with refuses("the images take 50176.0 GB", "are free: make room", "SMALLVISION_CACHE"):
        Stack(10**9, [(224, 224)], image_size=224)
