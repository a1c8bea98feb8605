"""Ensembles of tiny runs: what they are made of, what they record, what they refuse."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.comparison.verdicts import compare_runs
from smallvision.data.dataset import DataSet
from smallvision.data.split import make_split
from smallvision.ensembles import build as module
from smallvision.ensembles.build import build_ensemble
from smallvision.ensembles.candidates import find_candidates, list_snapshots
from smallvision.errors import UserError
from smallvision.predict import load_model
from smallvision.records.files import read_json, read_npz, write_json
from smallvision.records.layout import find_runs
from smallvision.records.weights import load_tensors, save_tensors
from smallvision.runs.results import Run
from smallvision.runs.train import run_recipe
from tests.support.images import make_dataset
from tests.support.models import FP32
from tests.unit.runs.test_train import recipe

SNAPSHOTS = {
    "epochs": 3,
    "schedule": {"name": "sgdr", "cycles": 3, "cycle_mult": 1},
    "views": {"mirror": True, "shift": 1},
    "compute": {"threads": 1, "precision": "fp32"},
}
SINGLE = {"epochs": 1, "model": {"name": "mlp", "hidden": [8]}, "compute": SNAPSHOTS["compute"]}


def train(dataset: DataSet, folder: Path, *, split_seed: int = 0, **changes: Any) -> Path:
    run_recipe(recipe(**changes), dataset, make_split(dataset.train, seed=split_seed), folder)
    return folder


@pytest.fixture(scope="module")
def rows() -> DataSet:
    return make_dataset(150)


@pytest.fixture(scope="module")
def trained(rows: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: `snapshots` in three cycles, and `single` in one, of another architecture."""
    root = tmp_path_factory.mktemp("runs")
    train(rows, root / "snapshots", name="snapshots", **SNAPSHOTS)
    train(rows, root / "single", name="single", seed=1, **SINGLE)
    return root


def build(rows: DataSet, folder: Path, *runs: Path, **options: Any) -> dict[str, Any]:
    return build_ensemble(list(runs), rows, make_split(rows.train), folder, **options)


