"""Files from strangers: programs in disguise, lying headers, bombs, paths that lead outside."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pickle
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.loading.load import as_dataset
from smallvision.errors import UserError
from smallvision.predict import load_model
from smallvision.records import store
from smallvision.records.files import hash_file
from smallvision.records.schema import Manifest
from smallvision.runs.results import Run
from tests.battery.outcome import Outcome
from tests.support.models import NORMED, make_model
from tests.support.records import edit_json, make_status
from tests.support.sources import find_archive, make_pixels, write_cifar

PROMISE = (
    "No file that smallvision reads can run code, write outside the folders it was told, or make "
    "it claim memory beyond its own size and 200 MB."
)
MOST_BYTES = 200_000_000
BATCH = "cifar-10-batches-py/data_batch_1"


class Canary:
    """A pickle that makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Open each hostile file in every way there is; `trials` bounds how many."""
    outcome = Outcome(PROMISE)
    target, canary = place / "inside", place / "canary"
    target.mkdir()
    (place / "untouched").write_text("as it was", encoding="utf-8")
    open_harmless(target, outcome)
    cases = [*list_models(canary), *list_statuses(), *list_data(canary)]
    for number, (name, make, open_it) in enumerate(cases[:trials]):
        folder = target / f"{number:02d}"
        folder.mkdir()
        path = make(folder)
        before = snapshot(place, target)
        memory, began = forget_peak(), time.perf_counter()
        refused = outcome.figures.get("refused", 0)
        with outcome.trial(name):
            open_it(path)
            outcome.failures.append(f"{name}: was opened")
        outcome.expect(outcome.figures.get("refused", 0) > refused, f"{name}: was not refused")
        grown, seconds = peak_memory() - memory, time.perf_counter() - began
        outcome.most("memory grew by at most, MB", round(grown / 1e6))
        outcome.most("slowest, seconds", round(seconds, 1))
        outcome.expect(grown < MOST_BYTES, f"{name}: memory grew by {grown / 1e6:.0f} MB")
        outcome.expect(not canary.exists(), f"{name}: the program ran")
        outcome.expect(snapshot(place, target) == before, f"{name}: touched what is outside")
    return outcome


def open_harmless(target: Path, outcome: Outcome) -> None:
    """Open what the cases are made from: if that were refused, no case could fail."""
    for name, make, open_it in list_harmless():
        folder = target / f"harmless {name}"
        folder.mkdir()
        try:
            open_it(make(folder))
        except UserError as error:
            outcome.failures.append(f"a harmless {name} was refused: {error}")


def forget_peak() -> int:
    """Bytes that this process holds; the peak is counted anew from here (Linux alone)."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory() -> int:
    """Bytes that this process held at most."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def snapshot(place: Path, target: Path) -> dict[str, str]:
    """What lies outside a folder, but for caches."""
    return {
        str(path): hash_file(path)
        for path in place.rglob("*")
        if path.is_file() and target not in path.parents and "cache" not in path.parts
    }


Case = tuple[str, Callable[[Path], Path], Callable[[Path], object]]


def list_harmless() -> Iterator[Case]:
    """What models, manifests, statuses and archives are made from."""
    yield "model", save_model, load_model
    yield "manifest", lambda at: make_manifest(at, "model.json"), load_model
    yield "status", lambda at: write(at / "status.json", spell_status("10").encode()), read_status
    batch = pickle.dumps({"data": make_pixels(20).reshape(20, -1), "labels": [0, 1] * 10})
    yield "archive", lambda at: make_tar(at, lambda tar: add(tar, BATCH, batch)), load


def list_models(canary: Path) -> Iterator[Case]:
    """Model folders with right sums and wrong content."""
    header = {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}
    overlap = {**header, "b": {"dtype": "F32", "shape": [4], "data_offsets": [8, 24]}}
    hole = {**header, "b": {"dtype": "F32", "shape": [4], "data_offsets": [32, 48]}}
    vast = {"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}
    negative = {"a": {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]}}
    lying = {"a": {"dtype": "F32", "shape": [1000], "data_offsets": [0, 16]}}
    twice = b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32",'
    twice += b'"shape":[4],"data_offsets":[0,16]}}'
    weights: dict[str, bytes] = {
        "a pickle": pickle.dumps(Canary(canary)),
        "a pickle in torch's zip": pack_zip("archive/data.pkl", pickle.dumps(Canary(canary))),
        "a header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{}",
        "a header of 100 MB": struct.pack("<Q", 10**8) + b"{}",
        "overlapping tensors": pack_tensors(overlap),
        "a hole between tensors": pack_tensors(hole),
        "10^12 numbers": pack_tensors(vast),
        "a negative shape": pack_tensors(negative),
        "a shape beyond its bytes": pack_tensors(lying),
        "a name twice": struct.pack("<Q", len(twice)) + twice + bytes(16),
        "a deep header": pack_header(b'{"a":' * 50_000),
        "another network's weights": pack_header(json.dumps(header).encode()) + bytes(16),
        "no weights": b"",
    }
    for name, content in weights.items():
        yield f"model: {name}", lambda at, c=content: save_model(at, c), load_model
    settings: dict[str, Any] = {
        "a network of 10^9 channels": {"name": "vgg10", "width": 10**9},
        "a network of 60,000 channels": {"name": "vgg10", "width": 60_000},
        "a network of 10^6 layers": {"name": "wide_resnet", "depth": 10**6, "width": 1},
        "a network of 60,004 layers": {"name": "wide_resnet", "depth": 60_004, "width": 1},
        "10^5 members": {"name": "ensemble", "members": [{"name": "mlp"}] * 10**5},
        "an ensemble in itself": nest({"name": "mlp"}, 200),
        "settings of another kind": {"name": "mlp", "hidden": "12"},
        "a module's name": {"name": "os.system"},
        "an argument that is none": {**NORMED, "__class__": "x"},
    }
    for name, value in settings.items():
        yield f"model: {name}", lambda at, s=value: save_model(at, model=s), load_model
    shape = lambda at: save_model(at, shape=(3, 10**6, 10**6))  # noqa: E731
    yield "model: pictures of 10^12 pixels", shape, load_model
    for outside in ("../../untouched", "/etc/hostname", "..", "a/b"):
        make = lambda at, o=outside: make_manifest(at, o)  # noqa: E731
        yield f"model: a manifest that names {outside}", make, load_model


def list_statuses() -> Iterator[Case]:
    """Statuses of runs that are whole but for one value, and what is no status."""
    texts = {
        "nested 100,000 deep": "[" * 100_000,
        "a number of 5,000 digits": spell_status("9" * 5000),
        "NaN": spell_status("NaN"),
        "a number beyond all": spell_status("1e999"),
        "a negative count": spell_status("-1"),
        "a list": "[1, 2]",
    }
    for name, text in texts.items():
        make = lambda at, t=text: write(at / "status.json", t.encode())  # noqa: E731
        yield f"status: {name}", make, read_status
    yield (
        "status: a pipe that nobody writes to",
        lambda at: make_fifo(at / "status.json"),
        read_status,
    )


def list_data(canary: Path) -> Iterator[Case]:
    """Data sets that are something else, or far larger than they look."""
    program = pickle.dumps({"data": Canary(canary), "labels": [0]})
    archives: dict[str, Callable[[tarfile.TarFile], None]] = {
        "an absolute path": lambda tar: add(tar, str(canary.with_name("data_batch_1")), b"x"),
        "a path that climbs": lambda tar: add(tar, "cifar-10-batches-py/../../out", b"x"),
        "a link": lambda tar: add_link(tar, BATCH, "/etc/passwd"),
        "a hard link": lambda tar: add_link(tar, BATCH, "/etc/passwd", tarfile.LNKTYPE),
        "a device": lambda tar: add_link(tar, BATCH, "", tarfile.CHRTYPE),
        "a program for a batch": lambda tar: add(tar, BATCH, program),
        "a batch of 300 MB of zeros": lambda tar: add(tar, BATCH, bytes(3 * 10**8)),
    }
    for name, fill in archives.items():
        yield f"archive: {name}", lambda at, f=fill: make_tar(at, f), load
    bomb = lambda at: write(at / "cifar-10.tar.gz", gzip.compress(bytes(5 * 10**8), 9))  # noqa: E731
    yield "archive: half a gigabyte of zeros", bomb, load
    arrays: dict[str, bytes] = {
        "objects": pack_objects(canary),
        "a gigabyte of zeros": pack_zip("x.npy", array_header((10**9,)) + bytes(3 * 10**8)),
        "10^12 pixels in no bytes": pack_zip("x.npy", array_header((10**12,))),
        "a member that is a pickle": pack_zip("x.npy", pickle.dumps(Canary(canary))),
        "members that climb": pack_zip("../../x.npy", array_header((1,)) + b"\0"),
        "no zip": b"\x93NUMPY garbage",
        "a header that is code": pack_zip("x.npy", array_text("__import__('os').abort()")),
    }
    for name, content in arrays.items():
        yield f"npz: {name}", lambda at, c=content: write(at / "data.npz", c), load
    yield "parquet: lying lengths", lambda at: make_parquet(at, lie=True), load
    yield "parquet: rows that are no pictures", lambda at: make_parquet(at, lie=False), load
    yield "parquet: garbage", lambda at: write(at / "train.parquet", b"PAR1" + bytes(99)), load
    yield "folder: links in circles", make_circle, load
    yield "folder: a pipe for a picture", make_pipe, load


def write(path: Path, content: bytes) -> Path:
    """A file."""
    path.write_bytes(content)
    return path


def pack_header(header: bytes) -> bytes:
    """A safetensors file with a header and no data."""
    return struct.pack("<Q", len(header)) + header


def pack_tensors(header: dict[str, Any]) -> bytes:
    """A safetensors file with a header as it likes."""
    return pack_header(json.dumps(header).encode()) + bytes(48)


def pack_zip(name: str, content: bytes) -> bytes:
    """A zip file with one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        archive.writestr("y.npy", array_header((1,)) + b"\0")
    return buffer.getvalue()


