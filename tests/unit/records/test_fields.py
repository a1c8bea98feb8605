"""A record that lacks what its name promises is one line, whoever reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.errors import RecordError
from smallvision.records.fields import FIELDS
from smallvision.records.files import read_json, write_text
from tests.support.images import make_images

Call = Callable[..., Any]
FAST = ["--set", "epochs=1", "--set", "compute.threads=1"]


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("content", ["{}", "[]", "3", "null"])
def test_empty_records_are_refused(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(RecordError, match="is damaged"):
        read_json(tmp_path / name)


def test_a_wrong_type_is_named(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text('{"name": "a", "status": 3}')
    with pytest.raises(RecordError, match=r"'status' is 3"):
        read_json(tmp_path / "status.json")


def test_a_finished_run_must_have_its_figures(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text('{"name": "a", "status": "done", "val": null}')
    with pytest.raises(RecordError, match="val"):
        read_json(tmp_path / "status.json")


def test_damaged_records_are_one_line_for_every_command(smallvision: Call, tmp_path: Path) -> None:
    train = make_images(90)
    data = tmp_path / "rows.npz"
    np.savez(data, x=train.images, y=train.labels)
    run = tmp_path / "runs" / "mlp"
    assert smallvision("train", data, "mlp", "--out", run, "--evaluate", *FAST).code == 0
    commands = {
        "resume": ["train", data, "mlp", "--out", run, "--resume", *FAST],
        "evaluate": ["evaluate", run, data],
        "explain": ["explain", run, data],
        "runs": ["runs", tmp_path],
    }
    records = {
        "status.json",
        "split.json",
        "split.npz",
        "model/manifest.json",
        "model/model.json",
        "model/model.safetensors",
        "ledger.jsonl",
    }
    for record in sorted(records):
        path = run / record
        whole = path.read_bytes()
        for damage in (b"", b"{}", b"[]", whole[: len(whole) // 2]):
            path.write_bytes(damage)
            for name, command in commands.items():
                outcome = smallvision(*command)
                assert outcome.code in (0, 2), (record, damage, name)
                assert outcome.code == 0 or outcome.err.count("\n") == 1, (record, name)
                if name == "evaluate":
                    assert outcome.code == 2, (record, damage)
            path.write_bytes(whole)
    assert json.loads((run / "test.json").read_text())["openings"] == 1


def test_a_device_is_not_overwritten(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(RecordError, match="no regular file"):
        write_text(pipe, "x")
    assert pipe.is_fifo()
