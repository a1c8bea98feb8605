"""Small files and folders of every kind of source that can be read."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from smallvision.data.sources.cifar_archives import CIFAR_ARCHIVES, CifarArchive

# 40 images of noise, uint8 `(N, C, H, W)`, and their labels.
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 10), dtype=np.uint8)
LABELS = np.arange(40) % 4


def make_pixels(n: int, seed: int = 0) -> np.ndarray:
    """Noise in the shape of CIFAR, uint8 `(n, 3, 32, 32)`."""
    return np.random.default_rng(seed).integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)


def make_labels(n: int, K: int) -> np.ndarray:
    """Each class in turn."""
    return np.arange(n) % K


def find_archive(name: str, kind: str) -> CifarArchive:
    """An official archive of `cifar10` or `cifar100`, `python` or `binary`."""
    return next(each for each in CIFAR_ARCHIVES if (each.name, each.kind) == (name, kind))


def write_cifar(parent: Path, archive: CifarArchive, *, per_batch: int = 20, K: int = 10) -> Path:
    """Write a small but valid unpacked archive; batch i is drawn with seed i."""
    folder = parent / archive.folder
    folder.mkdir()
    for i, batch in enumerate((*archive.train, *archive.test)):
        content = _encode_batch(archive, make_pixels(per_batch, i), make_labels(per_batch, K))
        (folder / batch).write_bytes(content)
    names = [f"class{k}" for k in range(K)]
    (folder / archive.names_file).write_bytes(_encode_names(archive, names))
    return folder


def _encode_batch(archive: CifarArchive, images: np.ndarray, labels: np.ndarray) -> bytes:
    rows = images.reshape(len(images), -1)
    if archive.kind == "python":
        record = {"data": rows, archive.labels_key: labels.tolist(), "filenames": ["x.png"]}
        return pickle.dumps(record, protocol=2)
    marks = np.stack([labels] * archive.label_bytes, axis=1).astype(np.uint8)
    marks[:, :-1] = 19  # coarse labels of CIFAR-100, which must not be taken for the fine ones
    return np.concatenate([marks, rows], axis=1).tobytes()


def _encode_names(archive: CifarArchive, names: list[str]) -> bytes:
    if archive.kind == "python":
        return pickle.dumps({archive.names_key: names}, protocol=2)
    return ("\n".join(names) + "\n\n").encode()


def pack(folder: Path, *extra: tarfile.TarInfo, name: str | None = None) -> Path:
    """Pack a folder into a `.tar.gz` beside it, last file first, as the official one is."""
    file = folder.parent / (name or f"{folder.name}.tar.gz")
    with tarfile.open(file, "w:gz") as tar:
        for member in extra:
            if member.size > 1_000_000:  # only claimed
                tar.fileobj.write(member.tobuf())
            else:
                tar.addfile(member, io.BytesIO(bytes(member.size)))
        tar.add(folder, arcname=folder.name, recursive=False)
        for path in sorted(folder.iterdir(), reverse=True):
            tar.add(path, arcname=f"{folder.name}/{path.name}")
    return file


def encode_picture(picture: Any, kind: str = "PNG", **options: Any) -> bytes:
    """Encode pixels `(H, W)` or `(H, W, 3)`, or a PIL image, as a picture file."""
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def write_pictures(
    root: Path,
    classes: tuple[str, ...] = ("cat", "dog"),
    *,
    n: int = 5,
    size: tuple[int, int] = (16, 16),
    grey: bool = False,
    kind: str = "PNG",
) -> Path:
    """Write one folder per class with pictures of noise, each unlike every other."""
    rng = np.random.default_rng(zlib.crc32(root.name.encode()))
    for name in classes:
        (root / name).mkdir(parents=True)
        for i in range(n):
            pixels = rng.integers(0, 256, size if grey else (*size, 3), dtype=np.uint8)
            (root / name / f"{i}.{kind.lower()}").write_bytes(encode_picture(pixels, kind))
    return root


def write_parquet(
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
    """Write a Parquet file as Hugging Face does."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    contents = [encode_picture(pixels.transpose(1, 2, 0), kind) for pixels in make_pixels(n, seed)]
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


def plant_tree(root: Path, tree: str) -> Path:
    """Write a folder of small pictures, each unlike every other, from words about what lies in it.

    Args:
        root: the folder.
        tree: words: `cat:3` is a folder with pictures `0.png` to `2.png`, `cat/x.png` a picture,
            `cat/x.txt` another file, `cat/` an empty folder, and `cat>dog` a link `cat` to `dog`.
    """
    rng = np.random.default_rng(zlib.crc32(tree.encode()))
    root.mkdir(parents=True, exist_ok=True)
    for word in tree.split():
        link, _, target = word.partition(">")
        place, _, number = word.partition(":")
        if target:
            (root / link).parent.mkdir(parents=True, exist_ok=True)
            (root / link).symlink_to(root / target)
        elif word.endswith("/"):
            (root / word).mkdir(parents=True, exist_ok=True)
        else:
            files = [f"{place}/{i}.png" for i in range(int(number))] if number else [word]
            for file in files:
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
                text = "." not in file or file.endswith(".md")
                (root / file).write_bytes(b"text" if text else encode_picture(pixels))
    return root