def array_text(text: str) -> bytes:
    """The beginning of an npy file with a text for its header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def array_header(shape: tuple[int, ...]) -> bytes:
    """The beginning of an npy file of bytes."""
    return array_text(str({"descr": "|u1", "fortran_order": False, "shape": shape}) + "\n")


def pack_objects(canary: Path) -> bytes:
    """An npz file whose arrays hold Python objects."""
    buffer = io.BytesIO()
    objects = np.array([Canary(canary)], dtype=object)
    np.savez(buffer, x=objects, y=objects)
    return buffer.getvalue()


def nest(settings: dict[str, Any], depth: int) -> dict[str, Any]:
    """An ensemble of an ensemble of an ensemble."""
    for _ in range(depth):
        settings = {"name": "ensemble", "members": [settings]}
    return settings


def save_model(folder: Path, weights: bytes | None = None, **about: Any) -> Path:
    """A saved model under a manifest that agrees with its files.

    Args:
        folder: of the model.
        weights: content of its file of weights; by default those that belong to it.
        about: other values of fields of `model.json`.
    """
    make_model(0, NORMED).save(folder)
    if weights is not None:
        write(folder / "model.safetensors", weights)
    edit_json(folder / "model.json", **about)
    write_manifest(folder, {})
    return folder


def write_manifest(folder: Path, more: dict[str, str]) -> None:
    """The manifest of a model's files, and of more."""
    files = {name: hash_file(folder / name) for name in ("model.safetensors", "model.json")}
    store.write(folder / "manifest.json", Manifest(files=files | more))


