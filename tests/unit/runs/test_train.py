"""Runs on tiny images: repeatable, resumable, honest about what they did."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from smallvision.data.dataset import DataSet
from smallvision.data.split import make_split
from smallvision.data.storage.stored_images import StoredImages
from smallvision.errors import RecordError, UserError
from smallvision.predict import load_model
from smallvision.records import store
from smallvision.records.layout import checkpoint_folder, read_status
from smallvision.records.schema import AllImagesRun, CheckpointState, UnfinishedRun
from smallvision.records.weights import load_tensors
from smallvision.runs.finished_run import TRAINED, WHOLE
from smallvision.runs.job import AllImages, TrainingSplit
from smallvision.runs.train import run_recipe
from smallvision.training import Callback, Evaluator, load_snapshot, loop
from tests.support.runs import (
    Interrupt,
    make_job,
    make_recipe,
    read_bits,
    read_metrics,
    train_in_two_sessions,
    train_tiny,
)


def test_same_seed_same_bits(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path / "a")
    train_tiny(dataset, tmp_path / "b")
    assert read_bits(tmp_path / "a") == read_bits(tmp_path / "b")
    train_tiny(dataset, tmp_path / "c", seed=1)
    assert read_bits(tmp_path / "a") != read_bits(tmp_path / "c")


def test_images_in_a_file_give_the_same_bits_and_are_asked_for_ahead(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_tiny(dataset, tmp_path / "resident")
    asked: list[int] = []
    monkeypatch.setenv("SMALLVISION_WORKING_SET", "1kB")
    monkeypatch.setattr(StoredImages, "prefetch", lambda _self, picks: asked.append(len(picks)))
    train_tiny(dataset, tmp_path / "stored")
    assert read_bits(tmp_path / "stored") == read_bits(tmp_path / "resident")
    assert asked, "no batch was asked for ahead"


def test_a_callback_changes_nothing(dataset: DataSet, tmp_path: Path) -> None:
    class Draws(Callback):
        def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
            torch.rand(7)

    train_tiny(dataset, tmp_path / "a")
    train_tiny(dataset, tmp_path / "b", Draws())
    assert read_bits(tmp_path / "a") == read_bits(tmp_path / "b")


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("epoch", [0, 1, 2, 3])
def test_resuming_gives_the_same_bits(
    dataset: DataSet, tmp_path: Path, epoch: int, killed: bool
) -> None:
    train_tiny(dataset, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train_tiny(dataset, tmp_path / "torn", Interrupt(epoch))
    paused = tmp_path / "torn" / "checkpoints" / "paused"
    assert store.read(paused / "state.json", CheckpointState).step == 2
    if killed:  # which leaves no checkpoint amid an epoch
        shutil.rmtree(paused)
    train_tiny(dataset, tmp_path / "torn")
    assert not paused.exists()
    assert read_bits(tmp_path / "whole") == read_bits(tmp_path / "torn")


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
    train_tiny(dataset, tmp_path / "whole", **changes)
    train_in_two_sessions(dataset, tmp_path / "torn", epoch, **changes)
    assert read_bits(tmp_path / "whole") == read_bits(tmp_path / "torn")


MIXED: dict[str, Any] = {
    "augment": ["trivial_augment", "cutmix", "mixup", "random_erasing"],
    "label_smoothing": 0.1,
    "unmixed_fraction": 0.3,
    "model": {"name": "wide_resnet", "depth": 10, "width": 1, "se_ratio": 4, "activation": "mish"},
}


@pytest.mark.parametrize("epoch", [1, 2])
def test_resuming_with_mixing_and_a_clean_tail(
    dataset: DataSet, tmp_path: Path, epoch: int
) -> None:
    train_tiny(dataset, tmp_path / "whole", **MIXED)
    train_in_two_sessions(dataset, tmp_path / "torn", epoch, **MIXED)
    assert read_bits(tmp_path / "whole") == read_bits(tmp_path / "torn")
    train_tiny(dataset, tmp_path / "mixed to the end", **{**MIXED, "unmixed_fraction": 0.0})
    assert read_bits(tmp_path / "whole") != read_bits(tmp_path / "mixed to the end")


@pytest.mark.parametrize("trainer", ["swa", "ema"])
def test_a_signal_amid_measuring_joins_no_epoch_twice(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainer: str
) -> None:
    changes = {"model": MLP, "averaging": {"name": trainer}}
    if trainer == "swa":
        changes["averaging"]["start"] = 0.25
    train_tiny(dataset, tmp_path / "whole", **changes)
    measure, calls = Evaluator.measure, []

    def leave(*arguments: Any) -> tuple[float, float]:
        calls.append(1)
        if len(calls) == 5:  # two an epoch, so this is the third, whose weights have joined
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(Evaluator, "measure", leave)
    with pytest.raises(KeyboardInterrupt):
        train_tiny(dataset, tmp_path / "torn", **changes)
    monkeypatch.undo()
    train_tiny(dataset, tmp_path / "torn", **changes)
    assert read_bits(tmp_path / "whole") == read_bits(tmp_path / "torn")


def test_sam_trains_a_convolutional_network(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path / "sgd", epochs=2)
    train_tiny(dataset, tmp_path / "sam", epochs=2, **TRAINERS["sam"])
    sgd, sam = (read_metrics(tmp_path / name) for name in ("sgd", "sam"))
    assert sam[-1].loss != sgd[-1].loss
    assert sam[-1].loss < sam[0].loss


@pytest.mark.parametrize("average", ["ema", "swa"])
def test_an_average_changes_nothing_in_training(
    dataset: DataSet, tmp_path: Path, average: str
) -> None:
    train_tiny(dataset, tmp_path / "raw", model=MLP)
    train_tiny(dataset, tmp_path / "averaged", model=MLP, **TRAINERS[average])
    last = [
        load_tensors(checkpoint_folder(tmp_path / name, 4), "model") for name in ("raw", "averaged")
    ]
    assert all(torch.equal(last[0][name], last[1][name]) for name in last[0])
    losses = [[line.loss for line in read_metrics(tmp_path / n)] for n in ("raw", "averaged")]
    assert losses[0] == losses[1]


def test_the_average_is_measured_and_saved(dataset: DataSet, tmp_path: Path) -> None:
    status = train_tiny(dataset, tmp_path, model=MLP, checkpoints="all", **TRAINERS["swa"])
    assert not (checkpoint_folder(tmp_path, 1) / "average.safetensors").exists()
    raw = {epoch: load_tensors(checkpoint_folder(tmp_path, epoch), "model") for epoch in (1, 2, 3)}
    assert torch.equal(load_snapshot(tmp_path, 1)["1.weight"], raw[1]["1.weight"])
    mean = (raw[2]["1.weight"].double() + raw[3]["1.weight"].double()) / 2
    assert torch.allclose(load_snapshot(tmp_path, 3)["1.weight"].double(), mean, atol=1e-7)
    # The mean of the networks' running statistics is not what the mean network sees.
    statistics = (raw[2]["2.running_var"] + raw[3]["2.running_var"]) / 2
    assert not torch.allclose(load_snapshot(tmp_path, 3)["2.running_var"], statistics, rtol=0.01)
    best = load_snapshot(tmp_path, status.best_epoch)
    saved = load_model(tmp_path).network.state_dict()
    assert all(torch.equal(best[name], saved[name]) for name in best)
    line = read_metrics(tmp_path)[status.best_epoch - 1]
    assert status.val.accuracy == pytest.approx(line.val_accuracy)


def test_the_best_weights_are_saved(dataset: DataSet, tmp_path: Path) -> None:
    status = train_tiny(dataset, tmp_path)
    metrics = read_metrics(tmp_path)
    best = max(metrics, key=lambda line: (line.val_accuracy, -line.val_loss))
    assert status.best_epoch == best.epoch
    assert status.val.accuracy == pytest.approx(best.val_accuracy)
    model = load_model(tmp_path)
    split = make_split(dataset.train)
    probabilities = model.predict(dataset.train.images[split.val])
    right = (probabilities.argmax(axis=1) == dataset.train.labels[split.val]).mean()
    assert right == pytest.approx(status.val.accuracy)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_early_stopping_names_the_epoch(dataset: DataSet, tmp_path: Path) -> None:
    # A learning rate of almost nothing cannot improve on the first epoch's weights for long.
    status = train_tiny(
        dataset,
        tmp_path,
        epochs=30,
        optimizer={"name": "sgd", "lr": 1e-12},
        stopping={"patience": 2, "unit": "epochs"},
        model={"name": "mlp", "hidden": [4]},
    )
    assert status.epochs_done < 30
    assert "since epoch" in status.stopped


def test_a_diverging_run_says_so(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "update", lambda *_: torch.tensor(float("nan")))
    with pytest.raises(UserError, match=r"nan at step 1 of epoch 1 .*lr below 0\.1"):
        train_tiny(dataset, tmp_path)
    status = read_status(tmp_path)
    assert isinstance(status, UnfinishedRun)
    assert status.status == "failed"
    assert "loss" in str(status.error)


def test_a_refusal_leaves_the_status_as_it_was(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(loop, "update", lambda *_: torch.tensor(float("nan")))
        with pytest.raises(UserError, match="nan"):
            train_tiny(dataset, tmp_path)
    before = (tmp_path / "status.json").read_bytes()
    with pytest.raises(RecordError, match="another split"):
        train_tiny(dataset, tmp_path, split_seed=9)
    assert (tmp_path / "status.json").read_bytes() == before


def test_a_folder_of_another_recipe_is_refused(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path)
    with pytest.raises(RecordError, match="other settings"):
        train_tiny(dataset, tmp_path, epochs=5)


def test_a_run_on_all_images_knows_nothing_of_validation(dataset: DataSet, tmp_path: Path) -> None:
    job = make_job(dataset, tmp_path)
    status = run_recipe(make_recipe(epochs=2, model=MLP), job, AllImages())
    assert isinstance(status, AllImagesRun)
    assert status == read_status(tmp_path)
    last = read_metrics(tmp_path)[-1]
    assert status.train.n == last.train_n == len(job.split.train) + len(job.split.val)
    assert (last.val_accuracy, last.val_loss, last.val_n) == (None, None, 0)
    assert load_model(tmp_path).temperature == 1
    assert not (tmp_path / "predictions").exists()


@pytest.mark.parametrize("first", ["with", "without"])
def test_a_folder_of_a_run_on_other_images_is_refused(
    dataset: DataSet, tmp_path: Path, first: str
) -> None:
    recipe, job = make_recipe(epochs=1, model=MLP), make_job(dataset, tmp_path)
    modes = {"with": AllImages(), "without": TrainingSplit()}
    run_recipe(recipe, job, modes.pop(first))
    (other,) = modes.values()
    with pytest.raises(RecordError, match=f"made {first} the validation images"):
        run_recipe(recipe, job, other)


def test_a_finished_run_is_left_as_it_is(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    train_tiny(dataset, tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


@pytest.mark.parametrize("name", [*WHOLE, *TRAINED, "predictions/val.npz", "split.npz"])
def test_a_finished_run_that_lacks_a_file_is_refused(
    dataset: DataSet, tmp_path: Path, name: str
) -> None:
    train_tiny(dataset, tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(RecordError, match=f"{name} is missing"):
        train_tiny(dataset, tmp_path)


def test_a_finished_run_that_lacks_an_epoch_is_refused(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path)
    lines = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "metrics.jsonl").write_text("".join(lines[:-1]), encoding="utf-8")
    with pytest.raises(RecordError, match=f"tells of {len(lines) - 1} of {len(lines)} epochs"):
        train_tiny(dataset, tmp_path)
