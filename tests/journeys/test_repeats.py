"""Repeats with other seeds, and comparisons of runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import smallvision as sv
from smallvision import api
from smallvision.records import store
from smallvision.records.layout import find_runs
from smallvision.records.schema import Comparison, SeedSummary
from smallvision.runs import repeats, train
from smallvision.training import DivergedError
from tests.support.commands import FAST, Outcome, assert_refused, call_command

Call = Callable[..., Outcome]
TRAIN = ("train", "digits", "mlp", "--set", "seed=9", *FAST)


def read_seeds(run: Path) -> SeedSummary:
    return store.read(run / "seeds.json", SeedSummary)


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and two repeats of it, the second of which was interrupted and resumed."""
    out = tmp_path_factory.mktemp("repeated") / "run"
    command = (*TRAIN, "--out", out, "--seeds", "3")
    true_run = repeats.run_recipe

    def stop_at_last(recipe: Any, *arguments: Any, **options: Any) -> Any:
        if recipe.seed == 11:
            raise KeyboardInterrupt
        return true_run(recipe, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "run_recipe", stop_at_last)
        assert call_command(*command).code != 0
    assert not (out / "seeds.json").exists()
    first = (out / "seeds" / "10" / "model" / "manifest.json").stat().st_mtime_ns
    outcome = call_command(*command, "--resume", "--json")
    assert outcome.code == 0, outcome.err
    assert (out / "seeds" / "10" / "model" / "manifest.json").stat().st_mtime_ns == first
    assert SeedSummary.model_validate(outcome.json["seeds"], strict=False) == read_seeds(out)
    assert "over 3 seeds on one split" in outcome.words
    return out


@pytest.fixture
def run(repeated: Path, tmp_path: Path) -> Path:
    """The same runs, to be changed."""
    return Path(shutil.copytree(repeated, tmp_path / "runs" / "run"))


def test_repeats_take_the_seeds_that_follow(repeated: Path) -> None:
    record = read_seeds(repeated)
    assert record.seeds == (9, 10, 11)
    assert len(set(record.accuracies)) > 1, "another seed is another run"


def test_repeats_share_the_split(repeated: Path) -> None:
    folders = [folder for folder, _ in find_runs(repeated)]
    assert [folder.relative_to(repeated).as_posix() for folder in folders] == [
        ".", "seeds/10", "seeds/11",
    ]  # fmt: skip
    assert len({(folder / "split.json").read_text() for folder in folders}) == 1


def test_no_repeat_is_left_out_of_the_mean(smallvision: Call, run: Path) -> None:
    record = read_seeds(run)
    assert smallvision(*TRAIN, "--out", run, "--seeds", "2", "--resume").code == 0
    assert read_seeds(run) == record


def test_repeats_are_listed_below_their_run(smallvision: Call, run: Path) -> None:
    listed = smallvision("runs", run.parent).out
    assert listed.index("run ") < listed.index("seed 10") < listed.index("seed 11")


def test_a_run_is_compared_with_all_its_seeds(smallvision: Call, run: Path) -> None:
    other = run.parent / "other"
    assert smallvision(*TRAIN, "--out", other, "--set", "model.hidden=[4]").code == 0
    compared = smallvision("compare", run, other, "--json")
    assert compared.code == 0, compared.err
    comparison = Comparison.model_validate_json(compared.out)
    assert comparison == sv.compare([run, other])
    assert comparison.groups[0].seeds == (9, 10, 11)
    assert "seeds 9, 10 and 11" in compared.err


def test_a_run_is_not_compared_with_itself(smallvision: Call, repeated: Path) -> None:
    assert_refused(smallvision("compare", repeated, repeated), "given twice")


def test_a_failed_repeat_stops_nothing_and_is_named(
    smallvision: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    true_fit = train.fit

    def diverge(*arguments: Any, **options: Any) -> None:
        if arguments[1].seed in diverging:
            raise DivergedError("the loss is NaN")
        true_fit(*arguments, **options)

    monkeypatch.setattr(train, "fit", diverge)
    command = ("train", "digits", "mlp", "--out", out, "--seeds", "3", *FAST)
    diverging = {1, 2}
    alone = smallvision(*command)
    assert alone.code == 0, alone.err
    assert "failed with seeds 1 and 2" in alone.words
    record = read_seeds(out)
    assert (record.seeds, record.failed, record.std) == ((0,), (1, 2), None)

    diverging = {1}
    outcome = smallvision(*command, "--resume")
    assert outcome.code == 0, outcome.err
    record = read_seeds(out)
    assert (record.seeds, record.failed) == ((0, 2), (1,))
    assert "over 2 seeds on one split" in outcome.words
    assert "failed with seed 1," in outcome.words


def test_a_seed_beyond_the_largest_is_found_before_training(
    smallvision: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "run_recipe", lambda *_, **__: pytest.fail("trained"))
    out = tmp_path / "run"
    refused = smallvision(
        "train", "digits", "mlp", "--out", out, "--seeds", "2", "--set", f"seed={2**31}"
    )
    assert_refused(refused, "seed is 2147483649")
    assert not out.exists()
