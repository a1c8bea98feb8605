"""Runs on tiny images: repeatable, resumable, honest about what they did."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from smallvision.data import placement
from smallvision.data.batches import TrainBatches
from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.split import make_split
from smallvision.errors import RecordError, UserError
from smallvision.predict import load_model
from smallvision.recipes import Recipe, parse_recipe
from smallvision.records.files import hash_file, read_json, read_jsonl, read_npz, write_json
from smallvision.records.layout import checkpoint_folder, list_checkpoints, list_ends, paused_folder
from smallvision.records.weights import load_tensors
from smallvision.runs.train import run_recipe
from smallvision.stats.calibration import fit_temperature
from smallvision.training import EpochRecord, Examiner, Plan, State, load_snapshot, loop
from tests.battery.numerics import spoil


class Interrupt:
    """A watcher that stops the process's work after an epoch, as a kill would."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_start(self, plan: Plan) -> None:
        pass

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        if epoch == self.epoch + 1 and step == 2:
            raise KeyboardInterrupt

    def on_epoch(self, record: EpochRecord, state: State) -> None:
        pass


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "name": "tiny",
        "epochs": 4,
        "batch_size": 16,
        "model": {"name": "wide_resnet", "depth": 10, "width": 1, "dropout": 0.2},
        "augment": ["flip", {"name": "crop", "padding": 1}],
        "schedule": {"name": "sgdr", "cycles": 2, "cycle_mult": 1},
        "stopping": {"patience": 0},
        "compute": {"threads": 1},
    }
    return parse_recipe({**values, **changes})


def run(dataset: DataSet, folder: Path, *watchers: Any, **changes: Any) -> dict[str, Any]:
    return run_recipe(
        recipe(**changes), dataset, make_split(dataset.train), folder, watchers=watchers
    )


def bits(folder: Path) -> dict[str, Any]:
    """Everything a run decides, but for the clock."""
    metrics = [
        {k: v for k, v in line.items() if k not in ("seconds", "images_per_second")}
        for line in read_jsonl(folder / "metrics.jsonl")
    ]
    files = {
        str(path.relative_to(folder)): hash_file(path)
        for path in [*folder.rglob("*.safetensors"), folder / "predictions" / "val.npz"]
    }
    return {"metrics": metrics, "files": files}


