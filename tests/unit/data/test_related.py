"""Related images stay on one side of every split: copies, look-alikes, groups with a name.

Pictures of one burst on both sides of a split are among the usual causes of figures that do not
hold: stefyste/RIAWELC#2 (patches of one picture), Lightning-Universe/lightning-Covid19#11
(pictures of one patient), bnsreenu/digitalsreeni-image-annotator#93 (frames of one recording).
Splits by groups that keep the shares of classes were asked for in scikit-learn/scikit-learn#13621.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallvision.data.alike import pairs as alike_pairs
from smallvision.data.alike.pairs import list_alike
from smallvision.data.dataset import DataSet
from smallvision.data.folds import make_folds
from smallvision.data.imageset import ImageSet
from smallvision.data.loading.assemble import assemble
from smallvision.data.related import find_look_alikes, join_groups, relate_images
from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.sources.source import DecodedPart, Layout, SourceOptions
from smallvision.data.split import describe_split, make_split, read_split, write_split
from smallvision.errors import DataError
from smallvision.shapes import Images, Labels
from tests.unit.data.test_near_duplicates import draw_scenes

SHOTS = 3  # pictures of each scene


def photograph(scenes: Images, *, shots: int = SHOTS) -> Images:
    """Pictures of each scene, one after the other, which differ by noise."""
    noise = np.random.default_rng(0).normal(0, 4, (shots * len(scenes), *scenes.shape[1:]))
    return (np.repeat(scenes, shots, axis=0) + noise).clip(0, 255).astype(np.uint8)


def make_bursts(count: int, *, seed: int = 0) -> tuple[ImageSet, Labels]:
    """Bursts of three pictures in two classes, and the burst of each picture."""
    bursts = np.repeat(np.arange(count), SHOTS)
    pixels = photograph(draw_scenes(count, seed=seed))
    return ImageSet(pixels, (bursts % 2).astype(np.int64), ("a", "b")), bursts


def is_divided(bursts: Labels, *sides: Labels) -> bool:
    """Whether pictures of one burst lie on more than one side."""
    places = [set(bursts[side].tolist()) for side in sides]
    return any(one & other for i, one in enumerate(places) for other in places[:i])


def assemble_parts(
    part: DecodedPart, val: DecodedPart | None = None, place: Path | None = None
) -> DataSet:
    """A data set of these parts, whose files are below a place."""
    parts = {"train": lambda _shape: part} | ({} if val is None else {"val": lambda _shape: val})
    files = () if place is None else (place / "file",)
    return assemble(Layout("tests", parts, place, files, SourceOptions()), name="bursts", seed=0)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
def test_images_are_joined_where_a_chain_of_shared_numbers_links_them(
    pairs: Sequence[tuple[int, int]],
) -> None:
    first, second = (np.array(column) for column in zip(*pairs, strict=True))
    linked = (first[:, None] == first) | (second[:, None] == second)
    for _ in pairs:
        linked = linked @ linked
    joined = join_groups([first, second])
    assert np.array_equal(joined[:, None] == joined, linked)


def test_look_alikes_stay_on_one_side() -> None:
    images, bursts = make_bursts(60)
    found = find_look_alikes(images, mirror=True)
    assert found is not None
    assert (found.kept, found.spread) == (len(images), 0)
    related = relate_images(images, alike=found.numbers)
    assert (related.alike, related.groups, related.duplicates) == (len(images), None, 0)
    plain, split = make_split(images), make_split(images, related=related)
    assert is_divided(bursts, plain.train, plain.val)
    assert not is_divided(bursts, split.train, split.val)
    assert len(split.val) == pytest.approx(len(plain.val), abs=4)
    folds = make_folds(images, 5, related=related)
    assert not is_divided(bursts, *(fold.val for fold in folds))
    assert all(not is_divided(bursts, fold.train, fold.val) for fold in folds)


def test_a_carved_test_set_holds_no_look_alike_of_a_training_image() -> None:
    images, bursts = make_bursts(60)
    data = assemble_parts(DecodedPart(images))
    by_pixels = {image.tobytes(): burst for image, burst in zip(images.images, bursts, strict=True)}
    sides = [
        {by_pixels[image.tobytes()] for image in part.images}
        for part in (data.train, open_sealed_test(data.test))
    ]
    assert not sides[0] & sides[1]
    assert sides[0] | sides[1] == set(bursts.tolist())
    assert any("180 images look much like another of their class" in note for note in data.notes)
    assert data.alike is not None
    assert len(data.alike) == len(data.train)


def test_a_class_whose_pictures_all_look_alike_is_divided_all_the_same() -> None:
    """Pictures of one plate, one desk or one microscope differ in little."""
    same = photograph(draw_scenes(1, seed=5), shots=40)
    pixels = np.concatenate([same, draw_scenes(40, seed=6)])
    images = ImageSet(pixels, np.repeat([0, 1], 40), ("same", "other"))
    found = find_look_alikes(images, mirror=True)
    assert found is not None
    assert (found.kept, found.spread) == (0, 40)
    assert "40 images look alike in groups larger" in found.describe()[0]
    data = assemble_parts(DecodedPart(images))
    assert data.train.counts.tolist() == [32, 32]


def test_look_alikes_of_two_classes_are_left_where_they_are() -> None:
    images, _ = make_bursts(60)
    labels = np.arange(len(images)) % 3
    found = find_look_alikes(ImageSet(images.images, labels, ("a", "b", "c")), mirror=True)
    assert found is not None
    assert found.kept == 0


def test_the_same_pairs_are_found_whatever_is_compared_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images, bursts = make_bursts(30)
    pairs = list_alike(images.images, mirror=True)
    assert pairs is not None
    assert len(pairs) == 30 * SHOTS
    assert (bursts[pairs[:, 0]] == bursts[pairs[:, 1]]).all()
    monkeypatch.setattr(alike_pairs, "CHUNK", 7)
    again = list_alike(images.images, mirror=True)
    assert np.array_equal(again, pairs)


def test_a_mirror_image_is_a_look_alike_only_where_it_keeps_its_class() -> None:
    scenes = draw_scenes(30, seed=1)
    both = np.concatenate([scenes, scenes[..., ::-1]])
    with_mirror, without = (list_alike(both, mirror=mirror) for mirror in (True, False))
    assert with_mirror is not None
    assert without is not None
    assert with_mirror.tolist() == [[i, i + 30] for i in range(30)]
    assert not len(without)


def test_nobody_searches_where_it_says_nothing_or_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenes = draw_scenes(40, seed=0)
    grey, small = scenes[:, :1], scenes[..., ::2, ::2]
    assert list_alike(grey, mirror=True) is None
    assert list_alike(small, mirror=True) is None
    monkeypatch.setattr(alike_pairs, "MOST_COMPARED", 39)
    assert list_alike(scenes, mirror=True) is None
    labels = np.arange(40) % 2
    assert find_look_alikes(ImageSet(scenes, labels, ("a", "b")), mirror=True) is None


def make_people(count: int) -> DecodedPart:
    """Grey pictures of people in two classes, 12 of each person, and who is on each."""
    people = np.repeat(np.arange(count), 12)
    pixels = np.random.default_rng(3).integers(0, 256, (len(people), 1, 8, 8), dtype=np.uint8)
    images = ImageSet(pixels, np.arange(len(people)) % 2, ("calm", "angry"))
    return DecodedPart(images, groups=tuple(f"person {i}" for i in people))


def test_a_group_with_a_name_stays_on_one_side_of_all_splits(tmp_path: Path) -> None:
    people = make_people(20)
    data = assemble_parts(people)
    assert data.groups is not None
    assert people.groups is not None
    assert len(data.groups) == len(data.train)
    tested = set(people.groups) - set(data.groups)
    assert len(tested) == 4
    assert len(data.test) == 4 * 12
    related = relate_images(data.train, data.groups, data.alike)
    assert (related.groups, related.alike) == (16, None)
    words = np.array(data.groups)
    split = make_split(data.train, related=related)
    assert not is_divided(words, split.train, split.val)
    folds = make_folds(data.train, 4, related=related)
    assert not is_divided(words, *(fold.val for fold in folds))
    assert describe_split(data, split).groups == 16
    write_split(tmp_path, data, split)
    assert read_split(tmp_path).groups == 16


def test_groups_come_back_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALLVISION_CACHE", str(tmp_path / "cache"))
    (tmp_path / "file").touch()
    first = assemble_parts(make_people(20), place=tmp_path)
    assert first.groups is not None
    again = assemble_parts(DecodedPart(make_people(2).images), place=tmp_path)
    assert again.groups == first.groups


def test_no_one_of_the_validation_images_is_trained_on() -> None:
    people, others = make_people(20), make_people(5)
    data = assemble_parts(people, others)
    assert data.groups is not None
    assert others.groups is not None
    assert not set(data.groups) & set(others.groups)
    (left_out,) = data.left_out
    assert (left_out.count, left_out.example) == (60, "person 0")
    assert "validation images belong to" in left_out.reason


def test_a_class_of_which_no_training_image_would_be_left_is_named() -> None:
    people = make_people(5)
    with pytest.raises(DataError, match=r"class 'calm' are of groups .* leave out --group-by"):
        assemble_parts(people, people)


def test_a_class_of_one_group_cannot_be_divided() -> None:
    people = make_people(2)
    images = ImageSet(people.images.images, np.repeat([0, 1], 12), ("calm", "angry"))
    with pytest.raises(DataError, match="class 'calm' cannot be divided"):
        assemble_parts(DecodedPart(images, groups=people.groups))
