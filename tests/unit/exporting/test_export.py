"""What is written, what it says of itself, and what is not kept."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from smallvision.api import export, load_model
from smallvision.data.dataset import DataSet
from smallvision.data.split import find_val, read_split
from smallvision.errors import RecordError, SettingError
from smallvision.exporting import check, graph, network
from smallvision.exporting.export import Export
from smallvision.exporting.network import ServedNetwork
from smallvision.exporting.source import ExportSource
from smallvision.records.files import hash_file
from smallvision.records.schema import ServedModel
from smallvision.records.schema.settings.networks import LinearClassifierSettings
from smallvision.serving.runner import Runner
from tests.support.exports import draw_model
from tests.support.models import FP32

PLAIN_TORCH = """
import json, sys
import numpy as np, torch
extra = {"smallvision.json": ""}
program = torch.export.load(sys.argv[1], extra_files=extra)
images = torch.from_numpy(np.load(sys.argv[2]))
probabilities, logits = program.module()(images)
np.save(sys.argv[3], probabilities.numpy())
assert json.loads(extra["smallvision.json"])["class_names"][1] == "class 1"
assert not [name for name in sys.modules if name.startswith("smallvision")]
"""


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def exported(run: Path, rows: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Export:
    folder = tmp_path_factory.mktemp("onnx") / "out"
    return export(run, out=folder, data=rows, licence="mit")


def test_a_run_is_compared_on_its_validation_images(
    exported: Export, run: Path, rows: DataSet
) -> None:
    record, model = exported.record, load_model(run, FP32)
    split = read_split(run)
    assert list_names(exported.folder) == ["export.json", "model.onnx"]
    assert record.hashes == (hash_file(exported.folder / "model.onnx"),)
    assert record.sizes == ((exported.folder / "model.onnx").stat().st_size,)
    assert (record.check.images, record.check.n) == ("validation", len(split.val))
    assert record.check.same_class == record.check.n
    assert record.check.largest_difference < 1e-5
    assert record.val is not None
    labels = find_val(rows, split).labels[split.val]
    images = find_val(rows, split).images[split.val]
    assert record.val.accuracy == np.mean(model.predict(images).argmax(1) == labels)
    assert record.loss_of_accuracy == 0
    assert record.model.unlike == model.unlike
    assert record.model.fingerprint == model.fingerprint
    assert not record.notes


def test_the_file_says_what_it_is(exported: Export) -> None:
    file = onnx.load(exported.folder / "model.onnx")
    said = {entry.key: entry.value for entry in file.metadata_props}
    assert json.loads(said["class_names"]) == ["class 0", "class 1", "class 2"]
    assert "8x8 pixels in 1 channels" in said["input"]
    assert said["licence"] == "mit"
    assert said["fingerprint"] == exported.record.model.fingerprint
    assert "less than 1, " in said["uncertain_images"]
    assert "shifted by 1 pixel " in said["uncertain_images"]
    assert f"{exported.record.model.unlike.limit:g}" in said["unlike_images"]
    assert Runner(exported.folder / "model.onnx").about == exported.record.model
    assert not any(node.metadata_props for node in file.graph.node)
    [opset] = file.opset_import
    assert opset.version == 20
    [images] = file.graph.input
    assert images.name == "images"
    shape = images.type.tensor_type.shape.dim
    assert (shape[0].dim_param, [one.dim_value for one in shape[1:]]) == ("N", [8, 8, 1])


@pytest.mark.parametrize("target", ["onnx", "torch"])
def test_nothing_in_a_file_tells_where_it_was_made(
    exported: Export, run: Path, rows: DataSet, tmp_path: Path, target: str
) -> None:
    path = exported.folder / "model.onnx"
    if target == "torch":
        path = export(run, to="torch", out=tmp_path / "out", data=rows).folder / "model.pt2"
    content = path.read_bytes()
    for place in (Path(network.__file__).parents[2], sys.prefix, run.parent, Path.home()):
        assert str(place).encode() not in content
    assert b".py" not in content
    text = (exported.folder / "export.json").read_text()
    assert str(run.parent) not in text


def test_plain_torch_runs_a_program(run: Path, rows: DataSet, tmp_path: Path) -> None:
    """One look at each image, which the record says."""
    found = export(run, to="torch", out=tmp_path / "out", data=rows)
    assert "uncertain" in found.record.notes[0]
    images = rows.train.images[:7]
    np.save(tmp_path / "images.npy", images.transpose(0, 2, 3, 1))
    places = [found.folder / "model.pt2", tmp_path / "images.npy", tmp_path / "answers.npy"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN_TORCH, *map(str, places)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "", "OMP_NUM_THREADS": "1"},
    )
    assert not done.returncode, done.stderr
    model = load_model(run, FP32)
    once = replace(model, tta=replace(model.tta, shift=0)).predict(images)
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), once, atol=1e-5)


def test_half_precision_is_half_the_size(
    exported: Export, run: Path, rows: DataSet, tmp_path: Path
) -> None:
    half = export(run, out=tmp_path / "half", data=rows, weights="fp16", tolerance=0.03)
    assert half.record.val is not None
    assert half.record.check.largest_difference > exported.record.check.largest_difference
    weights = {
        tensor.data_type: tensor.dims
        for tensor in onnx.load(half.folder / "model.onnx").graph.initializer
        if len(tensor.dims) > 1
    }
    assert onnx.TensorProto.FLOAT16 in weights
    assert onnx.TensorProto.FLOAT not in weights or weights[onnx.TensorProto.FLOAT][0] == 1
    assert Runner(half.folder / "model.onnx").about.weights == "fp16"


def test_eight_bits_leave_out_both_ends(run: Path, rows: DataSet, tmp_path: Path) -> None:
    small = export(run, out=tmp_path / "small", data=rows, weights="int8", tolerance=1.0)
    record = small.record
    assert record.val is not None
    assert record.val_before is not None
    assert record.loss_of_accuracy == record.val_before.accuracy - record.val.accuracy
    nodes = onnx.load(small.folder / "model.onnx").graph.node
    makers = {name: node.op_type for node in nodes for name in node.output}
    layers = [node for node in nodes if node.op_type in ("Conv", "Gemm", "MatMul")]
    eight = [makers.get(layer.input[1]) == "DequantizeLinear" for layer in layers]
    assert eight == [False, *[True] * (len(layers) - 2), False]
    assert len(layers) > 3
    np.testing.assert_allclose(
        Runner(small.folder / "model.onnx").predict(rows.train.images),
        load_model(run, FP32).predict(rows.train.images),
        atol=0.2,
    )


def test_a_network_of_two_ends_has_nothing_to_quantize(tmp_path: Path, rows: DataSet) -> None:
    model = draw_model(LinearClassifierSettings(), (1, 8, 8), 3)
    replace(model, class_names=rows.train.class_names).save(tmp_path / "model")
    with pytest.raises(SettingError, match="leave out --int8"):
        export(tmp_path / "model", out=tmp_path / "out", data=rows, weights="int8")
    assert list_names(tmp_path) == ["model"]


@pytest.mark.parametrize("weights", ["int8", "fp16"])
def test_what_loses_too_much_is_not_kept(
    run: Path,
    rows: DataSet,
    tmp_path: Path,
    weights: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answers of an exported model that is always wrong stand in for those of a bad one."""
    labels = rows.train.labels
    monkeypatch.setattr(
        Runner, "predict", lambda self, images: np.roll(load_model(run, FP32).predict(images), 1, 1)
    )
    with pytest.raises(RecordError, match=rf"allows 0.5 %; export it without --{weights}"):
        export(run, out=tmp_path / "out", data=rows, weights=weights)
    assert len(labels)
    assert not list_names(tmp_path)


