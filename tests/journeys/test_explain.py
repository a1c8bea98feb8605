"""`smallvision explain`: what a run gets wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from smallvision.records import store
from smallvision.records.schema import ErrorAnalysisRecord
from smallvision.runs.finished_run import find_validated
from tests.support.commands import FAST, Outcome, call_command

Call = Callable[..., Outcome]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on digits, which was explained."""
    run = tmp_path_factory.mktemp("explained") / "run"
    assert call_command("train", "digits", "mlp", "--out", run, *FAST).code == 0
    assert call_command("explain", run, "digits").code == 0
    return run


@pytest.fixture(scope="module")
def record(run: Path) -> ErrorAnalysisRecord:
    return store.read(run / "errors" / "errors.json", ErrorAnalysisRecord)


def test_the_errors_are_those_of_the_run(run: Path, record: ErrorAnalysisRecord) -> None:
    _, status = find_validated(run)
    assert record.n == status.val.n
    assert 1 - record.errors / record.n == pytest.approx(status.val.accuracy)
    assert record.saliency == "input gradient", "an mlp has no feature maps"


def test_every_picture_that_is_named_is_there_and_no_other(
    run: Path, record: ErrorAnalysisRecord
) -> None:
    pairs = [file for pair in record.pairs for file in (pair.file, pair.reverse_file) if file]
    worst = [file for error in record.worst for file in (error.file, error.saliency)]
    issues = [issue.file for issue in record.label_issues.images]
    assert {path.name for path in (run / "errors").glob("*.png")} == {*pairs, *worst, *issues}


def test_it_tells_what_was_found(smallvision: Call, run: Path, record: ErrorAnalysisRecord) -> None:
    told = smallvision("explain", run, "digits")
    for line in record.slices:
        assert line.sentence in told.words
    assert "confused most" in told.words
    assert str(run / "errors") in told.out


@pytest.mark.parametrize("named", [["digits"], []])
def test_it_prints_its_record_and_opens_nothing(
    smallvision: Call, run: Path, record: ErrorAnalysisRecord, named: list[str]
) -> None:
    outcome = smallvision("explain", run, *named, "--json")
    assert ErrorAnalysisRecord.model_validate_json(outcome.out) == record
    assert not list(run.rglob("ledger.jsonl"))


@pytest.mark.parametrize("command", ["explain", "evaluate", "report"])
def test_what_a_kill_left_is_swept_by_the_next_call(run: Path, command: str) -> None:
    end = f"{2**31 - 1}.{0:016x}.tmp"
    left = [run / f".test.json.{end}", run / "errors" / f".errors.json.{end}"]
    for path in left:
        path.write_text("half")
    data = [] if command == "report" else ["digits"]
    assert call_command(command, run, *data).code == 0
    assert not [path for path in left if path.exists()]
