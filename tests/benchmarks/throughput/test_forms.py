"""Models with each type of weights are exported, measured and shown."""

from __future__ import annotations

from pathlib import Path

import pytest

import smallvision as sv
from benchmarks.throughput import forms
from benchmarks.throughput.forms import FormsRecord
from smallvision.errors import SettingError
from smallvision.records import store

pytest.importorskip("onnxruntime")


def test_every_type_of_weights_is_measured_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ["epochs=1", "model.width=4"]
    sv.train("digits", "vgg10", settings=settings, out=tmp_path / "run")
    forms.forms([str(tmp_path / "run")], "single", rounds=1, out=tmp_path / "here")
    record = store.read(tmp_path / "here" / "forms.json", FormsRecord)
    assert [form.weights for form in record.forms] == ["fp32", "fp16", "int8"]
    assert {form.model for form in record.forms} == {"single"}
    wide, half, eighth = (form.bytes for form in record.forms)
    assert wide > half > eighth
    assert all(form.one.median > form.batch.median > 0 for form in record.forms)
    monkeypatch.setattr(forms, "BENCH", tmp_path)
    lines = list(forms.write_block())
    assert len(lines) == 4 + 3
    assert len({line.count("|") for line in lines[2:]}) == 1


def test_names_belong_to_models(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--names has 2 names, for 1 models"):
        forms.forms(["cifar10"], "a,b", rounds=1, out=tmp_path)