def test_images_in_a_mapped_file_give_the_same_bits(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(dataset, tmp_path / "resident")
    read: list[int] = []
    monkeypatch.setattr(placement, "measure_memory", lambda _device: 1000)
    monkeypatch.setattr(TrainBatches, "read", lambda _self, picks: read.append(len(picks)))
    run(dataset, tmp_path / "mapped")
    assert bits(tmp_path / "mapped") == bits(tmp_path / "resident")
    assert read, "no batch was read ahead"


def test_a_recipe_stays_as_an_earlier_version_spelt_it(dataset: DataSet, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "run", Interrupt(1))
    recipe_file, status_file = tmp_path / "run" / "recipe.toml", tmp_path / "run" / "status.json"
    older, _, rest = recipe_file.read_text().partition("[teacher]")
    older += rest.partition("[")[1] + rest.partition("[")[2]
    recipe_file.write_text(older)
    status = read_json(status_file)
    write_json(status_file, {**status, "recipe_sum": hash_file(recipe_file)})
    run(dataset, tmp_path / "run")
    assert recipe_file.read_text() == older
    assert read_json(status_file)["recipe_sum"] == hash_file(recipe_file)


def test_same_seed_same_bits(dataset: DataSet, tmp_path: Path) -> None:
    run(dataset, tmp_path / "a")
    run(dataset, tmp_path / "b")
    assert bits(tmp_path / "a") == bits(tmp_path / "b")
    run(dataset, tmp_path / "c", seed=1)
    assert bits(tmp_path / "a") != bits(tmp_path / "c")


def go_on(dataset: DataSet, shorter: Path, folder: Path, **changes: Any) -> list[int]:
    """Train a run from the end of another, if it may; returns the epochs that it trained itself."""
    trained: list[int] = []
    longer = recipe(epochs=6, name="longer", checkpoints="all", **changes)
    status = run_recipe(
        longer,
        dataset,
        make_split(dataset.train),
        folder,
        watchers=[Epochs(trained)],
        beginning=shorter,
    )
    assert [line["epoch"] for line in read_jsonl(folder / "metrics.jsonl")] == [1, 2, 3, 4, 5, 6]
    assert (len(trained) == 4) == any("not trained again" in note for note in status["notes"])
    return trained


class Epochs:
    """A watcher that notes which epochs were trained."""

    def __init__(self, seen: list[int]) -> None:
        self.seen = seen

    def on_start(self, plan: Plan) -> None:
        pass

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        pass

    def on_epoch(self, record: EpochRecord, state: State) -> None:
        self.seen.append(record.epoch)


@pytest.mark.parametrize("averaging", ["none", "ema"])
@pytest.mark.parametrize("schedule", [{"name": "linear"}, {"name": "sgdr", "cycle_mult": 1}])
def test_going_on_from_another_runs_end_gives_the_same_bits(
    dataset: DataSet, tmp_path: Path, schedule: dict[str, Any], averaging: str
) -> None:
    same = {"averaging": {"name": averaging}, "augment": ["flip", "cutmix"], "clean_tail": 0.5}
    short = {**same, "epochs": 2, "schedule": {**schedule, "cycles": 1}}
    long = {**same, "schedule": {**schedule, "cycles": 3}}
    run(dataset, tmp_path / "short", **short)
    assert go_on(dataset, tmp_path / "short", tmp_path / "after", **long) == [3, 4, 5, 6]
    nowhere = tmp_path / "nowhere"
    assert go_on(dataset, nowhere, tmp_path / "whole", **long) == [1, 2, 3, 4, 5, 6]
    after, whole = bits(tmp_path / "after"), bits(tmp_path / "whole")
    del whole["files"]["checkpoints/001/model.safetensors"]
    assert after["metrics"] == whole["metrics"]
    assert after["files"].items() <= whole["files"].items()


def test_going_on_keeps_the_ends_of_all_cycles(dataset: DataSet, tmp_path: Path) -> None:
    """Each is offered to an ensemble, the best of them or not."""
    schedule = {"name": "linear", "cycles": 2}
    run(dataset, tmp_path / "short", epochs=4, schedule=schedule)
    long = recipe(epochs=6, name="longer", schedule={**schedule, "cycles": 3})
    for base in (tmp_path / "short", None):
        folder = tmp_path / f"long-{base is None}"
        run_recipe(long, dataset, make_split(dataset.train), folder, beginning=base)
        assert set(list_ends(folder)) == {2, 4, 6} <= set(list_checkpoints(folder))


def test_going_on_loses_patience_where_the_whole_run_would(
    dataset: DataSet, tmp_path: Path
) -> None:
    """With so small a rate nothing changes: the whole run ends where its patience is spent."""
    linear = {"name": "linear"}
    still = {
        "optimizer": {"lr": 1e-12},
        "stopping": {"patience": 2, "unit": "epochs"},
        "model": {"name": "mlp", "hidden": [4]},
    }
    found = run(dataset, tmp_path / "found", epochs=30, schedule=linear, **still)
    last = found["epochs_done"]
    short = run(dataset, tmp_path / "short", epochs=last, schedule=linear, **still)
    assert short["stopped"] == "reached the planned end"
    long = recipe(epochs=2 * last, schedule={**linear, "cycles": 2}, **still)
    ends = [
        run_recipe(
            long, dataset, make_split(dataset.train), tmp_path / f"{base is None}", beginning=base
        )
        for base in (tmp_path / "short", None)
    ]
    assert [end["epochs_done"] for end in ends] == [last, last]
    assert ends[0]["stopped"] == ends[1]["stopped"]


ONE_CYCLE = {"name": "sgdr", "cycles": 1, "cycle_mult": 1}
THREE_CYCLES = {**ONE_CYCLE, "cycles": 3}


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ({"seed": 1}, {}),
        ({"averaging": {"name": "swa"}}, {"averaging": {"name": "swa"}}),
        ({}, {"schedule": {**THREE_CYCLES, "cycle_mult": 2}}),
        ({}, {"schedule": {**THREE_CYCLES, "warmup_epochs": 1}}),
    ],
)
def test_a_run_goes_on_from_no_other_end_than_its_own(
    dataset: DataSet, tmp_path: Path, shorter: dict[str, Any], longer: dict[str, Any]
) -> None:
    run(dataset, tmp_path / "short", epochs=2, schedule=ONE_CYCLE, **shorter)
    own = {"schedule": THREE_CYCLES, **longer}
    assert len(go_on(dataset, tmp_path / "short", tmp_path / "after", **own)) == 6


