"""Tuning on tiny images: repeatable, resumable, honest about luck."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from smallvision.comparison.groups import Group, compare_groups, expand_study, weigh_pair
from smallvision.data.dataset import DataSet
from smallvision.data.split import make_split
from smallvision.errors import FailedRunError, RecordError, SettingError
from smallvision.predict import load_model
from smallvision.recipes import Recipe, Rung, override, parse_recipe, read_recipe, read_run_recipe
from smallvision.recipes.search_space import build_space, read_values
from smallvision.records.files import read_json, read_jsonl, read_npz, write_json, write_jsonl
from smallvision.records.layout import TUNE, list_repeats
from smallvision.records.locks import check_folder
from smallvision.runs.repeats import repeat_run
from smallvision.runs.train import run_recipe
from smallvision.study import rungs
from smallvision.tuning import tune as tuning
from smallvision.tuning.rerun import judge_rerun, phrase_rerun, rerun_winner
from smallvision.tuning.search import PRUNER, Search, default_storage, open_search, open_storage
from smallvision.tuning.tune import (
    best_recipe,
    default_epochs,
    is_tuning_of,
    reason_to_end,
    tune_recipe,
)
from tests.unit.stats.test_bootstrap import answer


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "name": "tiny",
        "epochs": 4,
        "batch_size": 16,
        "model": {"name": "mlp", "hidden": [8]},
        "optimizer": {"lr": 0.02},
        "schedule": {"name": "cosine", "warmup_epochs": 1.0},
        "compute": {"threads": 1},
    }
    return parse_recipe({**values, **changes})


def tune(dataset: DataSet, folder: Path, **options: Any) -> dict[str, Any]:
    return tune_recipe(recipe(), dataset, make_split(dataset.train), folder, **options)


def found(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything a search decides, but for the clock."""
    return [{k: v for k, v in trial.items() if k != "seconds"} for trial in record["trials"]]


def test_the_first_trial_is_the_recipe_itself(dataset: DataSet, tmp_path: Path) -> None:
    record = tune(dataset, tmp_path, trials=6)
    assert read_json(tmp_path / "tune.json") == record
    assert [trial["number"] for trial in record["trials"]] == list(range(6))
    own = record["trials"][0]
    assert own["values"] == read_values(recipe(), list(own["values"]))
    assert own["state"] == "complete"
    complete = [trial for trial in record["trials"] if trial["state"] == "complete"]
    assert record["best"]["accuracy"] == max(trial["accuracy"] for trial in complete)
    assert record["pruner"] == PRUNER
    tuned = read_recipe(tmp_path / "tuned.toml")
    assert tuned.epochs == 4, "the tuned recipe keeps the recipe's length"
    assert read_values(tuned, list(own["values"])) == record["best"]["values"]
    assert list(tmp_path.rglob("*.safetensors")) == [], "trials keep no weights"
    written = read_recipe(tmp_path / "trials" / "000" / "recipe.toml")
    assert (written.epochs, written.schedule.model_dump()["warmup_epochs"]) == (2, 0.5)


def test_same_seed_same_search(dataset: DataSet, tmp_path: Path) -> None:
    one = tune(dataset, tmp_path / "one", trials=8)
    two = tune(dataset, tmp_path / "two", trials=8)
    assert found(one) == found(two)
    assert one["importance"] == two["importance"]
    changed = tune_recipe(
        recipe(seed=1), dataset, make_split(dataset.train), tmp_path / "three", trials=3
    )
    assert found(changed)[1]["values"] != found(one)[1]["values"]