def test_averages_what_the_snapshots_say(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    run, folder = trained / "snapshots", tmp_path / "ensemble"
    status = build(rows, folder, run, select="all", name="three")
    record = read_json(folder / "ensemble.json")
    assert [candidate["epoch"] for candidate in record["candidates"]] == [1, 2, 3]
    assert [member["epoch"] for member in record["members"]] == [3, 2, 1]
    assert status["name"] == "three"
    assert status["stopped"] == "averaged 3 of 3 networks"
    assert status["epochs_done"] == read_json(run / "status.json")["epochs_done"]
    assert status["parameters"] == 3 * read_json(run / "status.json")["parameters"]

    indices, labels, kept = read_npz(
        folder / "predictions" / "val.npz", "indices", "labels", "probabilities"
    )
    images = rows.train.images[indices]
    members = [candidate.model.predict(images) for candidate in find_candidates(run, FP32)]
    # The temperature softens the mean, and so leaves the answers as they were.
    assert np.array_equal(kept.argmax(axis=1), np.mean(members, axis=0).argmax(axis=1))
    assert np.array_equal(load_model(folder, FP32).predict(images), kept)
    for candidate, probabilities in zip(record["candidates"], members, strict=True):
        assert candidate["accuracy"] == (probabilities.argmax(axis=1) == labels).mean()
    assert record["steps"][-1]["accuracy"] == status["val"]["accuracy"]
    pair = (members[2].argmax(axis=1) != members[1].argmax(axis=1)).mean()
    assert record["disagreement"][0][1] == record["disagreement"][1][0] == pair


def test_looks_like_a_run(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "study" / "members" / "snapshots"
    shutil.copytree(trained / "snapshots", run)
    folder = tmp_path / "study"  # the run it is made of may lie inside
    status = build(rows, folder, run)
    record = read_json(folder / "ensemble.json")
    assert record["members"][0]["run"] == "members/snapshots"
    assert read_json(folder / "status.json") == status
    assert status["kind"] == "ensemble"
    assert (folder / "recipe.toml").read_text() == (run / "recipe.toml").read_text()
    assert (folder / "split.json").read_text() == (run / "split.json").read_text()
    assert {path for path, _ in find_runs(folder)} == {folder, run}
    verdict = compare_runs(folder, run)
    assert verdict["rung"] == "ensemble"
    assert set(verdict) == set(record["against_single"])
    assert "ensemble" in Run(folder)._repr_html_()
    assert Run(folder).metrics == []


def test_greedy_begins_with_the_best_and_says_that_it_chose(
    rows: DataSet, trained: Path, tmp_path: Path
) -> None:
    runs = [trained / "snapshots", trained / "single"]
    status = build(rows, tmp_path / "e", *runs, members=2)
    record = read_json(tmp_path / "e" / "ensemble.json")
    best = max(record["candidates"], key=lambda one: (one["accuracy"], -one["loss"]))
    first = record["members"][0]
    assert (first["run"], first["epoch"]) == (best["run"], best["epoch"])
    assert record["single"]["accuracy"] == best["accuracy"]
    assert status["best_epoch"] == best["epoch"]
    assert sum(one["chosen"] for one in record["candidates"]) == len(record["members"]) <= 2
    assert all(note in record["against_single"]["sentence"] for note in status["notes"])
    assert len(status["notes"]) == 1


def test_a_deep_ensemble_of_two_architectures(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    runs = [trained / "snapshots", trained / "single"]  # of which one looks at mirror images too
    status = build(rows, tmp_path / "e", *runs, select="all")
    indices, kept = read_npz(tmp_path / "e" / "predictions" / "val.npz", "indices", "probabilities")
    model = load_model(tmp_path / "e", FP32)
    assert np.array_equal(model.predict(rows.train.images[indices]), kept)
    record = read_json(tmp_path / "e" / "ensemble.json")
    named = {(tmp_path / "e" / one["run"]).resolve() for one in record["members"]}
    assert named == {run.resolve() for run in runs}
    assert record["averaged_weights"] is None, "the weights of two runs have no mean"
    assert not (tmp_path / "e" / "averaged").exists()
    sources = [read_json(run / "status.json") for run in runs]
    assert status["seconds"] == sum(source["seconds"] for source in sources)
    assert record["cost"]["size_ratio"] == pytest.approx(
        status["size_bytes"] / record["single"]["size_bytes"]
    )


def test_averaged_weights_are_judged_by_their_figures(
    rows: DataSet, trained: Path, tmp_path: Path
) -> None:
    build(rows, tmp_path / "e", trained / "snapshots", select="last", members=2)
    record = read_json(tmp_path / "e" / "ensemble.json")
    averaged = record["averaged_weights"]
    kept = averaged["accuracy"] >= record["single"]["accuracy"]
    assert ("kept in averaged/" in averaged["sentence"]) == kept
    assert (tmp_path / "e" / "averaged").exists() == kept
    if kept:
        split = make_split(rows.train)
        probabilities = load_model(tmp_path / "e" / "averaged", FP32).predict(
            rows.train.images[split.val]
        )
        right = probabilities.argmax(axis=1) == rows.train.labels[split.val]
        assert right.mean() == averaged["accuracy"]


def test_weights_averaged_in_training_are_preferred(trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained / "snapshots", run)
    folder = run / "checkpoints" / "002"
    plain = load_tensors(folder, "model")
    average = {name: tensor * 0 for name, tensor in plain.items()}
    save_tensors(folder, {"model": plain, "average": average}, {})
    found = {candidate.model.epoch: candidate.model for candidate in find_candidates(run, FP32)}
    assert not any(parameter.any() for parameter in found[2].network.parameters())
    assert any(parameter.any() for parameter in found[3].network.parameters())


def test_which_networks_a_run_offers(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    assert list_snapshots(trained / "snapshots") == [1, 2, 3]
    assert list_snapshots(trained / "single") == []
    run = tmp_path / "run"
    shutil.copytree(trained / "snapshots", run)
    shutil.rmtree(run / "checkpoints" / "001")
    assert list_snapshots(run) == [2, 3]
    shutil.rmtree(run / "checkpoints" / "002")
    best = read_json(run / "status.json")["best_epoch"]
    assert [candidate.model.epoch for candidate in find_candidates(run, FP32)] == [best]


def test_a_member_that_cost_nothing_is_compared_too(rows: DataSet, tmp_path: Path) -> None:
    """A tuned rung that adopted its base's run took no time but its search's."""
    for name, seed in (("one", 1), ("two", 2)):
        run = train(rows, tmp_path / name, name=name, seed=seed, **SINGLE)
        status = {**read_json(run / "status.json"), "seconds": 0.0, "search_seconds": 2.0}
        write_json(run / "status.json", status)
    build(rows, tmp_path / "both", tmp_path / "one", tmp_path / "two", select="all")
    assert read_json(tmp_path / "both" / "ensemble.json")["against_single"]["seconds_ratio"] == 2


def test_the_same_run_named_twice_counts_once(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    run = trained / "snapshots"
    build(rows, tmp_path / "e", run, run / ".." / "snapshots", select="all")
    assert len(read_json(tmp_path / "e" / "ensemble.json")["members"]) == 3


def refuse(rows: DataSet, folder: Path, *runs: Path, match: str, **options: Any) -> None:
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(UserError, match=match) as caught:
        build(rows, folder, *runs, **options)
    assert caught.value.exit_code == 2
    assert sorted(folder.parent.rglob("*")) == before, "nothing is written"


def test_what_does_not_belong_together_is_refused(
    rows: DataSet, trained: Path, tmp_path: Path
) -> None:
    run, single, out = trained / "snapshots", trained / "single", tmp_path / "out"
    refuse(rows, out, single, match="offers one network")
    refuse(rows, out, run, match="at least 2", members=1)
    refuse(rows, out, run, match="did you mean 'greedy'", select="greedily")
    other = train(rows, tmp_path / "other-split", split_seed=9, **SINGLE)
    refuse(rows, out, run, other, match="another split")
    stranger = train(make_dataset(150, seed=4), tmp_path / "other-data", **SINGLE)
    refuse(rows, out, run, stranger, match="other data")

    changed = tmp_path / "changed"
    shutil.copytree(single, changed)
    about = read_json(changed / "model" / "model.json")
    tensors = load_tensors(changed / "model", "model")
    save_tensors(changed / "model", {"model": tensors}, {"model": {**about, "mean": [0.5]}})
    refuse(rows, out, run, changed, match="differ in mean")
    write_json(changed / "status.json", {"name": "changed", "status": "running"})
    refuse(rows, out, run, changed, match="not finished")
    refuse(rows, out, run, tmp_path / "nowhere", match="missing")


def test_a_damaged_snapshot_is_refused(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained / "snapshots", run)
    weights = run / "checkpoints" / "002" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    refuse(rows, tmp_path / "out", run, match="damaged")
    save_tensors(weights.parent, {"model": {}}, {})
    refuse(rows, tmp_path / "out", run, match="weights of another network")


def test_folders_in_use_are_refused(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    run = trained / "snapshots"
    (tmp_path / "full" / "precious").mkdir(parents=True)
    (tmp_path / "file").write_text("precious")
    refuse(rows, tmp_path / "full", run, match="is not empty")
    refuse(rows, tmp_path / "file", run, match="is a file")
    refuse(rows, run, run, match="already holds results")
    build(rows, tmp_path / "e", run)
    refuse(rows, tmp_path / "e", run, match="already holds results")
    refuse(rows, tmp_path / "out", run, tmp_path / "e", match="an ensemble itself")


def test_what_a_kill_leaves_is_unfinished_and_built_anew(
    rows: DataSet, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "e"

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "judge_pair", die)
        with pytest.raises(KeyboardInterrupt):
            build(rows, folder, trained / "snapshots")
    assert read_json(folder / "status.json")["status"] == "running"
    assert build(rows, folder, trained / "snapshots")["status"] == "done"
