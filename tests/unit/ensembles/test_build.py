"""Ensembles of tiny runs: what they record, and where they may be built."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from smallvision.comparison.verdicts import compare_runs
from smallvision.data.dataset import DataSet
from smallvision.ensembles import build
from smallvision.ensembles.build import EnsembleOptions
from smallvision.ensembles.candidates import find_candidates
from smallvision.errors import RecordError, SettingError
from smallvision.predict import load_model, network
from smallvision.records import store
from smallvision.records.files import read_npz
from smallvision.records.layout import STATUS, find_runs, read_status
from smallvision.records.schema import NetworkRecord, ValidatedRun
from smallvision.runs.finished_run import find_validated
from smallvision.runs.results import Run
from tests.support.ensembles import build_tiny, read_ensemble
from tests.support.models import FP32
from tests.support.runs import SINGLE, make_job, train_tiny


def test_averages_what_the_snapshots_say(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    run, folder = trained / "snapshots", tmp_path / "ensemble"
    status = build_tiny(rows, folder, run, select="all", name="three")
    record, source = read_ensemble(folder), find_validated(run)[1]
    assert [candidate.epoch for candidate in record.candidates] == [1, 2, 3]
    assert [member.epoch for member in record.members] == [3, 2, 1]
    assert status.name == "three"
    assert status.stopped == "averaged 3 of 3 networks"
    assert status.epochs_done == source.epochs_done
    assert status.parameters == 3 * source.parameters

    indices, labels, kept = read_npz(
        folder / "predictions" / "val.npz", "indices", "labels", "probabilities"
    )
    images = rows.train.images[indices]
    members = [candidate.model.predict(images) for candidate in find_candidates(run, FP32)]
    # The temperature softens the mean, and so leaves the answers as they were.
    assert np.array_equal(kept.argmax(axis=1), np.mean(members, axis=0).argmax(axis=1))
    assert np.array_equal(load_model(folder, FP32).predict(images), kept)
    for candidate, probabilities in zip(record.candidates, members, strict=True):
        assert candidate.accuracy == (probabilities.argmax(axis=1) == labels).mean()
    assert record.steps[-1].accuracy == status.val.accuracy
    pair = (members[2].argmax(axis=1) != members[1].argmax(axis=1)).mean()
    assert record.disagreement[0][1] == record.disagreement[1][0] == pair


def test_looks_like_a_run(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "study" / "members" / "snapshots"
    shutil.copytree(trained / "snapshots", run)
    folder = tmp_path / "study"  # the run it is made of may lie inside
    status = build_tiny(rows, folder, run)
    assert read_ensemble(folder).members[0].run == "members/snapshots"
    kept = store.read(folder / "network.json", NetworkRecord)
    assert kept.parameters == find_validated(folder)[1].parameters
    assert read_status(folder) == status
    assert status.kind == "ensemble"
    assert (folder / "recipe.toml").read_text() == (run / "recipe.toml").read_text()
    assert (folder / "split.json").read_text() == (run / "split.json").read_text()
    assert {path for path, _ in find_runs(folder)} == {folder, run}
    verdict = compare_runs(folder, run)
    assert (verdict.rung, verdict.against) == ("ensemble", "snapshots")
    assert "ensemble" in Run(folder)._repr_html_()
    assert Run(folder).metrics == []


def test_greedy_begins_with_the_best_and_says_that_it_chose(
    rows: DataSet, trained: Path, tmp_path: Path
) -> None:
    runs = [trained / "snapshots", trained / "single"]
    status = build_tiny(rows, tmp_path / "e", *runs, members=2)
    record = read_ensemble(tmp_path / "e")
    best = max(record.candidates, key=lambda one: (one.accuracy, -one.loss))
    first = record.members[0]
    assert (first.run, first.epoch) == (best.run, best.epoch)
    assert record.single.accuracy == best.accuracy
    assert status.best_epoch == best.epoch
    assert sum(one.chosen for one in record.candidates) == len(record.members) <= 2
    (note,) = status.notes
    assert status.caveats == status.notes
    assert note in record.against_single.sentence


def test_a_deep_ensemble_of_two_architectures(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    runs = [trained / "snapshots", trained / "single"]  # of which one looks at mirror images too
    status = build_tiny(rows, tmp_path / "e", *runs, select="all")
    indices, kept = read_npz(tmp_path / "e" / "predictions" / "val.npz", "indices", "probabilities")
    model = load_model(tmp_path / "e", FP32)
    assert np.array_equal(model.predict(rows.train.images[indices]), kept)
    record = read_ensemble(tmp_path / "e")
    named = {(tmp_path / "e" / one.run).resolve() for one in record.members}
    assert named == {run.resolve() for run in runs}
    assert record.averaged_weights is None, "the weights of two runs have no mean"
    assert not (tmp_path / "e" / "averaged").exists()
    assert status.seconds == sum(find_validated(run)[1].seconds for run in runs)
    assert record.cost.size_ratio == pytest.approx(status.size_bytes / record.single.size_bytes)


def test_averaged_weights_are_judged_by_their_figures(
    rows: DataSet, trained: Path, tmp_path: Path
) -> None:
    build_tiny(rows, tmp_path / "e", trained / "snapshots", select="last", members=2)
    record = read_ensemble(tmp_path / "e")
    averaged = record.averaged_weights
    assert averaged is not None
    kept = averaged.accuracy >= record.single.accuracy
    assert ("kept in averaged/" in averaged.sentence) == kept
    assert (tmp_path / "e" / "averaged").exists() == kept
    if kept:
        val = make_job(rows, tmp_path).split.val
        probabilities = load_model(tmp_path / "e" / "averaged", FP32).predict(
            rows.train.images[val]
        )
        right = probabilities.argmax(axis=1) == rows.train.labels[val]
        assert right.mean() == averaged.accuracy


def test_a_member_that_cost_nothing_is_compared_too(rows: DataSet, tmp_path: Path) -> None:
    """A tuned rung that adopted its base's run took no time but its search's."""
    runs = [tmp_path / "one", tmp_path / "two"]
    for seed, run in enumerate(runs, start=1):
        status = train_tiny(rows, run, name=run.name, seed=seed, **SINGLE)
        store.write(run / STATUS, status.change(seconds=0.0, search_seconds=2.0))
    build_tiny(rows, tmp_path / "both", *runs, select="all")
    assert read_ensemble(tmp_path / "both").against_single.seconds_ratio == 2


def test_the_same_run_named_twice_counts_once(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    run = trained / "snapshots"
    build_tiny(rows, tmp_path / "e", run, run / ".." / "snapshots", select="all")
    assert len(read_ensemble(tmp_path / "e").members) == 3


def test_options_that_make_no_ensemble_are_refused() -> None:
    with pytest.raises(SettingError, match="at least 2"):
        EnsembleOptions(members=1)
    with pytest.raises(SettingError, match="at most 256"):
        EnsembleOptions(members=257)
    with pytest.raises(SettingError, match="did you mean 'greedy'"):
        EnsembleOptions(select="greedily")  # type: ignore[arg-type]


def test_what_could_not_be_read_back_is_not_built(
    rows: DataSet, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "MAX_MEMBERS", 2)
    with pytest.raises(SettingError, match="3 networks are too many for an ensemble of all"):
        build_tiny(rows, tmp_path / "e", trained / "snapshots", select="all", members=2)
    assert not (tmp_path / "e").exists()
    monkeypatch.setattr(network, "MOST_TENSORS", 50)
    with pytest.raises(SettingError, match="more than 50 tensors"):
        build_tiny(rows, tmp_path / "e", trained / "snapshots", select="last", members=2)
    assert not (tmp_path / "e" / "model").exists()


def test_folders_in_use_are_refused(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    run = trained / "snapshots"
    (tmp_path / "full" / "precious").mkdir(parents=True)
    (tmp_path / "file").write_text("precious")
    before = sorted(tmp_path.rglob("*"))
    for folder, said in (
        (tmp_path / "full", "is not empty"),
        (tmp_path / "file", "is a file"),
        (run, "already holds results"),
    ):
        with pytest.raises(RecordError, match=said) as caught:
            build_tiny(rows, folder, run)
        assert caught.value.exit_code == 2
    assert sorted(tmp_path.rglob("*")) == before, "nothing is written"
    build_tiny(rows, tmp_path / "e", run)
    with pytest.raises(RecordError, match="already holds results"):
        build_tiny(rows, tmp_path / "e", run)


def test_what_a_kill_leaves_is_unfinished_and_built_anew(
    rows: DataSet, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "e"

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build, "judge_pair", die)
        with pytest.raises(KeyboardInterrupt):
            build_tiny(rows, folder, trained / "snapshots")
    left = read_status(folder)
    assert (left.kind, left.status) == ("ensemble", "running")
    assert isinstance(build_tiny(rows, folder, trained / "snapshots"), ValidatedRun)