@pytest.mark.parametrize("event", [{"moved": True}, {"slowdown": 0.5}, {"micro_batch": 8}])
def test_a_run_goes_on_from_none_that_something_happened_to(
    dataset: DataSet, tmp_path: Path, event: dict[str, Any]
) -> None:
    run(dataset, tmp_path / "short", epochs=2, schedule=ONE_CYCLE)
    status = tmp_path / "short" / "status.json"
    write_json(status, {**read_json(status), **event})
    after = go_on(dataset, tmp_path / "short", tmp_path / "after", schedule=THREE_CYCLES)
    assert len(after) == 6


def test_a_run_goes_on_from_no_damaged_end(dataset: DataSet, tmp_path: Path) -> None:
    one = {"name": "linear", "cycles": 1}
    run(dataset, tmp_path / "short", epochs=2, schedule=one)
    weights = checkpoint_folder(tmp_path / "short", 2) / "state.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    three = {**one, "cycles": 3}
    assert len(go_on(dataset, tmp_path / "short", tmp_path / "after", schedule=three)) > 4


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("epoch", [0, 1, 2, 3])
def test_resuming_gives_the_same_bits(
    dataset: DataSet, tmp_path: Path, epoch: int, killed: bool
) -> None:
    run(dataset, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "torn", Interrupt(epoch))
    paused = tmp_path / "torn" / "checkpoints" / "paused"
    assert read_json(paused / "state.json")["step"] == 2
    if killed:  # which leaves no checkpoint amid an epoch
        shutil.rmtree(paused)
    run(dataset, tmp_path / "torn")
    assert not paused.exists()
    assert bits(tmp_path / "whole") == bits(tmp_path / "torn")


TRAINERS: dict[str, dict[str, Any]] = {
    "sam": {"optimizer": {"name": "sam"}},
    "asam": {"optimizer": {"name": "sam", "adaptive": True, "rho": 0.5}},
    "ema": {"averaging": {"name": "ema"}},
    "swa": {"averaging": {"name": "swa", "start": 0.5}},
}
MLP = {"name": "mlp", "hidden": [8], "dropout": 0.3}


@pytest.mark.parametrize("epoch", [1, 2, 3])
@pytest.mark.parametrize("trainer", TRAINERS)
def test_resuming_gives_the_same_bits_whatever_trains(
    dataset: DataSet, tmp_path: Path, trainer: str, epoch: int
) -> None:
    changes = {"model": MLP, **TRAINERS[trainer]}
    run(dataset, tmp_path / "whole", **changes)
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "torn", Interrupt(epoch), **changes)
    run(dataset, tmp_path / "torn", **changes)
    assert bits(tmp_path / "whole") == bits(tmp_path / "torn")


@pytest.mark.parametrize("trainer", ["swa", "ema"])
def test_a_signal_amid_measuring_joins_no_epoch_twice(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainer: str
) -> None:
    changes = {"model": MLP, "averaging": {"name": trainer}}
    if trainer == "swa":
        changes["averaging"]["start"] = 0.25
    run(dataset, tmp_path / "whole", **changes)
    measure, calls = Examiner.measure, []

    def leave(*arguments: Any) -> tuple[float, float]:
        calls.append(1)
        if len(calls) == 5:  # two an epoch, so this is the third, whose weights have joined
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(Examiner, "measure", leave)
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "torn", **changes)
    monkeypatch.undo()
    run(dataset, tmp_path / "torn", **changes)
    assert bits(tmp_path / "whole") == bits(tmp_path / "torn")


def test_sam_trains_a_convolutional_network(dataset: DataSet, tmp_path: Path) -> None:
    run(dataset, tmp_path / "sgd", epochs=2)
    run(dataset, tmp_path / "sam", epochs=2, **TRAINERS["sam"])
    sgd, sam = (read_jsonl(tmp_path / name / "metrics.jsonl") for name in ("sgd", "sam"))
    assert sam[-1]["loss"] != sgd[-1]["loss"]
    assert sam[-1]["loss"] < sam[0]["loss"]


