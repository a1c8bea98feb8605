"""Models and statuses from strangers: whole but for one thing each, which is why they are refused.

Weights belong to their settings wherever such weights can be made, so that nothing but the one
thing can be the reason. `reason` is what the refusal has to say.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save
from torch import Tensor, nn

import smallvision as sv
from smallvision.models import MODELS
from smallvision.predict import Ensemble, load_model
from smallvision.records import store
from smallvision.records.files import hash_file
from smallvision.records.predictions import Predictions, read_predictions, write_predictions
from smallvision.records.schema import Manifest
from smallvision.runs.results import Run
from smallvision.training import load_snapshot
from tests.support.models import NORMED, make_model
from tests.support.records import edit_json, make_status

Case = tuple[str, Callable[[Path], Path], Callable[[Path], object], str]
Header = dict[str, dict[str, Any]]

SHAPE, CLASSES = (1, 8, 8), 3
MLP: dict[str, Any] = {"name": "mlp", "hidden": [8]}
SPEEDNET: dict[str, Any] = {"name": "speednet", "widths": [4]}
RESNET: dict[str, Any] = {"name": "wide_resnet", "depth": 10, "width": 1}
VGG: dict[str, Any] = {"name": "vgg10", "width": 1}
HEAD = "4.weight"  # of the network of MLP, whose layers are flatten, linear, norm, relu, linear
DTYPE, LIMIT, RANGE = "has the 'name'", "should have at most", "should be"


def list_harmless() -> Iterator[tuple[str, Callable[[Path], Path], Callable[[Path], object]]]:
    """What the cases below are made from."""
    for settings in (MLP, SPEEDNET, RESNET, VGG, join(MLP, RESNET)):
        yield f"model {settings['name']}", partial(save_model, settings=settings), load_model
    yield "model that classifies", save_model, classify
    yield "header with spaces", lambda at: save_model(at, pad_header(1000)), load_model
    yield "checkpoint", lambda at: save_checkpoint(at, "model.json"), load_checkpoint
    yield "status", lambda at: write_status(at, "10"), read_status
    yield "predictions", save_predictions, read_predictions


def list_cases(canary: Any) -> Iterator[Case]:
    """All models, predictions and statuses; arguments as for `list_models`."""
    yield from list_models(canary)
    yield from list_predictions()
    yield from list_statuses()


def list_models(canary: Any) -> Iterator[Case]:
    """Model folders with right sums: of what is no file of weights to what is no model.

    Args:
        canary: an object whose pickle leaves a trace when it is read.
    """
    yield from list_files(canary)
    yield from list_weights()
    yield from list_settings()
    yield from list_figures()
    for outside in ("../../../../untouched", "/etc/hostname", "..", "a/b"):
        make = partial(save_checkpoint, name=outside)
        yield f"checkpoint: a manifest that names {outside}", make, load_checkpoint, "match pattern"
    make = partial(save_model, manifest={"model.json"})
    yield "model: a manifest without the weights", make, load_model, "expected model.json and"
    more = partial(save_model, manifest={"model.json", "model.safetensors", "manifest.json"})
    yield "model: a manifest of itself", more, load_model, "expected model.json and"


def list_files(canary: Any) -> Iterator[Case]:
    """Files of weights that are none, or whose header lies about its tensors."""

    def reshape(*shape: int) -> Callable[[Header], None]:
        return lambda header: header[HEAD].update(shape=list(shape))

    def move(low: int, high: int) -> Callable[[Header], None]:
        return lambda header: header[HEAD].update(
            data_offsets=[
                offset + by
                for offset, by in zip(header[HEAD]["data_offsets"], (low, high), strict=True)
            ]
        )

    def join_places(header: Header) -> None:
        header["2.bias"].update(data_offsets=header["2.weight"]["data_offsets"])

    text = json.dumps(parse_weights(pack_weights(MLP))[0])
    data = parse_weights(pack_weights(MLP))[1]
    again = json.dumps({HEAD: {**json.loads(text)[HEAD], "shape": [8, 3]}})
    twice = f"{text[:-1]}, {again[1:]}"
    deep = text[:-1] + ', "__metadata__": {"a": ' + "[" * 10_000 + "]" * 10_000 + "}}"
    contents = {
        "a pickle": (pickle.dumps(canary), "a header of"),
        "a pickle in torch's zip": (pack_torch(canary), "a header of"),
        "a header of 2^63 bytes": (struct.pack("<Q", 2**63) + b"{}", "a header of"),
        "a header of 3 MB": (pad_header(3_000_000), "a header of"),
        "a header beyond the file": (pack_weights(MLP)[:40], "cannot be read"),
        "overlapping tensors": (edit_header(move(-4, -4)), "from its header"),
        "two tensors in one place": (edit_header(join_places), "cannot be read"),
        "a hole between tensors": (edit_header(move(4, 4)), "from its header"),
        "10^12 numbers": (edit_header(reshape(10**6, 10**6)), "(3, 8)"),
        "more numbers than there are": (edit_header(reshape(2**32, 2**32)), "(3, 8)"),
        "a negative shape": (edit_header(reshape(-3, -8)), "(3, 8)"),
        "a shape beyond its bytes": (edit_header(reshape(3, 9)), "(3, 8)"),
        "a name twice": (pack_header(twice, data), "(8, 3); expected"),
        "a deep header": (pack_header(deep, data), "cannot be read"),
        "bytes after the last": (pack_weights(MLP) + bytes(4), "from its header"),
        "no bytes": (b"", "cannot be read"),
    }
    for name, (content, reason) in contents.items():
        yield f"weights: {name}", partial(save_model, weights=content), load_model, reason


def list_weights() -> Iterator[Case]:
    """Whole files of weights that are not this network's, or are no weights at all."""
    true = build(MLP).state_dict()
    half = {name: tensor.half() for name, tensor in true.items()}
    double = true | {HEAD: true[HEAD].double()}
    whole = true | {HEAD: true[HEAD].long()}
    others: dict[str, dict[str, Tensor]] = {
        "of another kind of network": build(RESNET).state_dict(),
        "of a wider network": build({**MLP, "hidden": [9]}).state_dict(),
        "of a deeper network": build({**MLP, "hidden": [8, 8]}).state_dict(),
        "of more classes": build(MLP, classes=4).state_dict(),
        "of larger images": build(MLP, shape=(1, 8, 9)).state_dict(),
        "of an ensemble": build(join(MLP)).state_dict(),
        "turned by 90 degrees": true | {HEAD: true[HEAD].T.contiguous()},
        "in 16 bits": half,
        "in 64 bits": double,
        "in whole numbers": whole,
        "without one": {name: tensor for name, tensor in true.items() if name != HEAD},
        "under another name": {f"{name}s": tensor for name, tensor in true.items()},
        "and one more": true | {"5.weight": torch.zeros(1)},
        "and one of no size": true | {"5.weight": torch.zeros(0)},
        "of no tensors": {},
    }
    reasons = {
        "of another kind of network": "holds no model that this version can build",
        "under another name": "is missing; expected",
        "without one": "more than 7 tensors",
        "of no tensors": "more than 0 tensors",
        "and one more": "is no part of such a network",
        "and one of no size": "is no part of such a network",
    }
    for name, tensors in others.items():
        make = partial(save_model, weights=save(tensors))
        yield f"weights: {name}", make, load_model, reasons.get(name, "; expected torch")
    pair = join(MLP, MLP)
    for settings, names in ((MLP, true), (pair, [*build(pair).state_dict()][-7:])):
        for name in [name for name in names if not name.endswith("num_batches_tracked")]:
            for value in (float("nan"), float("inf"), float("-inf")):
                make = partial(spoil_weights, settings=settings, name=name, value=value)
                yield f"weights: {value} in {name}", make, load_model, f"{name} holds NaN"
    below = partial(spoil_weights, name="2.running_var", value=-1e-3)
    yield "weights: a negative variance", below, load_model, "a variance is at least 0"
    for value in (1e38, -3e38):
        make = partial(spoil_weights, name=HEAD, value=value, all_of_them=True)
        yield f"weights: {value} in the last layer", make, classify, "not finite"
    first = partial(spoil_weights, name="1.weight", value=3e38, all_of_them=True)
    yield "weights: 3e38 in the first layer", first, classify, "not finite"
    one = partial(
        spoil_weights, settings=pair, name="members.1.4.weight", value=3e38, all_of_them=True
    )
    yield "weights: 3e38 in one member", one, classify, "not finite"


