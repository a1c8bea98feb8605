"""The types of fields: what each takes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.schema import (
    EnsembleRecord,
    ErrorAnalysisRecord,
    ExplorationRecord,
    FloatRange,
    Goal,
    LearningRateSchedule,
    Limits,
    Record,
    SeedSummary,
    SplitRecord,
    TestRecord,
    base,
)
from tests.gold.make_folders import FOLDERS
from tests.support.records import HASH, edit_json
from tests.support.study_folder import build_whole_study

WINNER = "runs/snapshot-ensemble"
TAKEN: list[tuple[Any, list[Any]]] = [
    (base.Fraction, [0, 0.5, 1, 1.0]),
    (base.Probability, [0, 1.0000001]),
    (base.Difference, [-1, 1, -0.0]),
    (base.Count, [0, 10**15]),
    (base.Number, [1, 10**15]),
    (base.Seed, [0, 2**31]),
    (base.ClassNumber, [0, 999]),
    (base.Seconds, [0, 1e9]),
    (base.Latency, [1e-6, 10.0]),
    (base.Ratio, [0, 0.01, 1e6]),
    (base.Loss, [0, 27.6, 3.4e38]),
    (base.LearningRate, [0, 1e3]),
    (base.Temperature, [0.05, 20]),
    (base.Text, ["", "a", "[/]", "é"]),
    (base.Name, ["a", "0", "a b", "x" * 255]),
    (base.Key, ["optimizer.lr", "augment.cutout.size"]),
    (base.RunPath, ["members/snapshots", "../run", "../../a/b", "."]),
    (base.FileName, ["pair-0.png", "model.safetensors", "a"]),
    (base.FolderName, ["mlp", "wrn-aug", "é", "a.b"]),
    (base.Hash, [HASH]),
    (base.Time, ["2026-11-22T14:40:00+00:00"]),
    (base.Interval, [[0, 1], [0.5, 0.5]]),
    (base.DifferenceInterval, [[-0.5, 0.5], [-13.0, 12.0]]),
    (base.Shape, [[1, 8, 8], [3, 224, 224]]),
    (base.ClassNames, [["a", "b"], [str(k) for k in range(1000)]]),
]
REFUSED: list[tuple[Any, list[Any]]] = [
    (base.Fraction, [-0.1, 1.1, "0.5", True, None, [0.5]]),
    (base.Probability, [-1e-9, 1.01]),
    (base.Difference, [-1.1, 1.1]),
    (base.Count, [-1, 10**15 + 1, 1.0, True, "1"]),
    (base.Number, [0, 10**18]),
    (base.Seed, [-1, 2**31 + 1]),
    (base.ClassNumber, [-1, 1000]),
    (base.Seconds, [-1, 1e11]),
    (base.Latency, [0, -1, 1e-320, 1e7]),
    (base.Ratio, [-1, 1e308]),
    (base.Loss, [-1, 1e39]),
    (base.LearningRate, [-0.1, 1e5]),
    (base.Temperature, [0, 1e-320, 1e4, -1]),
    (base.Text, ["x" * 100_001, 3, None]),
    (base.Name, ["", "x" * 256]),
    (base.Key, ["", "a b", "[/]", "a\n", "x" * 101]),
    (base.RunPath, ["", "/a", "a/../b", "a/", "./a", "a//b", "x" * 5000]),
    (base.FileName, ["", ".", "..", "../a", "a/b", "/a", "a\\b", ".lock", "a\n", "x" * 101]),
    (base.FolderName, ["", ".", "..", "../a", "a/b", "a b", "a\x00", ".a", "-a"]),
    (base.Hash, ["", "sha256:0", HASH.upper(), HASH + "0", HASH + "\n", HASH[7:]]),
    (
        base.Time,
        [
            "",
            "2026-11-22",
            "2026-13-22T14:40:00+00:00",
            "2026-02-30T14:40:00+00:00",
            "2026-11-22T14:40:00+23:00",
            "2026-11-22T14:40:00",
            "٢٠٢٦-11-22T14:40:00+00:00",
        ],
    ),
    (base.Interval, [[1, 0], [-0.1, 1], [0, 1.1], [0], [0, 1, 1], {}]),
    (base.DifferenceInterval, [[0.5, -0.5], [-100, 0], [0, 1e308]]),
    (base.Shape, [[0, 8, 8], [4, 8, 8], [3, 7, 8], [3, 8, 225], [3, 8], [3.0, 8, 8]]),
    (base.ClassNames, [[], ["a"], ["a", "a"], ["a", ""], ["a", 1], list(map(str, range(1001)))]),
]


def list_cases(table: list[tuple[Any, list[Any]]]) -> list[tuple[Any, Any]]:
    return [(kind, value) for kind, values in table for value in values]


def validate(kind: Any, value: Any) -> Any:
    """A plain value read as a type is, in a record's strict way."""
    return TypeAdapter(kind).validate_json(json.dumps(value), strict=True)