@pytest.mark.parametrize("average", ["ema", "swa"])
def test_an_average_changes_nothing_in_training(
    dataset: DataSet, tmp_path: Path, average: str
) -> None:
    run(dataset, tmp_path / "raw", model=MLP)
    run(dataset, tmp_path / "averaged", model=MLP, **TRAINERS[average])
    last = [
        load_tensors(checkpoint_folder(tmp_path / name, 4), "model") for name in ("raw", "averaged")
    ]
    assert all(torch.equal(last[0][name], last[1][name]) for name in last[0])
    losses = [
        [line["loss"] for line in read_jsonl(tmp_path / name / "metrics.jsonl")]
        for name in ("raw", "averaged")
    ]
    assert losses[0] == losses[1]


def test_the_average_is_measured_and_saved(dataset: DataSet, tmp_path: Path) -> None:
    status = run(dataset, tmp_path, model=MLP, checkpoints="all", **TRAINERS["swa"])
    assert not (checkpoint_folder(tmp_path, 1) / "average.safetensors").exists()
    raw = {epoch: load_tensors(checkpoint_folder(tmp_path, epoch), "model") for epoch in (1, 2, 3)}
    assert torch.equal(load_snapshot(tmp_path, 1)["1.weight"], raw[1]["1.weight"])
    mean = (raw[2]["1.weight"].double() + raw[3]["1.weight"].double()) / 2
    assert torch.allclose(load_snapshot(tmp_path, 3)["1.weight"].double(), mean, atol=1e-7)
    # The mean of the networks' running statistics is not what the mean network sees.
    statistics = (raw[2]["2.running_var"] + raw[3]["2.running_var"]) / 2
    assert not torch.allclose(load_snapshot(tmp_path, 3)["2.running_var"], statistics, rtol=0.01)
    best = load_snapshot(tmp_path, status["best_epoch"])
    saved = load_model(tmp_path).network.state_dict()
    assert all(torch.equal(best[name], saved[name]) for name in best)
    line = read_jsonl(tmp_path / "metrics.jsonl")[status["best_epoch"] - 1]
    assert status["val"]["accuracy"] == pytest.approx(line["val_accuracy"])


def test_a_damaged_snapshot_is_not_loaded(dataset: DataSet, tmp_path: Path) -> None:
    run(dataset, tmp_path, model=MLP, **TRAINERS["ema"])
    weights = checkpoint_folder(tmp_path, 4) / "average.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(RecordError, match="damaged"):
        load_snapshot(tmp_path, 4)
    with pytest.raises(RecordError):
        load_snapshot(tmp_path, 99)


MIXED: dict[str, Any] = {
    "augment": ["trivial_augment", "cutmix", "mixup", "random_erasing"],
    "label_smoothing": 0.1,
    "clean_tail": 0.3,
    "model": {"name": "wide_resnet", "depth": 10, "width": 1, "squeeze": 4, "activation": "mish"},
}


@pytest.mark.parametrize("epoch", [1, 2])
def test_resuming_with_mixing_and_a_clean_tail(
    dataset: DataSet, tmp_path: Path, epoch: int
) -> None:
    run(dataset, tmp_path / "whole", **MIXED)
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "torn", Interrupt(epoch), **MIXED)
    run(dataset, tmp_path / "torn", **MIXED)
    assert bits(tmp_path / "whole") == bits(tmp_path / "torn")
    run(dataset, tmp_path / "mixed to the end", **{**MIXED, "clean_tail": 0.0})
    assert bits(tmp_path / "whole") != bits(tmp_path / "mixed to the end")


def test_training_accuracy_is_measured_on_clean_images(dataset: DataSet, tmp_path: Path) -> None:
    status = run(dataset, tmp_path, **MIXED)
    split, model = make_split(dataset.train), load_model(tmp_path)
    probabilities = model.predict(dataset.train.images[split.train])
    right = (probabilities.argmax(axis=1) == dataset.train.labels[split.train]).mean()
    assert status["train"]["accuracy"] == pytest.approx(right)
    best = read_jsonl(tmp_path / "metrics.jsonl")[status["best_epoch"] - 1]
    assert best["train_accuracy"] == pytest.approx(right)