def list_settings() -> Iterator[Case]:
    """Settings out of range, whose weights belong to them where such weights can be made."""
    beyond: dict[str, tuple[dict[str, Any], str]] = {
        "a hidden layer of 65,537": ({**MLP, "hidden": [65_537]}, RANGE),
        "65 hidden layers": ({**MLP, "hidden": [1] * 65}, "at most 64 entries"),
        "dropout of 1": ({**MLP, "dropout": 1.0}, RANGE),
        "a network of 208 layers": ({**RESNET, "depth": 208}, RANGE),
        "squeezing by 257": ({**VGG, "se_ratio": 257}, RANGE),
        "a width of 4,097": ({**SPEEDNET, "widths": [4, 4097]}, RANGE),
        "65 widths": ({**SPEEDNET, "widths": [1] * 65}, "at most 64 entries"),
        "17 convolutions": ({**SPEEDNET, "depth": 17}, RANGE),
        "17 further convolutions": ({**SPEEDNET, "extra_convs": 17}, RANGE),
        "a momentum of 0": ({**SPEEDNET, "norm_momentum": 0.0}, RANGE),
        "a momentum of 2": ({**SPEEDNET, "norm_momentum": 2}, RANGE),
        "257 members": (join(*[{**MLP, "hidden": [1]}] * 257), LIMIT),
        "an ensemble in an ensemble": (join(join(MLP)), DTYPE),
        "8,246 tensors": (join(*[{**SPEEDNET, "widths": [1] * 3}] * 217), "more than 8,192"),
    }
    for name, (settings, reason) in beyond.items():
        yield f"settings: {name}", partial(save_model, settings=settings), load_model, reason
    # Which torch would refuse to build; dropout is a layer of its own, whatever its share.
    below = partial(save_model, settings={**MLP, "dropout": 0.5}, model={**MLP, "dropout": -0.1})
    yield "settings: dropout below 0", below, load_model, RANGE
    named: dict[str, tuple[dict[str, Any], str]] = {
        "a hidden layer of 0": ({**MLP, "hidden": [0]}, RANGE),
        "a width of 0": ({**VGG, "width": 0}, RANGE),
        "a width of 33": ({**RESNET, "width": 33}, RANGE),
        "a depth of 4": ({**RESNET, "depth": 4}, RANGE),
        "a depth of 1": ({**SPEEDNET, "depth": 1}, RANGE),
        "fewer convolutions": ({**SPEEDNET, "extra_convs": -1}, RANGE),
        "squeezing by -1": ({**VGG, "se_ratio": -1}, RANGE),
        "no widths": ({**SPEEDNET, "widths": []}, "should have at least"),
        "a text for a list": ({**MLP, "hidden": "8"}, "valid array"),
        "a text for a number": ({**MLP, "hidden": ["8"]}, "valid integer"),
        "true for a number": ({**MLP, "dropout": False}, "not true or false"),
        "a fraction for a whole number": ({**MLP, "hidden": [8.5]}, "valid integer"),
        "a whole number with a point": ({**MLP, "hidden": [8.0]}, "valid integer"),
        "nothing for a number": ({**MLP, "dropout": None}, "valid number"),
        "a setting that is none": ({**MLP, "__class__": "x"}, "is no field"),
        "a number beyond all": ({**MLP, "dropout": 10**400}, "is damaged"),
        "a module's name": ({**MLP, "name": "os.system"}, DTYPE),
        "a name of two": ({**MLP, "name": ["mlp"]}, "is damaged"),
        "no name": ({"hidden": [8]}, "lacks 'name'"),
        "an activation that is none": ({**RESNET, "activation": "__import__"}, RANGE),
        "a depth that no network has": ({**RESNET, "depth": 11}, "expected 6n + 4"),
        "no members": (join(), "should have at least"),
        "members that are missing": ({"name": "ensemble"}, "is missing"),
        "a member that is a name": ({"name": "ensemble", "members": ["mlp"]}, "is damaged"),
        "10^5 members": (join(*[MLP] * 10**5), "more than 200,000 lists and tables"),
        "an ensemble 20 deep": (nest(MLP, 20), DTYPE),
        "an ensemble 50 deep": (nest(MLP, 50), "nested too deeply"),
        "an ensemble 200 deep": (nest(MLP, 200), "nested too deeply"),
        # The numbers of these would fill all memory.
        "a network of 10^9 channels": ({**VGG, "width": 10**9}, RANGE),
        "a network of 60,004 layers": ({**RESNET, "depth": 60_004}, RANGE),
        "64 layers of 65,536": ({**MLP, "hidden": [65_536] * 64}, "tensors"),
        "a wide network of 202 layers": ({**RESNET, "depth": 202, "width": 32}, "tensors"),
        "256 members of 202 layers": (join(*[{**RESNET, "depth": 202}] * 256), "tensors"),
    }
    for name, (settings, reason) in named.items():
        yield f"settings: {name}", partial(save_model, model=settings), load_model, reason


