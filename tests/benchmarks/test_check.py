from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import make_folder
from tests.support.measurements import make_head, make_pipeline

KNOWN = {
    "xeon-amx": (make_head("Xeon", "AVX512, AMX", None), 10.0),
    "epyc": (make_head("EPYC", None, None), 5.0),
    "epyc-26": (make_head("EPYC", "AVX512", "family 26"), 6.0),
}


@pytest.mark.parametrize(
    ("processor", "instructions", "generation", "ratio", "code", "said"),
    [
        ("Xeon", "AVX512, AMX", "family 6", 9.5, 0, "0.95"),
        ("Xeon", "AVX512, AMX", "family 6", 8.0, 1, "FELL"),
        ("Xeon", "AVX512", "family 6", 9.5, 2, "there is none"),
        ("EPYC", "AVX512", "family 25", 5.0, 0, "1.00"),
        ("EPYC", "AVX512", "family 26", 5.0, 1, "FELL"),
        ("M4", "DEFAULT", None, 9.5, 2, "there is none"),
    ],
)
def test_speed_is_compared_with_that_of_a_like_machine(
    tmp_path: Path,
    benchmarks: Callable[..., Result],
    processor: str,
    instructions: str,
    generation: str | None,
    ratio: float,
    code: int,
    said: str,
) -> None:
    """Some records are from before they named instructions, or the generation."""
    for name, (head, known) in KNOWN.items():
        folder = make_folder(tmp_path / "known" / name)
        store.write(folder / "pipeline.json", make_pipeline(head, known))
    fresh = make_pipeline(make_head(processor, instructions, generation), ratio)
    store.write(make_folder(tmp_path / "fresh") / "pipeline.json", fresh)
    result = benchmarks("check", tmp_path / "fresh", tmp_path / "known")
    assert said in result.output + str(result.exception)
    assert isinstance(result.exception, RecordError) == (code == 2)
    assert result.exit_code == min(code, 1)  # the error is turned into 2 outside


def test_there_must_be_committed_records(tmp_path: Path, benchmarks: Callable[..., Result]) -> None:
    result = benchmarks("check", tmp_path, tmp_path / "nowhere")
    assert "there is no folder" in str(result.exception)
