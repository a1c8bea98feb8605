"""Figures on the pages come from the committed records, and from nowhere else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.report import draw_benches, read_benches
from tests.house.readme import ROOT, check_block

ENV = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
KEPT = [path.parent for path in sorted((ROOT / "results").glob("*/study.json"))]


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_the_readme_shows_the_records(folder: Path) -> None:
    check_block(folder.name, "keep", folder)


def test_the_page_on_speed_shows_the_races() -> None:
    check_block("bench", "training.show_races", page="docs/SPEED.md")


def test_the_page_on_speed_shows_the_convolutions() -> None:
    check_block("convolutions", "throughput.convolutions", page="docs/SPEED.md")


def test_the_page_on_speed_shows_the_ablations() -> None:
    check_block("ablations", "training.ablations", page="docs/SPEED.md")


@pytest.mark.parametrize("folder", sorted((ROOT / "results/bench").iterdir()), ids=str)
def test_measurements_of_speed_can_be_drawn(folder: Path) -> None:
    records = read_benches(folder)
    page = draw_benches(records)
    assert all(record["environment"]["processor"] in page for record in records)
    assert ("of the peer's time" in page) == any(
        record.get("ratio") for record in records if record["kind"] == "race"
    )


def a_record(
    processor: str, instructions: str | None, ratio: float, generation: str | None = None
) -> dict[str, object]:
    environment = {"processor": processor, "generation": generation}
    if instructions is not None:
        environment["instructions"] = instructions
    return {"environment": environment, "machine": {"threads": 2}, "ratio": ratio}


@pytest.mark.parametrize(
    ("processor", "instructions", "generation", "ratio", "code", "said"),
    [
        ("Xeon", "AVX512, AMX", "family 6", 9.5, 0, "0.95"),
        ("Xeon", "AVX512, AMX", "family 6", 8.0, 1, "FELL"),
        ("Xeon", "AVX512", "family 6", 9.5, 1, "there is none"),
        ("EPYC", "AVX512", "family 25", 5.0, 0, "1.00"),
        ("EPYC", "AVX512", "family 26", 5.0, 1, "FELL"),
        ("M4", "DEFAULT", None, 9.5, 1, "there is none"),
    ],
)
def test_speed_is_compared_with_that_of_a_machine_alike(
    tmp_path: Path,
    processor: str,
    instructions: str,
    generation: str | None,
    ratio: float,
    code: int,
    said: str,
) -> None:
    """Some records are from before they named instructions, or the generation."""
    for folder, record in {
        "known/xeon-amx": a_record("Xeon", "AVX512, AMX", 10.0),
        "known/epyc": a_record("EPYC", None, 5.0),
        "known/epyc-26": a_record("EPYC", "AVX512", 6.0, "family 26"),
        "fresh": a_record(processor, instructions, ratio, generation),
    }.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pipeline.json").write_text(json.dumps(record))
    command = [sys.executable, "-m", "benchmarks.check", "fresh", "known"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=ENV)
    assert (done.returncode, done.stderr) == (code, "")
    assert said in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check"], "required: fresh"),
        (["check", "here", "nowhere"], "there is no folder nowhere"),
        (["training.race", "nowhere.py", ".", "race.json"], "there is no nowhere.py"),
        (["training.race", "other.json", ".", "other.json"], "name another file"),
        (["training.ablations", ".", "other.json"], "name another file"),
    ],
)
def test_scripts_complain_before_they_measure(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "other.json").write_text('{"kind": "step"}')
    script, *rest = arguments
    command = [sys.executable, "-m", f"benchmarks.{script}", *rest]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=ENV)
    assert done.returncode
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["other.json"]


def test_no_picture_and_no_weight_is_committed() -> None:
    kept = {path.suffix for path in (ROOT / "results").rglob("*") if path.is_file()}
    assert kept <= {".json", ".jsonl", ".toml", ".md"}