def list_figures() -> Iterator[Case]:
    """A model's other fields: out of range, of another type, or at odds with each other."""
    names = [f"class {k}" for k in range(1001)]
    fields: dict[str, list[tuple[Any, str]]] = {
        "temperature": [
            *[(value, RANGE) for value in (1e-320, 1e300, 0, -1.0, 1e4, 1e-4)],
            *[(value, "valid number") for value in ("NaN", "1", None, True, [1.0], {})],
        ],
        "class_names": [
            *[([value, "b", "c"], "valid string") for value in (0, 0.5, True, None, [], {})],
            (["a", "b", "b"], "distinct names"),
            (["a", "b", ""], "at least 1 character"),
            (["a", "b", "c" * 256], "at most 255 characters"),
            (["a", "b", "\ud800"], "is damaged"),
            ("abc", "valid array"),
            (None, "valid array"),
        ],
        "tta": [
            *[({"mirror": False, "shift": value}, "valid integer") for value in (0.5, "1", True)],
            ({"mirror": False, "shift": -1}, RANGE),
            ({"mirror": False, "shift": 8}, "fewer than the 8 pixels"),
            ({"mirror": False, "shift": 10**30}, RANGE),
            *[({"mirror": value, "shift": 0}, "valid boolean") for value in ("yes", 1, 0.5, None)],
            ({"mirror": False, "shift": 0, "views": 0.5}, "is no field"),
            (None, "no JSON object"),
            ([], "no JSON object"),
        ],
        "shape": [
            ([1, 8], "is missing"),
            ([1, 8, 8, 1], "at most 3"),
            ([1, 8.5, 8], "valid integer"),
            ([1, 8.0, 8], "valid integer"),
            ([True, 8, 8], "valid integer"),
            ([1, 0, 8], "equal to 8"),
            ([1, -8, -8], "equal to 8"),
            ([1, 10**6, 10**6], "equal to 224"),
            ([10**30, 8, 8], "valid integer"),
        ],
        "mean": [
            *[([value], RANGE) for value in (1e300, -0.1, 2, "0.3", None, True, [0.3])],
            ([0.3, 0.3], "as many std as mean"),
            ([], "as many std as mean"),
        ],
        "std": [
            *[([value], RANGE) for value in (0, 1e-300, -0.2, 2.0, 1e300, "0.2", None, True)],
            ([0.2, 0.2], "as many std as mean"),
            ([], "as many std as mean"),
        ],
        "epoch": [(value, RANGE) for value in (-1, 0.5, "1", None, True)],
        "views": [(0.5, "is no field")],
    }
    for field, values in fields.items():
        for value, reason in values:
            make = partial(save_model, **{field: value})
            yield f"model: {field} of {value!r:.60}", make, load_model, reason
    for classes, reason in ((1, "at least 2 items"), (1001, "at most 1000 items")):
        make = partial(save_model, classes=classes, class_names=names[:classes])
        yield f"model: {classes} class names", make, load_model, reason
    sizes = {(2, 8, 8): "1 or 3 channels", (1, 7, 8): "equal to 8", (1, 8, 225): "equal to 224"}
    for shape, reason in sizes.items():
        make = partial(save_model, size=shape, shape=shape)
        yield f"model: images of {shape}", make, load_model, reason
    for value in ("NaN", "Infinity", "1e999", "-1e999", "9" * 5000):
        make = partial(save_model, spelt=value)
        yield f"model: a temperature of {value:.9}", make, load_model, "is damaged"
    for field in ("model", "class_names", "shape", "mean", "std", "temperature", "tta", "epoch"):
        yield f"model: no {field}", partial(save_model, without=field), load_model, "is missing"


