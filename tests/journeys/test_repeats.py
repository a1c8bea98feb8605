"""Repeats with other seeds, comparisons and the list of recipes, as commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import smallvision as sv
from smallvision import api
from smallvision.records.files import read_json
from smallvision.records.layout import find_runs, find_study
from smallvision.runs import repeats, train
from smallvision.training import DivergedError

Call = Callable[..., Any]
FAST = ["--set", "epochs=1", "--set", "compute.threads=1"]


def test_repeats_share_the_split_and_go_on(
    smallvision: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    command = ("train", "digits", "mlp", "--out", out, "--set", "seed=9", "--seeds", "3", *FAST)
    true_run = repeats.run_recipe

    def stop_at_last(recipe: Any, *arguments: Any, **options: Any) -> Any:
        if recipe.seed == 11:
            raise KeyboardInterrupt
        return true_run(recipe, *arguments, **options)

    monkeypatch.setattr(repeats, "run_recipe", stop_at_last)
    assert smallvision(*command).code != 0
    assert not (out / "seeds.json").exists()
    first = (out / "seeds" / "10" / "model" / "manifest.json").stat().st_mtime_ns
    monkeypatch.setattr(repeats, "run_recipe", true_run)
    outcome = smallvision(*command, "--resume", "--json")
    assert outcome.code == 0, outcome.err
    assert (out / "seeds" / "10" / "model" / "manifest.json").stat().st_mtime_ns == first
    record = read_json(out / "seeds.json")
    assert record["seeds"] == [9, 10, 11]
    assert json.loads(outcome.out)["seeds"] == record
    assert "over 3 seeds on one split" in " ".join(outcome.err.split())
    splits = {(run / "split.json").read_text() for run, _ in find_runs(out)}
    assert len(splits) == 1
    assert [run.relative_to(out).as_posix() for run, _ in find_runs(out)] == [
        ".", "seeds/10", "seeds/11",
    ]  # fmt: skip
    assert len(set(record["accuracies"])) > 1, "another seed is another run"

    # Fewer seeds than there are repeats: none may be left out of the mean.
    assert smallvision(*command[:-5], "2", *FAST, "--resume").code == 0
    assert read_json(out / "seeds.json") == record
    listed = smallvision("runs", tmp_path).out
    assert listed.index("run ") < listed.index("seed 10") < listed.index("seed 11")

    other = tmp_path / "other"
    smallvision("train", "digits", "mlp", "--out", other, "--set", "seed=9", "--set",
                "model.hidden=[4]", *FAST)  # fmt: skip
    compared = smallvision("compare", out, other, "--json")
    assert compared.code == 0, compared.err
    assert json.loads(compared.out) == sv.compare([out, other])
    assert json.loads(compared.out)["groups"][0]["seeds"] == [9, 10, 11]
    assert "9, 10, 11" in compared.err

    twice = smallvision("compare", out, out)
    assert (twice.code, twice.err.count("\n")) == (2, 1)
    assert "given twice" in twice.err


def test_a_failed_repeat_stops_nothing_and_is_named(
    smallvision: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    true_fit = train.fit

    def diverge(*arguments: Any, **options: Any) -> None:
        if arguments[1].seed in diverging:
            raise DivergedError("the loss is no longer a number")
        true_fit(*arguments, **options)

    monkeypatch.setattr(train, "fit", diverge)
    command = ("train", "digits", "mlp", "--out", out, "--seeds", "3", *FAST)
    diverging = {1, 2}
    alone = smallvision(*command)
    assert alone.code == 0, alone.err
    assert "failed with seeds 1 and 2" in " ".join(alone.out.split())
    record = read_json(out / "seeds.json")
    assert (record["seeds"], record["failed"], record["std"]) == ([0], [1, 2], None)
    diverging = {1}
    outcome = smallvision(*command, "--resume")
    assert outcome.code == 0, outcome.err
    record = read_json(out / "seeds.json")
    assert (record["seeds"], record["failed"]) == ([0, 2], [1])
    said = " ".join(outcome.out.split())
    assert "over 2 seeds on one split" in said
    assert "failed with seed 1," in said


def save_run(folder: Path, accuracy: float, **fields: Any) -> None:
    """As much of a finished run as its line in a list needs."""
    rate = {"accuracy": accuracy, "interval": [accuracy, accuracy], "n": 100, "loss": 1.0}
    status = {"name": "a", "status": "done", "val": rate, "train": rate, "gap": 0.0, "seconds": 1.0,
              "parameters": 1, "latency_seconds": 0.1, "best_epoch": 1, "epochs_done": 1,
              "stopped": "", "notes": [], **fields}  # fmt: skip
    folder.mkdir(parents=True)
    (folder / "status.json").write_text(json.dumps(status))
    (folder / "recipe.toml").touch()


def test_no_part_of_a_run_heads_the_list(smallvision: Call, tmp_path: Path) -> None:
    save_run(tmp_path / "good", 0.8)
    save_run(tmp_path / "vote", 0.7, kind="ensemble")
    save_run(tmp_path / "vote/members/snapshots", 0.91)
    save_run(tmp_path / "vote/members/snapshots/refit", 0.92, kind="refit")
    save_run(tmp_path / "poor", 0.6)
    save_run(tmp_path / "poor/refit", 0.93, kind="refit")
    save_run(tmp_path / "poor/seeds/1", 0.94)
    for trial in ("trials/000", "rerun/tuned-1"):
        save_run(tmp_path / "poor/tune" / trial, 0.95)
    (tmp_path / "poor/tune/tune.json").touch()
    save_run(tmp_path / "other/trials/000", 0.5)
    listed = smallvision("runs", tmp_path).out
    lines = [line.split("done")[0].rstrip()[1:] for line in listed.splitlines() if "done" in line]
    assert lines == [
        "good", "vote", "  member snapshots", "    refit", "poor", "  refit", "  seed 1",
        "other/trials/000",
    ]  # fmt: skip
    assert listed.count("93.0") == 1, "a refit has only its training accuracy"
    assert "2 runs of searches left out" in listed
    alone = smallvision("runs", tmp_path / "poor/tune")
    assert alone.code == 0
    assert "2 runs of searches left out" in alone.out


def test_a_seed_beyond_the_largest_is_found_before_training(
    smallvision: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "run_recipe", lambda *_, **__: pytest.fail("trained"))
    out = tmp_path / "run"
    refused = smallvision(
        "train", "digits", "mlp", "--out", out, "--seeds", "2", "--set", f"seed={2**31}"
    )
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "seed is 2147483649" in refused.err
    assert not out.exists()


def test_a_repeat_finds_its_study(tmp_path: Path) -> None:
    repeat = tmp_path / "study" / "runs" / "wrn" / "seeds" / "3"
    repeat.mkdir(parents=True)
    assert find_study(repeat) is None
    (tmp_path / "study" / "study.json").write_text("{}")
    assert find_study(repeat) == find_study(repeat.parents[1]) == (tmp_path / "study").resolve()
    assert find_study(tmp_path / "study" / "elsewhere" / "run") is None


def test_recipes_say_what_train_accepts(smallvision: Call, tmp_path: Path) -> None:
    listed = smallvision("recipes")
    assert listed.code == 0, listed.err
    assert max(map(len, listed.out.splitlines())) <= 80
    for word in ("wrn-aug", "wide_resnet", "cutout", "sgdr", "arXiv 1608.03983", "stopping.unit",
                 "--set averaging.name=", "swa", "decay=0.999", "arXiv 1803.05407"):  # fmt: skip
        assert word in listed.out
    assert "unknown preset" in smallvision("recipes", "--preset", "quik").err
    assert "did you mean 'wrn-aug'" in smallvision("recipes", "wrn-agu").err


def test_a_printed_recipe_can_be_trained(smallvision: Call, tmp_path: Path) -> None:
    printed = smallvision("recipes", "mlp", "--preset", "quick")
    mine = tmp_path / "mine.toml"
    mine.write_text(printed.out)
    trained = smallvision("train", "digits", mine, "--out", tmp_path / "run", *FAST)
    assert trained.code == 0, trained.err
