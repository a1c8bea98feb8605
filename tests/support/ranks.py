"""Trainings on several processes, as `torchrun` starts them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import smallvision

RECIPE = """
name = "parts"
epochs = 3
batch_size = 256
micro_batch = 32
augment = ["crop", "cutmix"]
stopping = {patience = 0}
checkpoints = "all"
compute = {threads = 1}
[model]
name = "vgg10"
width = 4
dropout = 0.2
[optimizer]
name = "OPTIMIZER"
[averaging]
name = "ema"
decay = 0.9
"""


def write_recipe(place: Path, optimizer: str = "sgd") -> Path:
    """A recipe whose batches have eight parts."""
    path = place / f"{optimizer}.toml"
    path.write_text(RECIPE.replace("OPTIMIZER", optimizer), encoding="utf-8")
    return path


def start(processes: int, *arguments: str | Path, place: Path) -> subprocess.Popen[str]:
    """Start the command line on so many processes, in a group of their own."""
    command = [sys.executable]
    if processes > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command += ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
        command += ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    command += ["-m", "smallvision", *map(str, arguments)]
    package = Path(smallvision.__file__).parents[1]
    return subprocess.Popen(
        command,
        env={
            **os.environ,
            "SMALLVISION_CACHE": str(place / "cache"),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(package),
        },
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