def list_predictions() -> Iterator[Case]:
    """Stored predictions with one array, or one number, that is none of predictions."""
    rows = np.full((4, CLASSES), 1 / CLASSES, dtype=np.float32)

    def change(place: Any, value: float) -> Any:
        changed = rows.copy()
        changed[place] = value
        return changed

    counted = np.arange(4)
    faults: dict[str, tuple[dict[str, Any], str]] = {
        **{
            f"a probability of {value}": ({"probabilities": change((3, 1), value)}, "add up to 1")
            for value in (float("nan"), float("inf"), float("-inf"), 0.9, 0.0)
        },
        "one below 0": (
            {"probabilities": rows + np.array([[0.5, -0.5, 0.0]], dtype=np.float32)},
            "below 0",
        ),
        "in 64 bits": ({"probabilities": rows.astype(np.float64)}, "expected float32"),
        "as texts": ({"probabilities": rows.astype(str)}, "expected float32"),
        "of one class": ({"probabilities": np.ones((4, 1), dtype=np.float32)}, "1 classes"),
        "of 1,001 classes": (
            {"probabilities": np.full((4, 1001), 1 / 1001, dtype=np.float32)},
            "1,001 classes",
        ),
        "in three dimensions": ({"probabilities": rows[:, :, None]}, "expected float32 (N, K)"),
        "of no images": (
            {"probabilities": rows[:0], "labels": counted[:0], "indices": counted[:0]},
            "expected float32 (N, K)",
        ),
        "of one image more": ({"probabilities": np.concatenate([rows, rows[:1]])}, "one for each"),
        "a label of 3": ({"labels": np.array([0, 1, 2, 3])}, "expected 0 to 2"),
        "a label of -1": ({"labels": np.array([0, 1, 2, -1])}, "expected 0 to 2"),
        "labels in fractions": ({"labels": np.zeros(4)}, "'labels' are float64"),
        "labels in 32 bits": ({"labels": np.zeros(4, dtype=np.int32)}, "'labels' are int32"),
        "labels in columns": ({"labels": np.zeros((4, 1), dtype=np.int64)}, "'labels' are int64"),
        "an index of -1": ({"indices": np.array([0, 1, 2, -1])}, "name an image twice"),
        "an index twice": ({"indices": np.array([0, 1, 2, 2])}, "name an image twice"),
        "indices that are true": ({"indices": counted > 0}, "'indices' are bool"),
    }
    for name, (arrays, reason) in faults.items():
        yield f"predictions: {name}", partial(save_predictions, **arrays), read_predictions, reason


