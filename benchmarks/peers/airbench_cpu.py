"""Run a copy of airbench94_muon.py on a CPU, in bfloat16 where it is fast, nothing else changed.

    python -m benchmarks.peers.airbench_cpu AIRBENCH94_MUON.PY [DATA_DIR]

The file is Keller Jordan's, https://github.com/KellerJordan/cifar10-airbench; it is fetched for the
measurement and is no part of this repository. These things are replaced: the device; float16 by
bfloat16, or by float32 on processors that only emulate bfloat16; CUDA's events by a clock; reading
and normalising by torchvision, with the same arithmetic. Compilation is left out, which is faster
on two cores. The file runs once, without a warm-up. The last line of output is JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from smallvision.compute.processor import has_fast_bf16
from smallvision.data.loading.load import load_data
from smallvision.evaluation.open_test import open_test

HALF = "bfloat16()" if has_fast_bf16("cpu") else "float()"
REPLACED = (
    ("import torchvision\n", ""),
    ("import torchvision.transforms as T\n", ""),
    ("@torch.compile\n", ""),
    ('torch.device("cuda")', 'torch.device("cpu")'),
    ("T.Normalize(CIFAR_MEAN, CIFAR_STD)", "normalize"),
    ("(self.images.half() / 255)", f"(self.images.{HALF} / 255)"),
    ("mod.half()", f"mod.{HALF}"),
    ("G.bfloat16()", f"G.{HALF}"),
    ("torch.cuda.Event(enable_timing=True)", "Clock()"),
    ("torch.cuda.synchronize()", "pass"),
)
HEAD = "from benchmarks.peers.airbench_cpu import Clock, normalize\n"
ENTRY = 'if __name__ == "__main__":'


class Clock:
    """What the file uses of a CUDA event."""

    def record(self) -> None:
        """Note the time."""
        self.time = time.perf_counter()

    def elapsed_time(self, other: Clock) -> float:
        """Milliseconds from this to another."""
        return (other.time - self.time) * 1000


def port(text: str) -> str:
    """The file's text for a CPU.

    Raises:
        SystemExit: it is not the text this was written for.
    """
    for old, new in REPLACED:
        if old not in text:
            sys.exit(f"airbench has changed: it no longer says {old!r}")
        text = text.replace(old, new)
    return text[: text.index(ENTRY)]


def write_images(place: Path, data: Path | None = None) -> None:
    """Write both sets the way the file expects them, so that it finds them in its folder."""
    dataset = load_data("cifar10", data_dir=data)
    test, _ = open_test(
        dataset, place, study="peer", model="airbench94_muon", command=" ".join(sys.argv)
    )
    (place / "cifar10").mkdir()
    for name, images in (("train", dataset.train), ("test", test)):
        pixels = torch.from_numpy(
            np.ascontiguousarray(np.asarray(images.images).transpose(0, 2, 3, 1))
        )
        labels = torch.from_numpy(np.array(images.labels))
        record = {"images": pixels, "labels": labels, "classes": list(images.class_names)}
        torch.save(record, place / "cifar10" / f"{name}.pt")


def normalize(images: torch.Tensor) -> torch.Tensor:
    """What `T.Normalize` computes from the file's own constants."""
    mean, std = (
        torch.tensor(values, dtype=images.dtype).view(-1, 1, 1)
        for values in ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
    )
    return (images - mean) / std


def main() -> None:
    """Write the images where the file looks for them, and run it once."""
    began = time.perf_counter()
    source, *data = (Path(argument).resolve() for argument in sys.argv[1:])
    text = port(source.read_text(encoding="utf-8"))
    with TemporaryDirectory() as place:
        write_images(Path(place), *data)
        ported = Path(place) / "airbench_ported.py"
        ported.write_text(HEAD + text, encoding="utf-8")
        os.chdir(place)
        sys.argv[0] = __file__  # which the file reads, and which is no longer below here
        sys.path.insert(0, place)
        airbench = importlib.import_module("airbench_ported")
        accuracy = airbench.main(0, airbench.CifarNet().to(memory_format=torch.channels_last))
        os.chdir("/")
    print(json.dumps({"accuracy": accuracy, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
