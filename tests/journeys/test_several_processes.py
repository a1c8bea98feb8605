"""Training on several processes; the battery's family `ranks` kills some of them."""

from __future__ import annotations

from pathlib import Path

from tests.battery.work import compare_bits, read_bits
from tests.support.ranks import start, write_recipe


def test_two_processes_have_the_bits_of_one(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    bits = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        job = start(processes, "train", "digits", recipe, "--out", folder, place=tmp_path)
        said, _ = job.communicate(timeout=300)
        assert job.returncode == 0, said
        assert said.count("epoch   3/3") == 1, "the leader alone talks"
        bits[processes] = read_bits(folder)
    assert compare_bits(bits[2], bits[1]) == []


def test_too_few_parts_are_one_line(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    job = start(
        2, "train", "digits", recipe, "--set", "micro_batch=0", "--out", tmp_path / "run",
        place=tmp_path,
    )  # fmt: skip
    said, _ = job.communicate(timeout=300)
    assert job.returncode != 0
    assert "error: a batch of 256 images is made in 1 part, too few for 2 processes" in said
    assert "set micro_batch to at most 128" in said
    assert "smallvision/" not in said.partition("torch.distributed")[0], "a traceback of ours"
