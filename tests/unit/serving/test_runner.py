"""Exported files that no export wrote: each is refused in one line, and harms nobody."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from smallvision.errors import RecordError, UserError
from smallvision.exporting.describe import describe_served, list_entries
from smallvision.exporting.options import ExportOptions
from smallvision.exporting.source import ExportSource
from smallvision.records.schema.settings.networks import LinearClassifierSettings
from smallvision.serving.runner import MAX_MODEL_BYTES, Runner
from tests.support.exports import (
    draw_model,
    point_outside,
    save_source,
    write_crafted,
    write_onnx,
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ExportSource:
    model = draw_model(LinearClassifierSettings(), (1, 8, 8), 3)
    return save_source(model, tmp_path_factory.mktemp("source") / "model")


@pytest.fixture(scope="module")
def exported(source: ExportSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_onnx(source, tmp_path_factory.mktemp("exported") / "model.onnx")


def assert_refused(path: Path, said: str) -> None:
    with pytest.raises(UserError) as caught:
        Runner(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def multiply_pixels() -> list[object]:
    """Nodes that flatten an image and multiply it with `weights`."""
    return [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["rows"]),
        helper.make_node("Unsqueeze", ["rows", "axis"], ["logits"]),
    ]


AXIS = numpy_helper.from_array(np.array([0]), "axis")


def test_a_whole_file_answers(exported: Path) -> None:
    assert Runner(exported).predict(np.zeros((2, 1, 8, 8), np.uint8)).shape == (2, 3)


def test_the_example_of_the_guide(
    source: ExportSource,
    exported: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "EXPORT.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("exports/cifar10").mkdir(parents=True)
    Path("exports/cifar10/model.onnx").write_bytes(exported.read_bytes())
    for name in ("cat.png", "dog.jpg"):
        Image.new("RGB", (20, 30), "grey").save(name)
    exec(code, {})
    [title, *answers] = capsys.readouterr().out.splitlines()
    assert title.startswith(source.name)
    assert [answer.split(":")[0] for answer in answers] == ["cat.png", "dog.jpg"]
    assert len(code.splitlines()) <= 10


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_part_of_a_file(exported: Path, tmp_path: Path, share: float) -> None:
    content = exported.read_bytes()
    (tmp_path / "part.onnx").write_bytes(content[: int(share * len(content))])
    assert_refused(tmp_path / "part.onnx", "")


def test_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("no model\n" * 100)
    assert_refused(tmp_path / "model.onnx", "is no model that onnxruntime can open")


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert_refused(tmp_path / "pipe", "is no regular file")
    assert_refused(tmp_path, "is no regular file")
    assert_refused(tmp_path / "absent", "cannot be read")


@pytest.mark.parametrize("size", [MAX_MODEL_BYTES + 1, MAX_MODEL_BYTES - 1])
def test_a_giant_file_is_not_read(tmp_path: Path, size: int) -> None:
    path = tmp_path / "model.onnx"
    path.touch()
    os.truncate(path, size)  # a hole, which takes no room
    assert_refused(path, f"{size:,} bytes")


@pytest.mark.parametrize("optimized", [True, False])
@pytest.mark.parametrize("place", ["beside", "above", "absolute"])
def test_weights_outside_the_file_are_not_read(
    source: ExportSource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    optimized: bool,
) -> None:
    """Neither those in the working folder, as onnxruntime would, nor any others."""
    import onnxruntime

    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    if not optimized:  # it then reads what it would else complain of while it folds constants
        plain = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        make = onnxruntime.SessionOptions

        def make_plain() -> onnxruntime.SessionOptions:
            options = make()
            options.graph_optimization_level = plain
            return options

        monkeypatch.setattr(onnxruntime, "SessionOptions", make_plain)
    for folder in (tmp_path, here):
        (folder / "weights.bin").write_bytes(np.ones((64, 3), np.float32).tobytes())
    location = {
        "beside": "weights.bin",
        "above": "../weights.bin",
        "absolute": str(tmp_path / "weights.bin"),
    }[place]
    entries = list_entries(describe_served(source, ExportOptions()))
    weights = [point_outside(location), AXIS]
    path = write_crafted(here / "model.onnx", multiply_pixels(), weights, entries)
    assert_refused(path, "is no model that onnxruntime can open")
    inside = [numpy_helper.from_array(np.ones((64, 3), np.float32), "weights"), AXIS]
    Runner(write_crafted(here / "model.onnx", multiply_pixels(), inside, entries))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (None, "was not written by smallvision"),
        ("", "is damaged"),
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "is missing"),
        ('{"schema": 99}', "later version"),
        ("[" * 100_000, "is damaged"),
    ],
)
def test_metadata_that_are_none(
    source: ExportSource, tmp_path: Path, entry: str | None, said: str
) -> None:
    weights = [numpy_helper.from_array(np.ones((64, 3), np.float32), "weights"), AXIS]
    entries = {} if entry is None else {"smallvision": entry}
    path = write_crafted(tmp_path / "model.onnx", multiply_pixels(), weights, entries)
    assert_refused(path, said)


@pytest.mark.parametrize(
    "changes",
    [
        {"class_names": ("a", "b")},
        {"members": 2},
        {"layout": "nchw"},
        {"shape": (3, 8, 8)},
        {"shape": (1, 8, 9)},
    ],
    ids=str,
)
def test_metadata_of_another_graph(
    source: ExportSource, tmp_path: Path, changes: dict[str, object]
) -> None:
    path = write_onnx(source, tmp_path / "model.onnx", **changes)
    with pytest.raises(RecordError, match="export it anew"):
        Runner(path)


def test_answers_that_are_not_finite(source: ExportSource, tmp_path: Path) -> None:
    entries = list_entries(describe_served(source, ExportOptions()))
    weights = [numpy_helper.from_array(np.full((64, 3), 3e38, np.float32), "weights"), AXIS]
    runner = Runner(write_crafted(tmp_path / "m.onnx", multiply_pixels(), weights, entries))
    with pytest.raises(RecordError, match="not finite"):
        runner.predict(np.full((1, 1, 8, 8), 255, np.uint8))