def make_manifest(folder: Path, name: str) -> Path:
    """A model whose manifest names a file, with the right sum if it is there."""
    save_model(folder)
    elsewhere = folder / name
    known = elsewhere.read_bytes() if elsewhere.is_file() else b""
    edit_json(folder / "manifest.json", files={name: f"sha256:{hashlib.sha256(known).hexdigest()}"})
    return folder


def spell_status(parameters: str) -> str:
    """The status of a finished run, without its sum, whose parameter count is any text."""
    text = make_status(parameters=10).model_dump_json()
    known = '"parameters":10,'
    assert known in text
    return text.replace(known, f'"parameters":{parameters},')


def load(path: Path) -> object:
    """The data set at a place."""
    return as_dataset(path, None)


def read_status(path: Path) -> object:
    """The status of the run whose status file that is."""
    return Run(path.parent).status


def make_fifo(path: Path) -> Path:
    """A pipe."""
    os.mkfifo(path)
    return path


def make_tar(folder: Path, fill: Callable[[tarfile.TarFile], None]) -> Path:
    """An archive; one with a first batch of CIFAR-10 has all other members as they should be."""
    path = folder / "cifar-10.tar.gz"
    whole = write_cifar(folder, find_archive("cifar10", "python"))
    with tarfile.open(path, "w:gz") as tar:
        fill(tar)
        if BATCH in tar.getnames():
            for file in sorted(whole.iterdir()):
                if file.name != Path(BATCH).name:
                    tar.add(file, arcname=f"{whole.name}/{file.name}")
    return path


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """A file in an archive."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def add_link(tar: tarfile.TarFile, name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> None:
    """Something in an archive that is no file."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, to
    tar.addfile(member)


def make_parquet(folder: Path, *, lie: bool) -> Path:
    """Shards with damaged pages, or with rows that are no pictures."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = [{"bytes": b"no picture", "path": None}] * 50
    table = pa.table({"img": rows, "label": [0, 1] * 25})
    path = folder / "train-00000-of-00001.parquet"
    parquet.write_table(table, path, compression="none")
    if lie:
        content = bytearray(path.read_bytes())
        for at in range(4, 400, 3):
            content[at] = 0xFF
        path.write_bytes(bytes(content))
    return folder


def make_circle(folder: Path) -> Path:
    """Class folders that hold each other and nothing else."""
    for name, other in (("a", "b"), ("b", "a")):
        (folder / name).mkdir()
        (folder / name / "in").symlink_to(folder / other)
    return folder


def make_pipe(folder: Path) -> Path:
    """A picture that never ends."""
    for name in ("a", "b"):
        (folder / name).mkdir()
        for number in range(2):
            os.mkfifo(folder / name / f"{number}.png")
    return folder