def test_another_class_is_refused(
    run: Path, rows: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = ServedNetwork.look
    monkeypatch.setattr(ServedNetwork, "look", lambda self, m, x: -look(self, m, x))
    with pytest.raises(RecordError, match="the same class to"):
        export(run, out=tmp_path / "out", data=rows)
    assert not list_names(tmp_path)


def test_another_probability_is_refused(
    run: Path, rows: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same classes, from logits that are a little larger."""
    look = ServedNetwork.look
    monkeypatch.setattr(ServedNetwork, "look", lambda self, m, x: 1.1 * look(self, m, x))
    with pytest.raises(RecordError, match="differs by up to"):
        export(run, out=tmp_path / "out", data=rows)


def test_the_outputs_of_a_graph_agree(
    run: Path, rows: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner reads logits; whoever reads the probabilities gets the same answer."""
    init = ServedNetwork.__init__

    def forget_temperature(self: ServedNetwork, *arguments: object) -> None:
        init(self, *arguments)  # type: ignore[arg-type]
        self.temperature = 3.0

    monkeypatch.setattr(ServedNetwork, "__init__", forget_temperature)
    with pytest.raises(RecordError, match="not those of its logits"):
        export(run, out=tmp_path / "out", data=rows)


def test_too_many_weights_for_one_file(
    source: ExportSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "MOST_BYTES", 1_000)
    with pytest.raises(SettingError, match="--to torch"):
        graph.build_graph(source.model, "nhwc")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"to": "tflite"}, "no target 'tflite'"),
        ({"layout": "hwcn"}, "no layout 'hwcn'"),
        ({"weights": "int4"}, "no type of weights 'int4'"),
        ({"tolerance": -0.1}, "expected a fraction"),
        ({"to": "torch", "weights": "int8"}, "leave one of the two out"),
        ({"licence": "x" * 1_001}, "1,001 characters"),
        ({"push": "me/it"}, "add --to hub"),
        ({"to": "hub", "push": "a/b/c"}, "is no repository"),
        ({"to": "hub", "push": "../b"}, "is no repository"),
        ({"to": "hub", "push": "b"}, "expected ACCOUNT/NAME"),
    ],
)
def test_wrong_options(tmp_path: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        export("absent", out=tmp_path / "out", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("missing", "options", "extra"),
    [("onnxscript", {}, "export"), ("huggingface_hub", {"to": "hub", "push": "me/it"}, "hub")],
)
def test_a_missing_library(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    options: dict[str, str],
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SettingError, match=rf"{missing}; pip install 'smallvision\[{extra}\]'$"):
        export("absent", out=tmp_path / "out", **options)  # type: ignore[arg-type]


def test_ties_may_fall_either_way(source: ExportSource) -> None:
    ours = np.array([[0.40004, 0.4, 0.19996], [0.5, 0.3, 0.2]], np.float32)
    images = check.CheckImages("made up", np.zeros((2, 1, 8, 8), np.uint8))
    near = check.compare(ours, ours[:, [1, 0, 2]], images)
    assert (near.same_class, near.n) == (1, 2)
    assert near.largest_difference == pytest.approx(0.2)


def test_the_record_of_what_is_served(exported: Export) -> None:
    said = exported.record.model
    assert ServedModel.model_validate_json(said.model_dump_json()) == said
