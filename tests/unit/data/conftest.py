"""Tiny data sets in every layout that can be read, and a cache of each test's own."""

from __future__ import annotations

import io
import json
import os
import pickle
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smallvision.data.sources.cifar_archives import EDITIONS, Edition
from smallvision.errors import DataError

REAL_DATA = os.environ.get("SMALLVISION_DATA")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache, or finds the user's data by accident."""
    folder = tmp_path / "own-cache"
    monkeypatch.setenv("SMALLVISION_CACHE", str(folder))
    monkeypatch.delenv("SMALLVISION_DATA", raising=False)
    return folder


@pytest.fixture
def real_data() -> Path:
    """The folder that SMALLVISION_DATA named when the tests began."""
    if not REAL_DATA:
        pytest.skip("SMALLVISION_DATA is not set, so the real CIFAR-10 is not checked")
    return Path(REAL_DATA)


@pytest.fixture
def refuses() -> Callable[..., AbstractContextManager[None]]:
    """A context that demands one DataError, in one line, with all the given words."""

    @contextmanager
    def check(*words: object) -> Iterator[None]:
        with pytest.raises(DataError) as caught:
            yield
        message = str(caught.value)
        assert "\n" not in message
        for word in words:
            assert str(word) in message

    return check


def make_pixels(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)


def make_labels(n: int, K: int) -> np.ndarray:
    return np.arange(n) % K


@pytest.fixture
def edition() -> Callable[[str, str], Edition]:
    def find(name: str, kind: str) -> Edition:
        return next(e for e in EDITIONS if (e.name, e.kind) == (name, kind))

    return find


def encode_batch(edition: Edition, images: np.ndarray, labels: np.ndarray) -> bytes:
    rows = images.reshape(len(images), -1)
    if edition.kind == "python":
        record = {"data": rows, edition.labels_key: labels.tolist(), "filenames": ["x.png"]}
        return pickle.dumps(record, protocol=2)
    marks = np.stack([labels] * edition.label_bytes, axis=1).astype(np.uint8)
    marks[:, :-1] = 19  # coarse labels of CIFAR-100, which must not be taken for the fine ones
    return np.concatenate([marks, rows], axis=1).tobytes()


def encode_names(edition: Edition, names: list[str]) -> bytes:
    if edition.kind == "python":
        return pickle.dumps({edition.names_key: names}, protocol=2)
    return ("\n".join(names) + "\n\n").encode()


@pytest.fixture
def write_cifar(tmp_path: Path) -> Callable[..., Path]:
    """Write a tiny but valid unpacked CIFAR folder; batch i is drawn with seed i."""

    def write(edition: Edition, *, per_batch: int = 20, K: int = 10) -> Path:
        folder = tmp_path / edition.folder
        folder.mkdir()
        for i, batch in enumerate((*edition.train, *edition.test)):
            content = encode_batch(edition, make_pixels(per_batch, i), make_labels(per_batch, K))
            (folder / batch).write_bytes(content)
        names = [f"class{k}" for k in range(K)]
        (folder / edition.names_file).write_bytes(encode_names(edition, names))
        return folder

    return write


@pytest.fixture
def pack() -> Callable[..., Path]:
    """Pack a folder into a `.tar.gz` beside it, last file first, as the official one is."""

    def write(folder: Path, *extra: tarfile.TarInfo, name: str | None = None) -> Path:
        archive = folder.parent / (name or f"{folder.name}.tar.gz")
        with tarfile.open(archive, "w:gz") as tar:
            for member in extra:
                if member.size > 1_000_000:  # claimed, not there
                    tar.fileobj.write(member.tobuf())
                else:
                    tar.addfile(member, io.BytesIO(bytes(member.size)))
            tar.add(folder, arcname=folder.name, recursive=False)
            for path in sorted(folder.iterdir(), reverse=True):
                tar.add(path, arcname=f"{folder.name}/{path.name}")
        return archive

    return write


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Encode pixels `(H, W)` or `(H, W, 3)`, or a PIL image, as a picture file."""

    def to_bytes(picture: Any, kind: str = "PNG", **options: Any) -> bytes:
        buffer = io.BytesIO()
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return to_bytes


@pytest.fixture
def write_pictures(encode: Callable[..., bytes]) -> Callable[..., Path]:
    """Write one folder per class with noisy pictures, each unlike every other."""

    def write(
        root: Path,
        classes: tuple[str, ...] = ("cat", "dog"),
        *,
        n: int = 5,
        size: tuple[int, int] = (16, 16),
        grey: bool = False,
        kind: str = "PNG",
    ) -> Path:
        rng = np.random.default_rng(zlib.crc32(root.name.encode()))
        for name in classes:
            (root / name).mkdir(parents=True)
            for i in range(n):
                pixels = rng.integers(0, 256, size if grey else (*size, 3), dtype=np.uint8)
                (root / name / f"{i}.{kind.lower()}").write_bytes(encode(pixels, kind))
        return root

    return write


@pytest.fixture
def write_shard(encode: Callable[..., bytes]) -> Callable[..., Path]:
    """Write a Parquet shard as Hugging Face does."""
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pyarrow.parquet as pq

    def write(
        path: Path,
        *,
        n: int = 10,
        K: int = 10,
        seed: int = 0,
        image: str = "img",
        label: str = "label",
        names: list[str] | None = None,
        plain: bool = False,
        kind: str = "PNG",
        labels: list[Any] | None = None,
    ) -> Path:
        pixels = make_pixels(n, seed).transpose(0, 2, 3, 1)
        contents = [encode(picture, kind) for picture in pixels]
        column = (
            pa.array(contents)
            if plain
            else pa.array([{"bytes": content, "path": None} for content in contents])
        )
        table = pa.table({image: column, label: labels or make_labels(n, K).tolist()})
        if names:
            features = {label: {"names": names, "_type": "ClassLabel"}}
            metadata = {"huggingface": json.dumps({"info": {"features": features}})}
            table = table.replace_schema_metadata(metadata)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        return path

    return write