def test_a_watcher_changes_nothing(dataset: DataSet, tmp_path: Path) -> None:
    class Draws(Interrupt):
        def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
            torch.rand(7)

    run(dataset, tmp_path / "a")
    run(dataset, tmp_path / "b", Draws(0))
    assert bits(tmp_path / "a") == bits(tmp_path / "b")


def test_a_damaged_checkpoint_is_passed_over(dataset: DataSet, tmp_path: Path) -> None:
    run(dataset, tmp_path / "whole", checkpoints="all")
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "torn", Interrupt(3), checkpoints="all")
    weights = tmp_path / "torn" / "checkpoints" / "003" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    shutil.rmtree(tmp_path / "torn" / "checkpoints" / "paused")
    status = run(dataset, tmp_path / "torn", checkpoints="all")
    assert any("checkpoint 3 was passed over" in note for note in status["notes"])
    assert bits(tmp_path / "whole") == bits(tmp_path / "torn")


@pytest.mark.parametrize("keep", ["best", "cycles"])
def test_pruned_checkpoints_can_be_resumed_from(
    dataset: DataSet, tmp_path: Path, keep: str
) -> None:
    run(dataset, tmp_path / "whole", epochs=6, checkpoints=keep)
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "torn", Interrupt(5), epochs=6, checkpoints=keep)
    assert run(dataset, tmp_path / "torn", epochs=6, checkpoints=keep)["notes"] == []
    assert bits(tmp_path / "whole") == bits(tmp_path / "torn")


def test_best_last_and_cycle_ends_are_kept(dataset: DataSet, tmp_path: Path) -> None:
    status = run(dataset, tmp_path, epochs=7)
    kept = {int(path.name) for path in (tmp_path / "checkpoints").iterdir()}
    assert {4, 7, status["best_epoch"]} <= kept
    assert len(kept) < 7


def test_the_best_weights_are_saved(dataset: DataSet, tmp_path: Path) -> None:
    status = run(dataset, tmp_path)
    metrics = read_jsonl(tmp_path / "metrics.jsonl")
    best = max(metrics, key=lambda line: (line["val_accuracy"], -line["val_loss"]))
    assert status["best_epoch"] == best["epoch"]
    assert status["val"]["accuracy"] == pytest.approx(best["val_accuracy"])
    model = load_model(tmp_path)
    split = make_split(dataset.train)
    probabilities = model.predict(dataset.train.images[split.val])
    right = (probabilities.argmax(axis=1) == dataset.train.labels[split.val]).mean()
    assert right == pytest.approx(status["val"]["accuracy"])
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_model_predicts_with_the_temperature_of_validation(
    dataset: DataSet, tmp_path: Path
) -> None:
    images = dataset.train
    labels = np.array(images.labels)
    labels[::7] = (labels[::7] + 1) % 3  # without mistakes there is nothing to calibrate
    noisy = replace(dataset, train=ImageSet(images.images, labels, images.class_names))
    status = run(noisy, tmp_path, epochs=8, optimizer={"lr": 0.2}, model={"name": "mlp"})
    model = load_model(tmp_path)
    found = status["calibration"]
    assert model.temperature == found["temperature"] != 1.0
    indices, labels, probabilities = read_npz(
        tmp_path / "predictions" / "val.npz", "indices", "labels", "probabilities"
    )
    pixels = noisy.train.images[indices]
    assert model.predict(pixels) == pytest.approx(probabilities, abs=1e-6)
    logits = model.predict_logits(pixels)
    assert fit_temperature(logits, labels) == pytest.approx(model.temperature, rel=1e-3)
    assert np.array_equal(logits.argmax(axis=1), probabilities.argmax(axis=1))
    assert status["val"]["loss"] == found["after"]["nll"] < found["before"]["nll"]
    assert replace(model, temperature=1.0).predict(pixels) != pytest.approx(probabilities, abs=1e-3)


