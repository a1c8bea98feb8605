"""A damaged record is one line to whoever runs a command on it, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.records import store
from smallvision.records.schema import TestRecord
from tests.support.images import make_images

FAST = ["--set", "epochs=1", "--set", "compute.threads=1"]
RECORDS = (
    "status.json",
    "split.json",
    "split.npz",
    "model/manifest.json",
    "model/model.json",
    "model/model.safetensors",
    "ledger.jsonl",
)


def test_damaged_records_are_one_line_for_every_command(
    smallvision: Callable[..., Any], tmp_path: Path
) -> None:
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
    for record in RECORDS:
        path = run / record
        whole = path.read_bytes()
        for damage in (b"", b"{}", b"[]", whole[: len(whole) // 2]):
            path.write_bytes(damage)
            for name, command in commands.items():
                outcome = smallvision(*command)
                case = f"{name} with {record} as {damage[:20]!r}: {outcome.err}"
                assert outcome.code in (0, 2), case
                assert outcome.code == 0 or outcome.err.count("\n") == 1, case
                assert name != "evaluate" or outcome.code == 2, case
            path.write_bytes(whole)
    assert store.read(run / "test.json", TestRecord).openings == 1
