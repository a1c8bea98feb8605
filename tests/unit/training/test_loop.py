"""The loop itself: one update, and training without validation images."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.augment import AUGMENTATIONS, Augmentation, build_normalizer
from smallvision.cli.render.console import PlainConsole
from smallvision.cli.render.progress import TerminalProgress
from smallvision.data.batches import TrainBatches
from smallvision.errors import FailedRunError
from smallvision.optim import OPTIMIZERS, SCHEDULES
from smallvision.records.schema import EpochMetrics
from smallvision.training import (
    Average,
    Callback,
    Callbacks,
    Evaluator,
    LoopSettings,
    Patience,
    Recorder,
    State,
    TrainingPlan,
    fit,
    load_snapshot,
    restore_newest,
)
from smallvision.training.gradients import OwnGradients, PartMaker
from smallvision.training.loop import update, update_or_skip
from tests.support.models import FP32
from tests.support.runs import read_metrics

ONCE = SCHEDULES["cosine"](1, 2)


def build_small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3)
    )


def make_batches(*, micro_batch: int = 0, augment: Sequence[Augmentation] = ()) -> TrainBatches:
    """Random images with random labels, in batches of 16."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (32, 1, 8, 8), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 3, (32,), generator=generator)
    normalize = build_normalizer([0.5], [0.5], "cpu")
    return TrainBatches(
        images, labels, 3, normalize, 16, lambda _step, _indices: augment, 0, micro_batch
    )


def test_an_update_of_sgd_is_forward_backward_step_to_the_bit() -> None:
    models = build_small(), build_small()
    optimizers = [OPTIMIZERS["sgd"](model) for model in models]
    for seed, batch in enumerate(make_batches().epoch(1)):
        loss = update(OwnGradients.of(models[0], FP32), batch, optimizers[0], FP32, seed)
        torch.manual_seed(seed)
        ((images, targets),) = batch
        expected = F.cross_entropy(models[1](images), targets, reduction="sum") / 16
        optimizers[1].zero_grad()
        expected.backward()
        optimizers[1].step()
        assert torch.equal(loss, expected)
    for ours, theirs in zip(*(m.state_dict().values() for m in models), strict=True):
        assert torch.equal(ours, theirs)


def test_the_parts_of_a_batch_are_the_batch() -> None:
    """Without batch norm, which sees parts alone, loss and gradient are those of the whole."""
    whole, parts = make_batches(), make_batches(micro_batch=5)
    batch = next(parts.epoch(1))
    assert [len(images) for images, _ in batch] == [4, 4, 4, 4]
    results = []
    for batches in (whole, parts):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 3))
        optimizer = OPTIMIZERS["sgd"](model)
        gradients = OwnGradients.of(model, FP32)
        losses = [update(gradients, batch, optimizer, FP32, 0) for batch in batches.epoch(1)]
        results.append([*losses, *model.parameters()])
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_batch_is_made_anew_and_alike_each_time() -> None:
    """Optimisers that look at a batch twice rest on it."""
    drawn = [AUGMENTATIONS[name].apply for name in ("crop", "flip", "cutmix")]
    batch = next(make_batches(micro_batch=5, augment=drawn).epoch(1))
    first, again, plain = list(batch), list(batch), next(make_batches(micro_batch=5).epoch(1))
    for one, other, still in zip(first, again, plain, strict=True):
        assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))
        assert not any(torch.equal(*pair) for pair in zip(one, still, strict=True))


def test_a_compiler_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(_graph: object, _examples: object) -> NoReturn:
        raise ImportError("main.so: file too short\nand more")

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=break_off))
    machine = FP32.change(compiled=True)
    model = build_small()
    gradients, optimizer = OwnGradients.of(model, machine), OPTIMIZERS["sgd"](model)
    with pytest.raises(
        FailedRunError, match=r"main\.so: file too short\); remove .*compile = 'off'"
    ):
        update(gradients, next(make_batches().epoch(1)), optimizer, machine, 0)


