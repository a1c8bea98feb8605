"""Repeats with other seeds, comparisons and the list of recipes, as commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import smallvision as sv
from smallvision.records.folder import find_runs, find_study
from smallvision.study import library, repeats

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
    record = json.loads((out / "seeds.json").read_text())
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
    assert json.loads((out / "seeds.json").read_text()) == record
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


def test_a_seed_beyond_the_largest_is_found_before_training(
    smallvision: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "run_recipe", lambda *_, **__: pytest.fail("trained"))
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
    for word in ("wrn-aug", "wide_resnet", "cutout", "sgdr", "arXiv 1608.03983", "stopping.unit"):
        assert word in listed.out
    assert "unknown preset" in smallvision("recipes", "--preset", "quik").err
    assert "did you mean 'wrn-aug'" in smallvision("recipes", "wrn-agu").err


def test_a_printed_recipe_can_be_trained(smallvision: Call, tmp_path: Path) -> None:
    printed = smallvision("recipes", "mlp", "--preset", "quick")
    mine = tmp_path / "mine.toml"
    mine.write_text(printed.out)
    trained = smallvision("train", "digits", mine, "--out", tmp_path / "run", *FAST)
    assert trained.code == 0, trained.err