def list_statuses() -> Iterator[Case]:
    """Statuses of runs that are whole but for one value, and what is no status."""
    values = {
        "a list 5,000 deep": ("[" * 5000 + "]" * 5000, "nested too deeply"),
        "a number of 5,000 digits": ("9" * 5000, "is damaged"),
        "NaN": ("NaN", "finite number"),
        "a number beyond all": ("1e999", "is damaged"),
        "a negative count": ("-1", "should be greater than or equal to 1"),
        "a fraction": ("10.5", "valid integer"),
        "a text": ('"10"', "valid integer"),
        "true": ("true", "valid integer"),
    }
    for name, (value, reason) in values.items():
        yield f"status: {name}", partial(write_status, parameters=value), read_status, reason
    yield "status: in a list", partial(write_status, form="[{}]"), read_status, "no JSON object"
    yield "status: a pipe that nobody writes to", make_fifo, read_status, "no regular file"


def build(settings: dict[str, Any], shape: Any = SHAPE, classes: int = CLASSES) -> nn.Module:
    """A network of settings that need not be in range, its weights drawn from a seed."""
    torch.manual_seed(0)
    if settings["name"] == "ensemble":
        return Ensemble(build(one, shape, classes) for one in settings["members"])
    rest = {name: value for name, value in settings.items() if name != "name"}
    return MODELS[settings["name"]].build(shape, classes, **rest)


def join(*members: dict[str, Any]) -> dict[str, Any]:
    """Settings of an ensemble."""
    return {"name": "ensemble", "members": list(members)}


def nest(settings: dict[str, Any], depth: int) -> dict[str, Any]:
    """An ensemble of an ensemble of an ensemble."""
    for _ in range(depth):
        settings = join(settings)
    return settings


def pack_weights(settings: dict[str, Any]) -> bytes:
    """The file of weights of a network."""
    return save(build(settings).state_dict())


