"""Checkpoints read back: damage is passed over, and another network is not trained over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from smallvision.data.dataset import DataSet
from smallvision.errors import RecordError
from smallvision.optim import OPTIMIZERS, SCHEDULES
from smallvision.records.layout import checkpoint_folder
from smallvision.training import Average, Recorder, State, load_snapshot, restore_newest
from tests.support.runs import Interrupt, read_bits, train_tiny


def test_a_damaged_checkpoint_is_passed_over(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path / "whole", checkpoints="all")
    with pytest.raises(KeyboardInterrupt):
        train_tiny(dataset, tmp_path / "torn", Interrupt(3), checkpoints="all")
    weights = tmp_path / "torn" / "checkpoints" / "003" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    shutil.rmtree(tmp_path / "torn" / "checkpoints" / "paused")
    status = train_tiny(dataset, tmp_path / "torn", checkpoints="all")
    assert any("checkpoint 3 was passed over" in note for note in status.notes)
    assert read_bits(tmp_path / "whole") == read_bits(tmp_path / "torn")


def test_a_checkpoint_counts_only_as_far_as_the_metrics_before_it_are_whole(
    dataset: DataSet, tmp_path: Path
) -> None:
    train_tiny(dataset, tmp_path / "whole", checkpoints="all")
    with pytest.raises(KeyboardInterrupt):
        train_tiny(dataset, tmp_path / "torn", Interrupt(3), checkpoints="all")
    metrics = tmp_path / "torn" / "metrics.jsonl"
    metrics.write_text(metrics.read_text().replace('"epoch": 2', '"epoch": 7'))
    status = train_tiny(dataset, tmp_path / "torn", checkpoints="all")
    assert any("metrics.jsonl is damaged after epoch 1" in note for note in status.notes)
    assert read_bits(tmp_path / "whole") == read_bits(tmp_path / "torn")


def test_a_damaged_snapshot_is_not_loaded(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path, model={"name": "mlp", "hidden": [8]}, averaging={"name": "ema"})
    weights = checkpoint_folder(tmp_path, 4) / "average.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(RecordError, match="damaged"):
        load_snapshot(tmp_path, 4)
    with pytest.raises(RecordError):
        load_snapshot(tmp_path, 99)


def test_weights_of_another_network_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").touch()
    once = SCHEDULES["cosine"](1, 2)
    states = []
    for width in (4, 3):
        model = nn.Linear(4, width)
        states.append(State(model, OPTIMIZERS["sgd"](model), Average(model, once, 1)))
    states[0].step = 1
    Recorder(tmp_path, schedule_kind="cosine", keep="best").pause(states[0])
    before = states[1].model.state_dict()["bias"].clone()
    with pytest.raises(RecordError, match="another network"):
        restore_newest(tmp_path, states[1])
    assert torch.equal(states[1].model.state_dict()["bias"], before)
