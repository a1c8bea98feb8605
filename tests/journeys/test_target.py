"""`train --target`: a recipe made beforehand, trained once on all images."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
SMALL = [
    f"--set={text}"
    for text in ("epochs=2", "model.widths=[8]", "batch_size=64", "micro_batch=40",
                 "random_crop_phase=[]", "tta.shift=0", "compute.threads=1")
]  # fmt: skip
HEADLINE = ("train", "digits", "speednet", "--target", "0.94", "--refit", "--evaluate", *SMALL)


def test_all_images_are_trained_on_and_the_seal_is_opened_once(
    smallvision: Call, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    done = smallvision(*HEADLINE, "--out", out, "--json")
    assert done.code == 0, done.err
    summary = json.loads(done.out)
    assert summary["kind"] == "pooled"
    assert "val" not in summary
    assert summary["test"]["n"] == 359
    split = json.loads((out / "split.json").read_text())
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    images = split["train_n"] + split["val_n"] if "train_n" in split else 1438
    assert lines[-1]["step"] == 2 * (images // 64), "an epoch goes over training and validation"
    assert [line["val_n"] for line in lines] == [0, 0]
    assert not (out / "refit").exists()
    assert len((out / "ledger.jsonl").read_text().splitlines()) == 1
    assert "none is left to validate it on" in " ".join(done.err.split())
    assert "not calibrated" in done.err

    again = smallvision(*HEADLINE, "--out", out, "--resume", "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["test"] == summary["test"]
    assert len((out / "ledger.jsonl").read_text().splitlines()) == 1, "not opened a second time"

    for command in (
        ("compare", out, out),
        ("explain", out, "digits"),
        ("ensemble", out),
        ("evaluate", out, "digits", "--on", "val"),
    ):
        refused = smallvision(*command)
        assert (refused.code, refused.err.count("\n")) == (2, 1), command
        assert "none is left to validate it on" in refused.err
    without = [word for word in HEADLINE if word not in ("--refit", "--evaluate")]
    refused = smallvision(*without, "--out", out, "--resume")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "with the validation images" in refused.err
    listed = smallvision("runs", tmp_path)
    assert listed.code == 0
    assert "run" in listed.out


def test_without_refit_it_is_validated(smallvision: Call, tmp_path: Path) -> None:
    command = [word for word in HEADLINE if word not in ("--refit", "--evaluate")]
    done = smallvision(*command, "--out", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["val"]["n"] == 287


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wrn-aug", "--target", "0.94"], "goes with that recipe, not 'wrn-aug'"),
        (["speednet", "--target", "0.97"], "recipes were made for 0.93, 0.94, 0.96"),
        (["speednet", "--target", "94"], "recipes were made for 0.93, 0.94, 0.96"),
        (["speednet", "--target", "0.94", "--refit", "--seeds", "2"], "compares runs"),
        (["speednet", "--target", "0.94", "--preset", "quick"], "leave --preset out"),
        (["mlp", "--set", "name=x\udcff"], "is not UTF-8"),
    ],
)
def test_what_makes_no_sense_is_refused(
    smallvision: Call, tmp_path: Path, words: list[str], said: str
) -> None:
    done = smallvision("train", "digits", *words, "--out", tmp_path / "run")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err
    assert not (tmp_path / "run").exists()