@pytest.mark.parametrize("killed", [0, 2, 6])
def test_a_killed_search_goes_on_to_the_same_end(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: int
) -> None:
    whole = tune(dataset, tmp_path / "whole", trials=7, epochs=3)

    def kill(self: Any, epoch: int, step: int, loss: Any, lr: float) -> None:
        if self.trial.number == killed and (epoch == 2 or killed > 0):
            raise KeyboardInterrupt

    folder = tmp_path / "torn"
    with monkeypatch.context() as patch:
        patch.setattr(tuning.Reporter, "on_step", kill)
        with pytest.raises(KeyboardInterrupt):
            tune(dataset, folder, trials=7, epochs=3)
    with sqlite3.connect(folder / "tune.sqlite3") as database:
        running = database.execute("select number from trials where state = 'RUNNING'").fetchall()
    database.close()
    assert running == [(killed,)]
    assert len(json.loads((folder / "tune.json").read_text())["trials"]) == killed

    record = tune(dataset, folder, trials=7, epochs=3)
    assert found(record) == found(whole)
    more = tune(dataset, folder, trials=8, epochs=3)
    assert found(more)[:7] == found(whole)
    assert len(more["trials"]) == 8


def stop(*_: Any, **__: Any) -> None:
    """A kill, as far as Python can tell."""
    raise KeyboardInterrupt