def test_early_stopping_names_the_epoch(dataset: DataSet, tmp_path: Path) -> None:
    # A learning rate of almost nothing cannot improve on the first epoch's weights for long.
    status = run(
        dataset,
        tmp_path,
        epochs=30,
        optimizer={"lr": 1e-12},
        stopping={"patience": 2, "unit": "epochs"},
        model={"name": "mlp", "hidden": [4]},
    )
    assert status["epochs_done"] < 30
    assert "since epoch" in status["stopped"]


def test_a_diverging_run_says_so(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "update", lambda *_: torch.tensor(float("nan")))
    with pytest.raises(UserError, match=r"nan at step 1 of epoch 1 .*lr below 0\.1"):
        run(dataset, tmp_path)
    status = json.loads((tmp_path / "status.json").read_text())
    assert status["status"] == "failed"
    assert "loss" in status["error"]


@pytest.mark.parametrize("kind", ["loss", "memory"])
def test_an_interrupted_run_is_mended_like_one_that_was_not(
    dataset: DataSet, tmp_path: Path, kind: str
) -> None:
    """The epoch in which it fails is done again whole, not from where the signal came."""
    steps = 6
    with spoil({steps + 4}, kind):
        run(dataset, tmp_path / "whole", nonfinite="roll-back")
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path / "torn", Interrupt(1), nonfinite="roll-back")
    with spoil({2}, kind):  # step 4 of the second epoch once more
        run(dataset, tmp_path / "torn", nonfinite="roll-back")
    assert bits(tmp_path / "torn") == bits(tmp_path / "whole")


def test_a_spoilt_state_is_not_gone_on_from(dataset: DataSet, tmp_path: Path) -> None:
    """The gradient of the step before the signal was no number, so the weights are none."""
    with spoil({8}, "gradient"), pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path, Interrupt(1))
    assert list_checkpoints(tmp_path) == [1]
    assert not paused_folder(tmp_path).exists()
    assert run(dataset, tmp_path)["status"] == "done"


def test_a_refusal_leaves_the_status_as_it_was(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(loop, "update", lambda *_: torch.tensor(float("nan")))
        with pytest.raises(UserError, match="nan"):
            run(dataset, tmp_path)
    before = (tmp_path / "status.json").read_bytes()
    with pytest.raises(RecordError, match="another split"):
        run_recipe(recipe(), dataset, make_split(dataset.train, seed=9), tmp_path)
    assert (tmp_path / "status.json").read_bytes() == before


def test_a_folder_of_another_recipe_or_split_is_refused(dataset: DataSet, tmp_path: Path) -> None:
    run(dataset, tmp_path)
    with pytest.raises(RecordError, match="other settings"):
        run(dataset, tmp_path, epochs=5)
    with pytest.raises(RecordError, match="other data or another split"):
        run_recipe(recipe(), dataset, make_split(dataset.train, seed=9), tmp_path)


def test_a_finished_run_is_left_as_it_is(dataset: DataSet, tmp_path: Path) -> None:
    run(dataset, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    run(dataset, tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def test_a_changed_split_file_is_noticed(dataset: DataSet, tmp_path: Path) -> None:
    run(dataset, tmp_path)
    other = tmp_path.parent / "other"
    run_recipe(recipe(), dataset, make_split(dataset.train, seed=9), other)
    shutil.copy(other / "split.npz", tmp_path / "split.npz")
    with pytest.raises(RecordError, match="does not match the hashes"):
        run(dataset, tmp_path)


def test_a_damaged_model_is_not_loaded(dataset: DataSet, tmp_path: Path) -> None:
    run(dataset, tmp_path)
    about = tmp_path / "model" / "model.json"
    about.write_text(about.read_text().replace('"mean"', '"meen"'))
    with pytest.raises(RecordError, match="damaged"):
        load_model(tmp_path)


def test_a_change_of_machine_is_noted_for_good(dataset: DataSet, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path, Interrupt(1))
    status = read_json(tmp_path / "status.json")
    machine = {**status["machine"], "threads": 99}
    write_json(tmp_path / "status.json", {**status, "machine": machine})
    with pytest.raises(KeyboardInterrupt):
        run(dataset, tmp_path, Interrupt(2))
    status = run(dataset, tmp_path)
    assert ["another threads" in note for note in status["notes"]] == [True]
    assert status["moved"]
