"""The loop itself: one update, and training without validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.augment import AUGMENTATIONS, Augmentation, build_normalizer
from smallvision.cli.render.progress import LiveProgress, PlainLines
from smallvision.compute.machine import Machine
from smallvision.data.batches import TrainBatches
from smallvision.errors import FailedRunError, RecordError
from smallvision.optim import OPTIMIZERS, SCHEDULES, Schedule
from smallvision.records.files import read_jsonl, write_json
from smallvision.runs.results import Run
from smallvision.training import (
    Average,
    Examiner,
    Patience,
    Recorder,
    State,
    Watcher,
    fit,
    load_snapshot,
    restore_newest,
)
from smallvision.training.loop import update, update_or_skip

CPU = Machine(device="cpu", precision="fp32", compiled=False, threads=1)


ONCE = SCHEDULES["cosine"](1, 2)


def build_small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3)
    )


class Shallow(nn.Module):
    """A network of ours is a class; torch counts by its method."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(4, width)

    def forward(self, x: Tensor) -> Tensor:
        """From `(N, 4)` to `(N, width)`."""
        out: Tensor = self.head(x)
        return out


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
        loss = update(models[0], batch, optimizers[0], CPU, seed)
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
        losses = [update(model, batch, optimizer, CPU, 0) for batch in batches.epoch(1)]
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
    machine = replace(CPU, compiled=True)
    model = build_small()
    forward, optimizer = machine.compile_model(model), OPTIMIZERS["sgd"](model)
    with pytest.raises(
        FailedRunError, match=r"main\.so: file too short\); remove .*compile = 'off'"
    ):
        update(forward, next(make_batches().epoch(1)), optimizer, machine, 0)


def test_many_networks_in_one_process_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a search; torch would go on without compiling after eight, and not say so."""
    compiled = []

    def count(graph: torch.fx.GraphModule, _examples: object) -> torch.fx.GraphModule:
        compiled.append(graph)
        return graph

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=count))
    machine = replace(CPU, compiled=True)
    for width in range(10):
        machine.compile_model(Shallow(width + 1))(torch.zeros(2, 4))
    assert len(compiled) == 10


def test_dropout_keeps_its_mask_within_an_update() -> None:
    model = build_small()
    kept: list[Tensor] = []
    model[3].register_forward_hook(lambda *call: kept.append(call[2] != 0))
    optimizer = OPTIMIZERS["sam"](model, rho=1e-6)
    update(model, next(make_batches().epoch(1)), optimizer, CPU, 7)
    assert len(kept) == 2
    assert torch.equal(*kept)


def fit_blind(folder: Path, *watchers: Watcher, epochs: int = 3) -> State:
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
        Examiner((batches.images, batches.labels), None, batches.normalize, CPU),
        name="blind",
        epochs=epochs,
        patience=Patience(1, "epochs"),
        machine=CPU,
        watchers=[Recorder(folder, schedule_kind="cosine", keep="best"), *watchers],
    )


def test_without_validation_the_last_weights_win(tmp_path: Path) -> None:
    state = fit_blind(tmp_path)
    assert (state.epoch, state.best.epoch) == (3, 3)
    assert state.stopped == "reached the planned end"
    lines = read_jsonl(tmp_path / "metrics.jsonl")
    assert [(x["val_loss"], x["val_accuracy"], x["val_n"]) for x in lines] == [(None, None, 0)] * 3
    assert all(line["best"] for line in lines)
    last = load_snapshot(tmp_path, 3)
    assert all(torch.equal(last[name], t) for name, t in state.model.state_dict().items())


def test_without_validation_a_run_resumes(tmp_path: Path) -> None:
    class Stop(Recorder):
        def on_epoch(self, *_: object) -> None:
            raise KeyboardInterrupt

    whole = fit_blind(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit_blind(tmp_path / "torn", Stop(tmp_path, schedule_kind="cosine", keep="best"))
    torn = fit_blind(tmp_path / "torn")
    weights = zip(whole.model.state_dict().values(), torn.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


def test_without_validation_people_are_shown_none(tmp_path: Path) -> None:
    said: list[str] = []
    console = Console(record=True, width=120)
    fit_blind(tmp_path, PlainLines(said.append), LiveProgress(console))
    for text in (said[-1], console.export_text()):
        assert "epoch   3/3" in text
        assert "train" in text
        assert "val" not in text
    write_json(tmp_path / "status.json", {"schema": 1, "name": "blind", "status": "running"})
    assert "<td>–</td>" in Run(tmp_path)._repr_html_()


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

    assert update_or_skip(forward, next(make_batches().epoch(1)), state, CPU, 0) is None
    assert len(calls) == 2
    assert all(map(torch.equal, before, model.parameters()))


def test_weights_of_another_network_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").touch()
    states = []
    for width in (4, 3):
        model = Shallow(width)
        states.append(State(model, OPTIMIZERS["sgd"](model), Average(model, ONCE, 1)))
    states[0].step = 1
    Recorder(tmp_path, schedule_kind="cosine", keep="best").pause(states[0])
    before = states[1].model.state_dict()["head.bias"].clone()
    with pytest.raises(RecordError, match="another network"):
        restore_newest(tmp_path, states[1])
    assert torch.equal(states[1].model.state_dict()["head.bias"], before)


def test_steps_since_a_restart() -> None:
    schedule = Schedule(lambda _: 1.0, (1, 4))
    assert [schedule.count_since_restart(step) for step in range(5)] == [0, 1, 0, 1, 2]