def parse_weights(content: bytes) -> tuple[Header, bytes]:
    """The header of a file of weights, and what follows it."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def pack_header(text: str, data: bytes) -> bytes:
    """The inverse of `parse_weights`, of any text."""
    return struct.pack("<Q", len(text)) + text.encode() + data


def edit_header(change: Callable[[Header], None]) -> bytes:
    """The weights of MLP under a header with one change."""
    header, data = parse_weights(pack_weights(MLP))
    change(header)
    return pack_header(json.dumps(header), data)


def pad_header(spaces: int) -> bytes:
    """The weights of MLP under a header that ends in spaces, as safetensors allows."""
    header, data = parse_weights(pack_weights(MLP))
    return pack_header(json.dumps(header) + " " * spaces, data)


def pack_torch(canary: Any) -> bytes:
    """A file as torch writes it."""
    buffer = io.BytesIO()
    torch.save(canary, buffer)
    return buffer.getvalue()


def save_model(
    folder: Path,
    weights: bytes | None = None,
    *,
    settings: dict[str, Any] = MLP,
    size: Any = SHAPE,
    classes: int = CLASSES,
    manifest: Any = ("model.json", "model.safetensors"),
    spelt: str | None = None,
    without: str | None = None,
    **about: Any,
) -> Path:
    """A saved model under a manifest that agrees with its files.

    Args:
        folder: of the model.
        weights: content of its file of weights; by default those that belong to it.
        settings, size, classes: of its network.
        manifest: the files that it vouches for.
        spelt: how `model.json` spells the temperature, if not as a number.
        without: a field that is left out of `model.json`.
        about: other values of fields of `model.json`.
    """
    make_model(0, NORMED).save(folder)
    content = save(build(settings, size, classes).state_dict()) if weights is None else weights
    (folder / "model.safetensors").write_bytes(content)
    path = folder / "model.json"
    edit_json(path, **{"model": settings, **about})
    if without is not None:
        fields = json.loads(path.read_text())
        del fields[without]
        path.write_text(json.dumps(fields))
    if spelt is not None:
        text = path.read_text()
        assert text.count('"temperature": 1.0') == 1
        path.write_text(text.replace('"temperature": 1.0', f'"temperature": {spelt}'))
    files = {name: hash_file(folder / name) for name in manifest}
    edit_json(folder / "manifest.json", files=files)
    return folder


def spoil_weights(
    folder: Path,
    name: str,
    value: float,
    *,
    settings: dict[str, Any] = MLP,
    all_of_them: bool = False,
) -> Path:
    """A model one of whose weights, or a whole tensor of them, is any number."""
    tensors = build(settings).state_dict()
    flat = tensors[name].view(-1)
    flat[slice(None) if all_of_them else -1] = value
    return save_model(folder, save(tensors), settings=settings)


def save_checkpoint(folder: Path, name: str) -> Path:
    """A checkpoint whose manifest names a file besides its own, with the right sum if it is there.

    Returns: the folder of its run.
    """
    place = save_model(folder / "checkpoints" / "001")
    (place / "a").mkdir()
    (place / "a" / "b").write_bytes(b"a file that is there")
    elsewhere = place / name
    known = hash_file(elsewhere) if elsewhere.is_file() else f"sha256:{0:064x}"
    files = store.read(place / "manifest.json", Manifest).files
    edit_json(place / "manifest.json", files={**files, name: known})
    return folder


def load_checkpoint(run: Path) -> object:
    """The weights of a run's first checkpoint."""
    return load_snapshot(run, 1)


def classify(model: Path) -> object:
    """What a model says of a picture."""
    picture = model / "picture.png"
    Image.new("L", SHAPE[1:], 200).save(picture)
    return sv.classify(model, [picture]).probabilities


def save_predictions(folder: Path, **arrays: Any) -> Path:
    """The predictions of a run, some of their arrays others."""
    rows = np.full((4, CLASSES), 1 / CLASSES, dtype=np.float32)
    whole = Predictions(np.arange(4), np.array([0, 1, 2, 0]), rows)
    write_predictions(folder, whole._replace(**arrays))
    return folder


def write_status(folder: Path, parameters: str = "10", form: str = "{}") -> Path:
    """The status of a finished run, without its sum, whose parameter count is any text."""
    text = make_status(parameters=10).model_dump_json()
    known = '"parameters":10,'
    assert known in text
    text = text.replace(known, f'"parameters":{parameters},')
    (folder / "status.json").write_text(form.replace("{}", text))
    return folder


def make_fifo(folder: Path) -> Path:
    """A pipe for a status."""
    os.mkfifo(folder / "status.json")
    return folder


def read_status(folder: Path) -> object:
    """The status of a run."""
    return Run(folder).status