def test_a_trial_that_was_pruned_before_a_kill_stays_pruned(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_finish, lost = Search.finish, []

    def die(self: Search, trial: Any, outcome: dict[str, Any]) -> None:
        if outcome["state"] == "pruned":
            lost.append({"number": trial.number, "values": trial.values, **outcome})
            raise KeyboardInterrupt
        true_finish(self, trial, outcome)

    with monkeypatch.context() as patch:
        patch.setattr(Search, "finish", die)
        with pytest.raises(KeyboardInterrupt):
            tune(dataset, tmp_path, trials=10, epochs=4)
    record = tune(dataset, tmp_path, trials=lost[0]["number"] + 1, epochs=4)
    assert found(record)[-1:] == found({"trials": lost})
    assert 0 < record["trials"][-1]["seconds"] <= lost[0]["seconds"]


def test_a_trial_costs_all_its_sittings(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(self: Any, epoch: int, step: int, loss: Any, lr: float) -> None:
        if self.trial.number == 0 and epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tuning.Reporter, "on_step", kill)
        with pytest.raises(KeyboardInterrupt):
            tune(dataset, tmp_path, trials=3)
    metrics = tmp_path / "trials" / "000" / "metrics.jsonl"
    (line,) = read_jsonl(metrics)
    write_jsonl(metrics, [{**line, "seconds": 5_000.0}])
    record = tune(dataset, tmp_path, trials=3, budget_seconds=4_000)
    assert record["trials"][0]["seconds"] > 5_000
    assert len(record["trials"]) == 2, "the budget knows of the earlier sitting"


def test_a_kill_leaves_no_weights_for_good(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tuning, "discard_weights", stop)
        with pytest.raises(KeyboardInterrupt):
            tune(dataset, tmp_path, trials=2)
    assert list(tmp_path.rglob("*.safetensors"))
    tune(dataset, tmp_path, trials=2)
    assert list(tmp_path.rglob("*.safetensors")) == []


@pytest.mark.parametrize("step", ["write_text", "check_split", "describe_environment"])
def test_a_kill_before_the_first_trial_leaves_a_folder_to_go_on_with(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    folder = tmp_path / "torn"
    with monkeypatch.context() as patch:
        patch.setattr(tuning, step, stop)
        with pytest.raises(KeyboardInterrupt):
            tune(dataset, folder, trials=2)
    assert check_folder(folder, TUNE, resume=True)
    assert is_tuning_of(folder, recipe(), 2)
    assert not is_tuning_of(folder, recipe(name="other"), 2)
    tune(dataset, folder, trials=2)
    files = {"tune.json", "recipe.toml", "split.json", "split.npz", "environment.json"}
    assert files <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(("whole", "trial"), [(1, 1), (2, 2), (4, 2), (12, 4)])
def test_a_trial_is_never_longer_than_the_run(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int, trial: int
) -> None:
    schedule = {"name": "cosine", "warmup_epochs": 0.5}
    base = recipe(epochs=whole, schedule=schedule)
    assert default_epochs(base) == trial

    asked: dict[str, Any] = {}

    def ask(*_: Any, **options: Any) -> None:
        asked.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(rungs, "tune_recipe", ask)
    preset = SimpleNamespace(trials=2, trial_share=1 / 3)
    site: Any = SimpleNamespace(
        run=lambda _name: tmp_path / "run",
        ladder=SimpleNamespace(preset=preset),
        **dict.fromkeys(("dataset", "split", "narrator")),
    )
    rung: Any = SimpleNamespace(name="tuned", base="mlp", recipe=base)
    with pytest.raises(KeyboardInterrupt):
        rungs.tune_rung(rung, site)
    assert asked["epochs"] == trial


@pytest.mark.parametrize("better", [False, True])
def test_a_search_that_found_nothing_better_trains_nothing(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    base, split = recipe(name="mlp"), make_split(dataset.train)
    folder = tmp_path / "runs"
    first = run_recipe(base, dataset, split, folder / "mlp")
    repeat_run(base, dataset, split, folder / "mlp", 2)
    trials = [{"seconds": 3.0}, {"seconds": 4.0}]
    monkeypatch.setattr(rungs, "tune_recipe", lambda *_args, **_options: {"trials": trials})
    winner = override(base, ["optimizer.lr=0.007"]) if better else base
    monkeypatch.setattr(rungs, "best_recipe", lambda *_args: winner)
    site: Any = SimpleNamespace(
        run=lambda name: folder / name,
        ladder=SimpleNamespace(
            preset=SimpleNamespace(trials=2, trial_share=1 / 3), repeated={"mlp", "tuned"}
        ),
        plan=SimpleNamespace(seeds=2),
        narrator=SimpleNamespace(watch_run=lambda: (), close=lambda: None),
        dataset=dataset,
        split=split,
    )
    tuned = base.model_copy(update={"name": "tuned"})
    rung = Rung("tuned", "?", "-", ("mlp",), lambda same: same, tuned, base="mlp", work="tune")
    status = rungs.tune_rung(rung, site)
    assert (status["name"], status["search_seconds"]) == ("tuned", 7.0)
    written = read_run_recipe(folder / "tuned")
    val = [
        *read_npz(folder / "mlp" / "predictions" / "val.npz", "probabilities"),
        *read_npz(folder / "tuned" / "predictions" / "val.npz", "probabilities"),
    ]
    assert len(list_repeats(folder / "tuned")) == 1
    names = [{"name": name, "status": "done"} for name in ("mlp", "tuned")]
    study = {"name": "s", "preset": "quick", "seed": 0, "goal": {}, "rungs": names}
    write_json(tmp_path / "study.json", {"schema": 1, **study})
    caveats = ["The settings of tuned were chosen on these validation images, which flatters it."]
    assert status.get("caveats") == (caveats if better else None)
    if better:
        assert (written.optimizer.lr, written.seed) == (0.007, base.seed + 1)
        assert status["seconds"] > 0
        compared = compare_groups([tmp_path])
        assert {group["name"] for group in compared["groups"]} == {"mlp", "tuned"}
    else:
        assert written == tuned
        assert (status["seconds"], status["val"]) == (0.0, first["val"])
        assert "No trial beat the settings of mlp" in status["notes"][-1]
        assert np.array_equal(*val)
        models = [load_model(folder / name) for name in ("mlp", "tuned")]
        assert models[0].fingerprint == models[1].fingerprint
        assert expand_study(tmp_path) == [folder / "mlp"], "one run is not two contenders"


def test_a_full_disk_amid_adoption_is_one_line(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    base = recipe(name="mlp")
    run_recipe(base, dataset, make_split(dataset.train), tmp_path / "mlp")
    rung = Rung("tuned", "?", "-", ("mlp",), lambda same: same, base, base="mlp", work="tune")
    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(RecordError, match="No space left on device"):
        rungs.adopt_run(tmp_path / "mlp", tmp_path / "tuned", rung, "note")


def test_without_the_run_it_would_adopt_it_trains(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = recipe(name="mlp")
    monkeypatch.setattr(rungs, "tune_recipe", lambda *_args, **_options: {"trials": []})
    monkeypatch.setattr(rungs, "best_recipe", lambda *_args: base)
    site: Any = SimpleNamespace(
        run=lambda name: tmp_path / name,
        ladder=SimpleNamespace(preset=SimpleNamespace(trials=2, trial_share=1 / 3)),
        plan=SimpleNamespace(seeds=1),
        narrator=SimpleNamespace(watch_run=lambda: ()),
        dataset=dataset,
        split=make_split(dataset.train),
    )
    tuned = base.model_copy(update={"name": "tuned"})
    rung = Rung("tuned", "?", "-", ("mlp",), lambda same: same, tuned, base="mlp", work="tune")
    assert rungs.tune_rung(rung, site)["seconds"] > 0


def test_a_trial_that_falls_behind_is_pruned(dataset: DataSet, tmp_path: Path) -> None:
    record = tune(dataset, tmp_path, trials=10, epochs=4)
    pruned = [trial for trial in record["trials"] if trial["state"] == "pruned"]
    assert pruned
    for trial in pruned:
        run = tmp_path / "trials" / f"{trial['number']:03d}"
        assert trial["epochs"] < 4
        assert json.loads((run / "status.json").read_text())["status"] == "pruned"
        assert len((run / "metrics.jsonl").read_text().splitlines()) == trial["epochs"]
        assert trial["note"].startswith("given up after epoch")


def test_a_diverged_trial_does_not_end_the_search(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_run = tuning.run_recipe

    def diverge(recipe: Recipe, dataset: DataSet, split: Any, folder: Path, **options: Any) -> Any:
        if folder.name == "001":
            raise FailedRunError("the loss is nan")
        return true_run(recipe, dataset, split, folder, **options)

    monkeypatch.setattr(tuning, "run_recipe", diverge)
    record = tune(dataset, tmp_path, trials=3)
    assert [trial["state"] == "failed" for trial in record["trials"]] == [False, True, False]
    assert record["trials"][1]["note"] == "the loss is nan"
    assert record["trials"][1]["accuracy"] is None


def test_no_trial_at_all(dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: Any, **__: Any) -> Any:
        raise FailedRunError("the loss is nan")

    monkeypatch.setattr(tuning, "run_recipe", diverge)
    record = tune(dataset, tmp_path, trials=2)
    assert record["best"] is None
    with pytest.raises(FailedRunError, match="the loss is nan"):
        best_recipe(recipe(), record)


def test_the_budget_leaves_two_trials(dataset: DataSet, tmp_path: Path) -> None:
    record = tune(dataset, tmp_path, trials=9, budget_seconds=1e-6)
    assert len(record["trials"]) == 2


@pytest.mark.parametrize(
    ("seconds", "budget", "ends"),
    [([10, 10], 30, False), ([10, 10], 29, True), ([10, 2], 22, False), ([10, 2], 21, True)],
)
def test_the_budget_counts_a_whole_trial(seconds: list[int], budget: int, ends: bool) -> None:
    trials = [
        {"seconds": spent, "state": "complete" if spent == 10 else "pruned"} for spent in seconds
    ]
    record = {"trials": trials, "trials_asked": 9, "budget_seconds": budget}
    assert (reason_to_end(record) is not None) is ends


def test_another_search_in_the_same_folder_is_refused(dataset: DataSet, tmp_path: Path) -> None:
    tune(dataset, tmp_path, trials=2)
    with pytest.raises(RecordError, match="other settings"):
        tune(dataset, tmp_path, trials=2, epochs=3)
    split = make_split(dataset.train)
    with pytest.raises(RecordError, match="other settings"):
        tune_recipe(recipe(epochs=5), dataset, split, tmp_path, trials=2)
    with pytest.raises(RecordError, match="another split"):
        tune_recipe(recipe(), dataset, make_split(dataset.train, seed=9), tmp_path, trials=2)
    with pytest.raises(SettingError, match="at least 2"):
        tune(dataset, tmp_path / "new", trials=1)


def test_a_search_is_not_continued_without_its_storage(dataset: DataSet, tmp_path: Path) -> None:
    tune(dataset, tmp_path, trials=2)
    before = (tmp_path / "tune.json").read_bytes()
    (tmp_path / "tune.sqlite3").unlink()
    with pytest.raises(RecordError, match="lists 2 trials, of which the storage holds 0"):
        tune(dataset, tmp_path, trials=3)
    assert (tmp_path / "tune.json").read_bytes() == before


def test_two_processes_may_share_a_storage(dataset: DataSet, tmp_path: Path) -> None:
    url = default_storage(tmp_path)
    space = build_space(recipe())
    own = read_values(recipe(), [dimension.key for dimension in space])
    told: dict[str, Any] = {"name": "x", "space": space, "own": own, "seed": 0, "epochs": 2}
    with (
        open_search(tmp_path / "a", url, **told) as a,
        open_search(tmp_path / "b", url, **told) as b,
    ):
        first, second = a.next_trial(), b.next_trial()
        assert (first.number, second.number) == (0, 1), "b leaves alone what a has under way"
        assert a.next_trial().number == 0, "a takes its own up again"
        a.study.ask()  # and is interrupted before it has put its name to trial 2
        b.finish(second, {"state": "failed"})
        assert b.next_trial().number == 3, "b leaves alone what bears no name"
    with open_search(tmp_path, None, **{**told, "name": "y"}) as alone:
        alone.study.ask()
        assert alone.next_trial().number == 0, "who is alone takes up what bears no name"


@pytest.mark.parametrize("name", ["plain", "with space", "a?b=c&d", "100%", "#1@host:80"])
def test_the_storage_lies_in_any_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with open_storage(default_storage(folder)):
        assert (folder / "tune.sqlite3").is_file()


@pytest.mark.parametrize("url", ["nonsense", "foo://host/x", "sqlite:////nowhere/at/all/x.sqlite3"])
def test_a_storage_that_cannot_be_used(url: str) -> None:
    with pytest.raises(SettingError, match="storage for trials cannot be used"), open_storage(url):
        pass


def test_a_damaged_storage_is_one_line(dataset: DataSet, tmp_path: Path) -> None:
    tune(dataset, tmp_path, trials=2)
    (tmp_path / "tune.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(SettingError, match="not a database"):
        tune(dataset, tmp_path, trials=3)


def test_the_winner_is_run_again_with_fresh_seeds(dataset: DataSet, tmp_path: Path) -> None:
    split = make_split(dataset.train)
    record = tune(dataset, tmp_path, trials=2)
    values = {**record["trials"][0]["values"], "optimizer.lr": 0.1}
    record["best"] = {"number": 1, "values": values, "accuracy": 1.0}
    rerun = rerun_winner(recipe(), dataset, split, tmp_path, record, seeds=2)["rerun"]
    assert rerun["seeds"] == [1, 2], "the search had seed 0"
    expected = np.mean(rerun["tuned"]) - np.mean(rerun["untuned"])
    assert rerun["difference"] == pytest.approx(expected)
    again = read_recipe(tmp_path / "rerun" / "tuned-2" / "recipe.toml")
    assert (again.seed, again.epochs, again.optimizer.lr) == (2, 4, 0.1)
    assert read_recipe(tmp_path / "rerun" / "untuned-2" / "recipe.toml") == recipe(seed=2)
    assert json.loads((tmp_path / "tune.json").read_text())["rerun"] == rerun

    fewer = rerun_winner(recipe(), dataset, split, tmp_path, record, seeds=1)["rerun"]
    assert fewer == rerun, "nobody may choose among the seeds that are finished"
    more = rerun_winner(recipe(), dataset, split, tmp_path, record, seeds=3)["rerun"]
    assert more["seeds"] == [1, 2, 3]
    status = tmp_path / "rerun" / "untuned-3" / "status.json"
    write_json(status, {**read_json(status), "status": "running"})
    fewer = rerun_winner(recipe(), dataset, split, tmp_path, record, seeds=1)["rerun"]
    assert fewer == rerun, "half a pair is no evidence"

    record["best"] = {"number": 1, "values": {**values, "optimizer.lr": 0.05}, "accuracy": 1.0}
    other = rerun_winner(recipe(), dataset, split, tmp_path, record, seeds=1)["rerun"]
    assert other["seeds"] == [1], "the other seeds were an earlier winner's"
    assert read_recipe(tmp_path / "rerun" / "tuned-1" / "recipe.toml").optimizer.lr == 0.05


def test_nothing_is_rerun_when_nothing_better_was_found(dataset: DataSet, tmp_path: Path) -> None:
    record = tune(dataset, tmp_path, trials=3)
    record["best"] = {"number": 0, "values": record["trials"][0]["values"], "accuracy": 1.0}
    record = rerun_winner(recipe(), dataset, make_split(dataset.train), tmp_path, record)
    assert "found nothing better" in record["rerun"]["sentence"]
    assert "2 other trials" in record["rerun"]["sentence"]
    assert not (tmp_path / "rerun").exists()


def answers(*rights: int) -> Any:
    """For each seed, the first so many of 1,000 images right."""
    return np.array([np.arange(1_000) < right for right in rights])


def say(tuned: Any, untuned: Any) -> str:
    """What the sentence says of such answers."""
    seeds = list(range(1, len(tuned) + 1))
    judged = {"seeds": seeds, **judge_rerun(tuned, untuned)}
    return phrase_rerun(judged, trials=12, n=tuned.shape[1])


@pytest.mark.parametrize(
    ("tuned", "untuned", "said"),
    [
        ((950, 952), (900, 902), "the gain holds with fresh seeds"),
        ((905, 906), (904, 905), "may be the luck of the best of 12"),
        ((990, 899), (900, 900), "may be the luck of the best of 12"),  # one seed disagrees
        ((904, 905), (905, 906), "did not hold"),
        ((900, 900), (950, 950), "own settings are better"),
        ((950,), (900,), "better on this one seed"),
        ((900,), (950,), "worse on this one seed"),
        ((902,), (900,), "may be the luck of the best of 12"),
    ],
)
def test_what_is_said_of_the_rerun(tuned: Any, untuned: Any, said: str) -> None:
    compared = judge_rerun(answers(*tuned), answers(*untuned))
    low, high = compared["interval"]
    assert low <= compared["difference"] <= high
    assert (low <= 0 <= high) == (compared["p"] >= 0.05), "interval and p-value say the same"
    assert said in say(answers(*tuned), answers(*untuned))


def test_tune_and_compare_say_the_same_of_the_same_runs() -> None:
    for seeds in (1, 3):
        a, b = answer(np.random.default_rng(seeds), seeds, 300, 0.3, 0.2)
        groups = [
            Group("", tuple(SimpleNamespace(correct=row) for row in side))  # type: ignore[misc]
            for side in (a, b)
        ]
        judged = judge_rerun(a, b)
        assert (judged["difference"], judged["p"]) == weigh_pair(*groups)


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_recipes_that_differ_in_nothing_are_seldom_called_different(seeds: int) -> None:
    """Equal recipes whose seeds matter: "real" must stay at half the level, the other half harm."""
    rng, worlds = np.random.default_rng(0), 400
    said = [say(*answer(rng, seeds, 300, 0.0, 0.3)) for _ in range(worlds)]
    real = sum("real" in sentence for sentence in said) / worlds
    harm = sum("own settings are better" in sentence for sentence in said) / worlds
    assert real + harm < 0.07
    if seeds == 1:
        assert real + harm == 0