@pytest.mark.parametrize(("kind", "value"), list_cases(TAKEN))
def test_what_is_honest_is_taken(kind: Any, value: Any) -> None:
    validate(kind, value)


@pytest.mark.parametrize(("kind", "value"), list_cases(REFUSED))
def test_what_is_not_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        validate(kind, value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_whole_study(tmp_path_factory.mktemp("study"))


@pytest.mark.parametrize(
    ("file", "model", "field", "said"),
    [
        ("test.json", TestRecord, "per_class", "per_class as class_names, got 9 and 10"),
        ("test.json", TestRecord, "confusion", "confusion as class_names, got 9"),
        ("split.json", SplitRecord, "counts.val", "val as train, got 9"),
        (
            "exploration/exploration.json",
            ExplorationRecord,
            "counts",
            "counts as class_names, got 9",
        ),
        ("runs/mlp/schedule.json", LearningRateSchedule, "value", "value as step"),
        ("runs/wrn-aug/seeds.json", SeedSummary, "accuracies", "accuracies as seeds, got 2"),
        (f"{WINNER}/ensemble.json", EnsembleRecord, "steps", "steps as members, got 2"),
        (
            f"{WINNER}/ensemble.json",
            EnsembleRecord,
            "disagreement",
            "disagreement as members, got 2",
        ),
        (
            "runs/snapshot-ensemble/errors/errors.json",
            ErrorAnalysisRecord,
            "class_names",
            "predicted is class",
        ),
    ],
)
def test_lists_that_belong_together_are_equally_long(
    file: str, model: type[Record], field: str, said: str, whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes((whole / file).read_bytes())
    store.read(path, model)
    fields = json.loads(path.read_text())
    first, *rest = field.split(".")
    holder = fields[first] if rest else fields
    name = rest[0] if rest else first
    keep = 5 if name == "class_names" else -1
    holder[name] = holder[name][:keep]
    edit_json(path, **fields)
    with pytest.raises(RecordError, match="does not hold together") as caught:
        store.read(path, model)
    assert said in str(caught.value)


def test_a_matrix_is_square(whole: Path, tmp_path: Path) -> None:
    for name, model, field in (
        ("test.json", TestRecord, "confusion"),
        (f"{WINNER}/ensemble.json", EnsembleRecord, "disagreement"),
    ):
        path = tmp_path / "a.json"
        rows = json.loads((whole / name).read_text())[field]
        path.write_bytes((whole / name).read_bytes())
        edit_json(path, **{field: [rows[0][:-1], *rows[1:]]})
        with pytest.raises(RecordError, match=rf"{field}\.0"):
            store.read(path, model)


@pytest.mark.parametrize(
    ("low", "high", "log"), [(1.0, 0.0, False), (1.0, 1.0, False), (0.0, 1.0, True)]
)
def test_a_range_has_a_width_and_a_logarithm(low: float, high: float, log: bool) -> None:
    with pytest.raises(ValidationError, match="low end below"):
        FloatRange(key="a", low=low, high=high, log=log)


@pytest.mark.parametrize("limits", [Limits(gap=-0.1), Limits(parameters=-1)])
def test_a_goal_has_no_limit_below_zero(limits: Limits) -> None:
    with pytest.raises(ValidationError, match=r"expected a number from 0 to 1e\+15"):
        Goal(limits=limits)


def test_names_that_stand_twice_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    text = (FOLDERS / "run/split.json").read_text()
    path.write_text(text.replace('"seed": 0', '"seed": 0, "seed": 0', 1))
    with pytest.raises(RecordError, match="'seed' stands in it twice"):
        store.read(path, SplitRecord)
    path.write_text(text.replace('"train": [', '"val": [], "train": [', 1))
    with pytest.raises(RecordError, match="'val' stands in it twice"):
        store.read(path, SplitRecord)


@pytest.mark.parametrize("version", ["0", "-1", "true", "1.0", '"1"', "null", "[]", "1e999"])
def test_the_version_is_a_whole_number_from_one(version: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    fields = json.loads((FOLDERS / "run/split.json").read_text())
    fields.pop("sum")
    text = json.dumps({**fields, "schema": "@"})
    path.write_text(text.replace('"@"', version))
    with pytest.raises(RecordError, match="'schema' is"):
        store.read(path, SplitRecord)


def test_an_object_has_at_most_a_thousand_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({f"k{number}": 0 for number in range(1001)}))
    with pytest.raises(RecordError, match="1,001 fields"):
        store.read(path, SplitRecord)


def test_what_is_said_of_odd_names_is_short_and_plain(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    fields = json.loads((FOLDERS / "run/split.json").read_text())
    for name in ("\x1b[2J", "\u202ex", "a\nb", "x" * 10**6):
        edit = {key: value for key, value in fields.items() if key != "sum"}
        path.write_text(json.dumps({**edit, name: 1}))
        with pytest.raises(RecordError, match="is no field of it") as caught:
            store.read(path, SplitRecord)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 1000
