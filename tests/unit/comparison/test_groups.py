"""Comparisons of any runs, from records alone; no network is trained here."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from smallvision.cli.render.tables import show_comparison
from smallvision.comparison.groups import compare_groups
from smallvision.comparison.verdicts import compare_runs
from smallvision.data.split import hash_indices
from smallvision.errors import RecordError
from smallvision.recipes import Recipe
from smallvision.recipes.toml import write_toml
from smallvision.records import store
from smallvision.records.files import read_json, write_json, write_npz, write_text
from smallvision.records.schema import SplitCounts, SplitRecord
from smallvision.stats import rate_accuracy

N = 400


def write_run(
    folder: Path,
    right: float,
    *,
    seed: int = 0,
    val: int = 0,
    data: str = "a",
    kind: str | None = None,
    **settings: object,
) -> Path:
    """A finished run that is right on about so large a share of the images."""
    folder.mkdir(parents=True)
    labels = np.zeros(N, dtype=np.int64)
    hit = np.random.default_rng([seed, round(right * 1000)]).permutation(N) < right * N
    probabilities = np.stack([hit, ~hit], axis=1).astype(np.float32)
    indices = np.arange(N) + val
    write_npz(
        _make(folder / "predictions") / "val.npz",
        indices=indices, labels=labels, probabilities=probabilities,
    )  # fmt: skip
    recipe = Recipe.model_validate({"name": folder.name, "seed": seed, **settings})
    write_text(folder / "recipe.toml", write_toml(recipe.plain()))
    split = SplitRecord(
        seed=0, val_fraction=0.2, subset=None, declared_val=False, train_n=0, val_n=N,
        counts=SplitCounts(train=(0,), val=(N,)), train_hash="", val_hash=hash_indices(indices),
        data_fingerprint=data, test_fingerprint="", duplicates=0,
    )  # fmt: skip
    store.write(folder / "split.json", split)
    rate = rate_accuracy(probabilities, labels)
    write_json(
        folder / "status.json",
        {
            "name": folder.name, "status": "done", "val": rate, "train": rate, "gap": 0.0,
            "seconds": 1.0, "parameters": 10, "latency_seconds": 0.1, "best_epoch": 1,
            "epochs_done": 1, "stopped": "end", "notes": [], **({"kind": kind} if kind else {}),
        },
    )  # fmt: skip
    return folder


def _make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_groups_are_recipes_and_pairs_are_corrected(tmp_path: Path) -> None:
    low = write_run(tmp_path / "low", 0.6, epochs=3)
    mid = write_run(tmp_path / "mid", 0.8, epochs=4)
    for seed in (1, 2):
        write_run(mid / "seeds" / str(seed), 0.8 + seed / 100, seed=seed, epochs=4)
    top = write_run(tmp_path / "top", 0.83, epochs=5)
    comparison = compare_groups([low, mid, top])
    groups = {group["name"]: group for group in comparison["groups"]}
    assert list(groups) == ["top", "mid", "low"]
    assert groups["mid"]["seeds"] == [0, 1, 2]
    assert groups["mid"]["accuracies"] == pytest.approx([0.8, 0.81, 0.82])
    assert groups["mid"]["std"] == pytest.approx(0.01)
    assert groups["low"]["std"] is None
    pairs = {(pair["a"], pair["b"]): pair for pair in comparison["pairs"]}
    assert pairs[("top", "low")]["verdict"] == "better"
    assert pairs[("mid", "low")]["verdict"] == "better"
    close = pairs[("top", "mid")]
    assert close["verdict"] == "cannot tell apart"
    assert "cannot tell apart on 400 images" in close["sentence"]
    assert close["bootstrap"][0] < 0 < close["bootstrap"][1]
    assert all(pair["p"] <= pair["p_holm"] for pair in comparison["pairs"])
    assert sum(pair["p"] < pair["p_holm"] for pair in comparison["pairs"]) == 2


def test_seeds_that_failed_are_named(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", 0.8)
    write_run(run / "seeds" / "1", 0.82, seed=1)
    failed = write_run(run / "seeds" / "2", 0.5, seed=2)
    write_json(failed / "status.json", {"name": "a", "status": "failed", "error": "-"})
    comparison = compare_groups([run, write_run(tmp_path / "b", 0.7, epochs=3)])
    groups = {group["name"]: group for group in comparison["groups"]}
    assert (groups["a"]["seeds"], groups["a"]["failed"], groups["b"]["failed"]) == ([0, 1], [2], [])
    console = Console(file=io.StringIO(), width=200)
    show_comparison(comparison, console)
    assert "a failed with seed 2" in console.file.getvalue()


def test_the_sample_size_is_beyond_what_was_not_enough(tmp_path: Path) -> None:
    """At 5 % the first pair is told apart; with ten pairs it no longer is."""
    runs = [write_run(tmp_path / f"r{i}", 0.70 + i / 50, epochs=i + 1) for i in range(5)]
    for pair in compare_groups(runs)["pairs"]:
        assert (pair["needed_n"] is None) == (pair["verdict"] != "cannot tell apart")
        assert pair["needed_n"] is None or pair["needed_n"] > N


def test_an_ensemble_is_compared_like_any_run(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 0.7)
    ensemble = write_run(tmp_path / "ensemble", 0.9, kind="ensemble")
    comparison = compare_groups([run, ensemble])
    assert [group["seeds"] for group in comparison["groups"]] == [[], [0]]
    assert comparison["pairs"][0]["verdict"] == "better"


def test_equal_names_are_told_apart_by_folder(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / side / "wrn", 0.8, epochs=i + 1) for i, side in enumerate("ab")]
    names = [group["name"] for group in compare_groups(runs)["groups"]]
    assert names == ["wrn (a/wrn)", "wrn (b/wrn)"]


def test_what_cannot_be_compared_is_one_line(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 0.8)
    with pytest.raises(RecordError, match="given twice"):
        compare_groups([run, tmp_path / "x" / ".." / "run"])
    with pytest.raises(RecordError, match="two finished runs or more"):
        compare_groups([run])
    with pytest.raises(RecordError, match=r"other and .*run were validated on different images"):
        compare_groups([write_run(tmp_path / "other", 0.8, val=7), run])
    with pytest.raises(RecordError, match="different data sets"):
        compare_groups([run, write_run(tmp_path / "foreign", 0.8, data="b")])
    with pytest.raises(RecordError, match="a copy is no repeat"):
        compare_groups([run, write_run(tmp_path / "copy", 0.8)])
    with pytest.raises(RecordError, match=r"status\.json is missing"):
        compare_groups([run, tmp_path])


def test_a_study_stands_for_its_finished_rungs(tmp_path: Path) -> None:
    for name, epochs in (("mlp", 1), ("vgg10", 2)):
        write_run(tmp_path / "runs" / name, 0.8, epochs=epochs)
    rungs = [{"name": "mlp", "status": "done"}, {"name": "vgg10", "status": "done"}]
    study = {"name": "s", "preset": "quick", "seed": 0, "goal": {}}
    write_json(
        tmp_path / "study.json", {**study, "rungs": [*rungs, {"name": "wrn", "status": "failed"}]}
    )
    groups = compare_groups([tmp_path])["groups"]
    assert {group["name"] for group in groups} == {"mlp", "vgg10"}
    with pytest.raises(RecordError, match="given twice"):
        compare_groups([tmp_path, tmp_path / "runs" / "mlp"])


def test_a_verdict_has_its_bootstrap_and_its_latency(tmp_path: Path) -> None:
    run, slow = write_run(tmp_path / "run", 0.9), write_run(tmp_path / "slow", 0.6)
    status = read_json(slow / "status.json")
    write_json(slow / "status.json", {**status, "latency_seconds": 0.4})
    verdict = compare_runs(run, slow)
    assert verdict["latency_ratio"] == pytest.approx(0.25)
    assert verdict["bootstrap"] == pytest.approx(verdict["interval"], abs=0.04)
    assert verdict["bootstrap"][0] < 0.3 < verdict["bootstrap"][1]
