"""Comparisons of any runs, from records alone; no network is trained here."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.cli.render.comparison import print_comparison
from smallvision.cli.render.console import PlainConsole
from smallvision.comparison.groups import compare_groups
from smallvision.errors import RecordError
from smallvision.recipes import parse_recipe
from smallvision.records import store
from smallvision.records.layout import STATUS, STUDY, read_status
from smallvision.records.schema import Comparison, RunGroup, UnfinishedRun
from tests.support.comparisons import write_finished_run
from tests.support.records import make_rung_record, make_study_record

N = 400


def write_run(
    folder: Path, right: float, *, seed: int = 0, epochs: int = 1, **changes: Any
) -> Path:
    """A finished run that is right on so large a share of the images."""
    order = np.random.default_rng([seed, round(right * 1000)]).permutation(N)
    recipe = parse_recipe({"name": folder.name, "seed": seed, "epochs": epochs})
    return write_finished_run(folder, order < right * N, recipe, **changes)


def by_name(comparison: Comparison) -> dict[str, RunGroup]:
    return {group.name: group for group in comparison.groups}


def test_groups_are_recipes_and_pairs_are_corrected(tmp_path: Path) -> None:
    low = write_run(tmp_path / "low", 0.6, epochs=3)
    mid = write_run(tmp_path / "mid", 0.8, epochs=4)
    for seed in (1, 2):
        write_run(mid / "seeds" / str(seed), 0.8 + seed / 100, seed=seed, epochs=4)
    top = write_run(tmp_path / "top", 0.83, epochs=5)
    comparison = compare_groups([low, mid, top])
    assert comparison.n == N
    groups = by_name(comparison)
    assert list(groups) == ["top", "mid", "low"]
    assert groups["mid"].seeds == (0, 1, 2)
    assert groups["mid"].accuracies == pytest.approx((0.8, 0.81, 0.82))
    assert groups["mid"].std == pytest.approx(0.01)
    assert groups["low"].std is None
    pairs = {(pair.a, pair.b): pair for pair in comparison.pairs}
    assert pairs[("top", "low")].verdict == "better"
    assert pairs[("mid", "low")].verdict == "better"
    close = pairs[("top", "mid")]
    assert close.verdict == "cannot tell apart"
    assert "cannot tell apart on 400 images" in close.sentence
    assert close.bootstrap[0] < 0 < close.bootstrap[1]
    assert all(pair.p <= pair.p_holm for pair in comparison.pairs)
    assert sum(pair.p < pair.p_holm for pair in comparison.pairs) == 2


def test_seeds_that_failed_are_named(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", 0.8)
    write_run(run / "seeds" / "1", 0.82, seed=1)
    failed = write_run(run / "seeds" / "2", 0.5, seed=2)
    status = read_status(failed).extend(UnfinishedRun, status="failed", error="-")
    store.write(failed / STATUS, status)
    comparison = compare_groups([run, write_run(tmp_path / "b", 0.7, epochs=3)])
    groups = by_name(comparison)
    assert (groups["a"].seeds, groups["a"].failed, groups["b"].failed) == ((0, 1), (2,), ())
    text = io.StringIO()
    print_comparison(comparison, PlainConsole(file=text, width=200))
    assert "a failed with seed 2" in text.getvalue()


def test_the_sample_size_is_beyond_what_was_not_enough(tmp_path: Path) -> None:
    """At 5 % the first pair is told apart, with room to spare; with 28 pairs it no longer is."""
    runs = [write_run(tmp_path / f"r{i}", 0.70 + i / 75, epochs=i + 1) for i in range(8)]
    pairs = compare_groups(runs).pairs
    assert min(pair.p for pair in pairs) < 0.004
    assert min(pair.p_holm for pair in pairs) > 0.05
    for pair in pairs:
        assert pair.verdict == "cannot tell apart"
        assert pair.needed_n is None or pair.needed_n > N
    assert min(pair.needed_n for pair in pairs if pair.needed_n) < 2 * N


def test_a_handful_of_discordant_images_says_nothing_of_how_many_it_would_take(
    tmp_path: Path,
) -> None:
    right = np.arange(400) < 380
    runs = [
        write_finished_run(tmp_path / name, answers, parse_recipe({"epochs": epochs}))
        for name, answers, epochs in (("a", right, 1), ("b", np.arange(400) < 376, 2))
    ]
    (pair,) = compare_groups(runs).pairs
    assert pair.needed_n is None
    assert pair.sentence.endswith("cannot tell apart on 400 images.")


def test_two_that_are_told_apart_need_no_more_images(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / f"r{i}", 0.6 + i / 10, epochs=i + 1) for i in range(3)]
    for pair in compare_groups(runs).pairs:
        assert (pair.verdict, pair.needed_n) == ("better", None)


def test_an_ensemble_is_compared_like_any_run(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 0.7)
    ensemble = write_run(tmp_path / "ensemble", 0.9, kind="ensemble")
    comparison = compare_groups([run, ensemble])
    assert [group.seeds for group in comparison.groups] == [(), (0,)]
    assert comparison.pairs[0].verdict == "better"


def test_equal_names_are_told_apart_by_folder(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / side / "wrn", 0.8, epochs=i + 1) for i, side in enumerate("ab")]
    names = [group.name for group in compare_groups(runs).groups]
    assert names == ["wrn (a/wrn)", "wrn (b/wrn)"]


def test_what_cannot_be_compared_is_one_line(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 0.8)
    with pytest.raises(RecordError, match="given twice"):
        compare_groups([run, tmp_path / "x" / ".." / "run"])
    with pytest.raises(RecordError, match="two finished runs or more"):
        compare_groups([run])
    with pytest.raises(RecordError, match=r"other and .*run were validated on different images"):
        compare_groups([write_run(tmp_path / "other", 0.8, first=7), run])
    with pytest.raises(RecordError, match="different data sets"):
        compare_groups([run, write_run(tmp_path / "foreign", 0.8, data="b")])
    with pytest.raises(RecordError, match="a copy is no repeat"):
        compare_groups([run, write_run(tmp_path / "copy", 0.8)])
    with pytest.raises(RecordError, match=r"status\.json is missing"):
        compare_groups([run, tmp_path])


def test_a_study_stands_for_its_finished_rungs(tmp_path: Path) -> None:
    for name, epochs in (("mlp", 1), ("vgg10", 2)):
        write_run(tmp_path / "runs" / name, 0.8, epochs=epochs)
    done = [make_rung_record(name) for name in ("mlp", "vgg10")]
    failed = make_rung_record("wrn", status="failed")
    store.write(tmp_path / STUDY, make_study_record(*done, failed))
    assert set(by_name(compare_groups([tmp_path]))) == {"mlp", "vgg10"}
    with pytest.raises(RecordError, match="given twice"):
        compare_groups([tmp_path, tmp_path / "runs" / "mlp"])
    store.write(tmp_path / STUDY, make_study_record(failed))
    with pytest.raises(RecordError, match="no finished rung"):
        compare_groups([tmp_path])