def test_dropout_keeps_its_mask_within_an_update() -> None:
    model = build_small()
    kept: list[Tensor] = []
    model[3].register_forward_hook(lambda *call: kept.append(call[2] != 0))
    optimizer = OPTIMIZERS["sam"](model, rho=1e-6)
    update(OwnGradients.of(model, FP32), next(make_batches().epoch(1)), optimizer, FP32, 7)
    assert len(kept) == 2
    assert torch.equal(*kept)


def fit_blind(folder: Path, *callbacks: Callback, epochs: int = 3) -> State:
    """Train on random images with random labels, and none to validate on."""
    folder.mkdir(exist_ok=True)
    batches = make_batches()
    schedule = SCHEDULES["cosine"](epochs, 2)
    model = build_small()
    state = State(model, OPTIMIZERS["sgd"](model), Average(model, schedule, epochs))
    assert restore_newest(folder, state) == []
    return fit(
        state,
        batches,
        schedule,
        Evaluator((batches.images, batches.labels), None, batches.normalize, FP32),
        LoopSettings("blind", epochs, Patience(1, "epochs"), notes=("a note",)),
        FP32,
        Callbacks([Recorder(folder, schedule_kind="cosine", keep="best"), *callbacks]),
    )


def test_without_validation_the_last_weights_win(tmp_path: Path) -> None:
    state = fit_blind(tmp_path)
    assert (state.epoch, state.best.epoch) == (3, 3)
    assert state.stopped == "reached the planned end"
    lines = read_metrics(tmp_path)
    assert [(x.val_loss, x.val_accuracy, x.val_n) for x in lines] == [(None, None, 0)] * 3
    assert all(line.best for line in lines)
    last = load_snapshot(tmp_path, 3)
    assert all(torch.equal(last[name], t) for name, t in state.model.state_dict().items())


def test_without_validation_a_run_resumes(tmp_path: Path) -> None:
    class Stop(Callback):
        def on_epoch(self, *_: object) -> None:
            raise KeyboardInterrupt

    whole = fit_blind(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit_blind(tmp_path / "torn", Stop())
    torn = fit_blind(tmp_path / "torn")
    weights = zip(whole.model.state_dict().values(), torn.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


@pytest.mark.parametrize("is_terminal", [False, True])
def test_without_validation_people_are_shown_none(tmp_path: Path, is_terminal: bool) -> None:
    progress = TerminalProgress()
    progress.console = PlainConsole(
        record=True, width=120, file=io.StringIO(), force_terminal=is_terminal
    )
    fit_blind(tmp_path, progress)
    said = progress.console.export_text()
    assert "epoch   3/3" in said
    assert "train" in said
    assert "val" not in said


def test_a_callback_is_told_of_the_plan_of_every_step_and_of_every_epoch(tmp_path: Path) -> None:
    told: list[Any] = []

    class Listener(Callback):
        def on_train_start(self, plan: TrainingPlan) -> None:
            told.append((plan.name, plan.epochs, plan.steps, plan.first_epoch, plan.notes))

        def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
            assert loss.isfinite()
            assert lr > 0
            told.append((epoch, step))

        def on_epoch(self, metrics: EpochMetrics, state: State) -> None:
            assert (metrics.epoch, metrics.step) == (state.epoch, 2 * state.epoch)
            told.append((metrics.epoch, state.stopped))

    fit_blind(tmp_path, Listener(), epochs=2)
    assert told == [
        ("blind", 2, 2, 1, ("a note",)),
        (1, 1),
        (1, 2),
        (1, None),
        (2, 1),
        (2, 2),
        (2, "reached the planned end"),
    ]


def test_a_step_of_sam_is_checked_at_both_places() -> None:
    """The gradient at the second place is no number: the step is left out, no weight changes."""
    model = build_small()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    state = State(model, OPTIMIZERS["sam"](model), Average(model, ONCE, 1))
    calls = []

    def forward(x: Tensor) -> Tensor:
        calls.append(len(x))
        out: Tensor = model(x)
        if len(calls) == 2:
            out.register_hook(lambda gradient: gradient * float("nan"))
        return out

    gradients = OwnGradients(PartMaker(model, forward, FP32))
    assert update_or_skip(gradients, next(make_batches().epoch(1)), state, FP32, 0) is None
    assert len(calls) == 2
    assert all(map(torch.equal, before, model.parameters()))
