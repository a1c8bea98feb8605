"""Records on disk: what is read is what was written, and any damage is one line."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, get_args

import pytest
from pydantic import Field

from smallvision.errors import RecordError
from smallvision.records import files, schema, store
from smallvision.records.schema import (
    AllImagesRun,
    AnyRun,
    EpochMetrics,
    Record,
    TuningRecord,
    UnfinishedRun,
    ValidatedRun,
)
from tests.support.records import HASH, edit_json, make_status

MODELS = [
    getattr(schema, name)
    for name in schema.__all__
    if isinstance(getattr(schema, name), type) and getattr(schema, name) is not Record
]


class Inner(Record):
    """A record inside another."""

    n: int
    """A number."""


class Sample(Record):
    """A record with a field of each kind."""

    accuracy: float
    """A fraction."""
    names: tuple[str, ...] = ()
    """Several values."""
    inner: Inner | None = None
    """Another record."""
    by_key: dict[str, Any] = Field(default_factory=dict)
    """Fields of unknown names."""


class Line(Record):
    """A line of a file of lines."""

    n: int = 0
    """A number."""
    text: str = ""
    """A text."""


SAMPLE = Sample(accuracy=0.9321, names=("é", "b"), inner=Inner(n=3), by_key={"2": [1], "10": None})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.json"


def refuse(path: Path, model: Any = Sample) -> str:
    """What reading a file says, which must be one line that names the file."""
    with pytest.raises(RecordError) as caught:
        store.read(path, model)
    said = str(caught.value)
    assert "\n" not in said
    assert str(path) in said
    return said


def test_a_record_reads_back_as_it_was_written(path: Path) -> None:
    store.write(path, SAMPLE)
    assert store.read(path, Sample) == SAMPLE
    assert store.read_if_there(path, Sample) == SAMPLE
    assert store.read_if_there(path.with_name("b.json"), Sample) is None


def test_a_file_holds_the_version_the_fields_and_their_sum(path: Path) -> None:
    store.write(path, SAMPLE)
    fields = json.loads(path.read_text())
    assert list(fields) == ["schema", *Sample.model_fields, "sum"]
    assert fields["schema"] == store.VERSION
    assert "é" in path.read_text()


def test_a_number_that_was_changed_is_found(path: Path) -> None:
    store.write(path, SAMPLE)
    path.write_text(path.read_text().replace("0.9321", "0.9329"))
    assert "'sum' is not that of its content" in refuse(path)


def test_an_edit_that_leaves_the_sum_out_is_believed(path: Path) -> None:
    store.write(path, SAMPLE)
    edit_json(path, accuracy=0.5)
    assert store.read(path, Sample) == SAMPLE.change(accuracy=0.5)


def test_the_order_of_fields_is_no_part_of_the_sum(path: Path) -> None:
    store.write(path, SAMPLE)
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(dict(reversed(fields.items()))))
    assert store.read(path, Sample) == SAMPLE


def test_a_later_version_is_named(path: Path) -> None:
    store.write(path, SAMPLE)
    edit_json(path, schema=store.VERSION + 1)
    said = refuse(path)
    assert f"later version (schema {store.VERSION + 1}" in said
    assert "upgrade" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"extra": 1}, "'extra' is no field of it"),
        ({"inner": {}}, "'inner.n' is missing"),
        ({"inner": {"n": 1, "m": 2}}, "'inner.m' is no field of it"),
        ({"inner": [3]}, "'inner' is no JSON object"),
        ({"inner": {"n": 1.0}}, "'inner.n' is 1.0"),
        ({"inner": {"n": True}}, "'inner.n' is True"),
        ({"accuracy": "0.9"}, "'accuracy' is '0.9'"),
        ({"accuracy": None}, "'accuracy' is None"),
        ({"accuracy": 10**400}, "'accuracy' is inf; expected a finite number"),
        ({"names": "ab"}, "'names' is 'ab'"),
        ({"names": ["a", 3]}, "'names.1' is 3"),
        ({"names": ["\ud800"]}, "'names.0' is '\\ud800'; expected text"),
    ],
)
def test_a_field_that_is_not_as_it_should_be_is_named(
    path: Path, changes: dict[str, Any], said: str
) -> None:
    store.write(path, SAMPLE)
    edit_json(path, **changes)
    assert said in refuse(path)


def test_a_missing_field_is_named(path: Path) -> None:
    path.write_text("{}")
    assert "'accuracy' is missing" in refuse(path)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("space", [{"kind": "float", "key": "a", "low": "x", "high": 1.0}], "'space.0.low' is 'x'"),
        ("space", [{"kind": "choice", "key": "a", "choices": 3}], "'space.0.choices' is 3"),
        ("space", [{"key": "a"}], "'space.0' lacks 'kind'"),
        ("space", [{"kind": "other"}], "'space.0' has the 'kind' 'other'; expected"),
        ("best", {"number": 0, "values": {"lr": "x"}, "accuracy": 0.5}, "'best.values.lr' is 'x'"),
    ],
)
def test_places_in_unions_are_named_as_they_are_in_the_file(
    path: Path, place: str, value: Any, said: str
) -> None:
    record = TuningRecord(recipe="a", epochs=1, sampler="s", startup_trials=1, pruner="p", space=())
    store.write(path, record)
    edit_json(path, **{place: value})
    assert said in refuse(path, TuningRecord)


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff", b"\xff\xfe{}", b'{"n": 1'])
def test_what_is_no_json_is_damaged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is damaged" in refuse(path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("place", ['"accuracy": %s', '"accuracy": 1.0, "by_key": {"a": [%s]}'])
@pytest.mark.parametrize("end", ["", ', "sum": "0123456789abcdef"'])
def test_no_number_but_a_finite_one_is_read(path: Path, number: str, place: str, end: str) -> None:
    path.write_text("{" + place % number + end + "}")
    assert "is damaged" in refuse(path)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_no_number_but_a_finite_one_is_written(path: Path, number: float) -> None:
    hidden = Sample(accuracy=0.5, by_key={"a": [number]})
    for record in (hidden, Sample.model_construct(accuracy=number)):
        with pytest.raises(ValueError, match="expected a finite number"):
            store.write(path, record)
        with pytest.raises(ValueError, match="expected a finite number"):
            store.append(path, record)
    assert not path.exists()


@pytest.mark.parametrize("end", ["", ', "sum": "0123456789abcdef"'])
def test_deep_nesting_is_damage(path: Path, end: str) -> None:
    """Python's readers and writers give up at unlike depths near a thousand."""
    for depth in (250, *range(900, 1010), 100_000):
        nested = "[" * depth + "]" * depth
        path.write_text(f'{{"accuracy": 0.5, "by_key": {{"a": {nested}}}{end}}}')
        assert "is damaged" in refuse(path)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_empty_record_is_damaged(path: Path, model: type[Record]) -> None:
    needs_any = any(field.is_required() for field in model.model_fields.values())
    for content in ("[]", "3", "null", *(["{}"] if needs_any else [])):
        path.write_text(content)
        assert "is damaged" in refuse(path, model)


def test_a_missing_file_asks_for_the_right_folder(path: Path) -> None:
    assert f"{path} is missing; is {path.parent} the right folder?" in refuse(path)


def test_what_is_no_small_file_is_not_read(path: Path) -> None:
    assert "no regular file" in refuse(path.parent)
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    assert "no regular file" in refuse(pipe)  # reading it would wait for ever
    store.write(path, SAMPLE)
    with pytest.raises(RecordError, match="expected at most 10"):
        files.read_bytes(path, 10)


def test_a_write_that_fails_keeps_the_old_content(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(path, SAMPLE)

    def fill(_descriptor: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fill)
    with pytest.raises(RecordError, match=r"No space left.*make room"):
        store.write(path, SAMPLE.change(accuracy=0.5))
    assert store.read(path, Sample) == SAMPLE
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_run_is_read_as_what_its_state_and_kind_say(path: Path) -> None:
    done = make_status()
    shared = {"name": "tiny", "data": "rows", "mirror_safe": True, "recipe_sum": HASH}
    records = {
        ValidatedRun: [done, done.change(kind="refit"), done.change(kind="ensemble")],
        AllImagesRun: [done.extend(AllImagesRun, kind="all_images")],
        UnfinishedRun: [
            UnfinishedRun(status="running", **shared),
            UnfinishedRun(status="failed", error="why", **shared),
            UnfinishedRun(status="pruned", kind="all_images", **shared),
        ],
    }
    for kind, several in records.items():
        for record in several:
            store.write(path, record)
            found = store.read_any(path, AnyRun)
            assert type(found) is kind
            assert found == record


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"val": None}, "'val' is no JSON object"),
        ({"status": "ended"}, "'status' is 'ended'"),
        ({"status": 3}, "'status' is 3"),
        ({"status": ["done"]}, "'status' is ['done']"),
        ({"kind": "other"}, "'kind' is 'other'"),
        ({"kind": "all_images"}, "is no field of it"),
        ({"status": "running"}, "is no field of it"),
    ],
)
def test_a_run_must_have_the_figures_of_its_state(
    path: Path, changes: dict[str, Any], said: str
) -> None:
    store.write(path, make_status())
    edit_json(path, **changes)
    assert said in refuse(path, AnyRun)


def test_lines_read_back_as_they_were_written(path: Path) -> None:
    lines = [Line(n=1, text="é"), Line(n=2, text="a\nb\u2028c")]
    for line in lines:
        store.append(path, line)
    assert store.read_lines(path, Line) == lines
    appended = path.read_bytes()
    store.write_lines(path, lines)
    assert path.read_bytes() == appended
    store.write_lines(path, [])
    assert store.read_lines(path, Line) == []


def test_lines_are_counted_as_they_are_appended(path: Path) -> None:
    for number in (1, 2):
        assert store.append(path, Line(text="a"), number_as="n") == number
    with path.open("a") as file:
        file.write('{"n": 3, "te')  # a kill
    assert store.append(path, Line(text="b"), number_as="n") == 3
    assert [line.n for line in store.read_lines(path, Line)] == [1, 2, 3]


def test_writers_of_one_file_take_turns(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        append = partial(store.append, path, number_as="n")
        numbers = list(pool.map(append, [Line(text="x" * 500)] * 40))
    assert sorted(numbers) == list(range(1, 41))
    assert [line.n for line in store.read_lines(path, Line)] == list(range(1, 41))


def test_a_torn_last_line_is_left_out(path: Path) -> None:
    store.append(path, Line(n=1))
    with path.open("a") as file:
        file.write('{"n": 2')
    assert store.read_lines(path, Line) == [Line(n=1)]
    store.append(path, Line(n=3))
    assert store.read_lines(path, Line) == [Line(n=1), Line(n=3)]


@pytest.mark.parametrize("damaged", ['{"n": ', '{"n": "x"}', '{"m": 1}', "[1]", '{"n": NaN}', ""])
def test_a_damaged_line_in_the_middle_is_named(path: Path, damaged: str) -> None:
    path.write_text(f'{{"n": 1}}\n{damaged}\n{{"n": 3}}\n')
    with pytest.raises(RecordError, match=r"a\.json, line 2, is damaged") as caught:
        store.read_lines(path, Line)
    assert "\n" not in str(caught.value)
    assert store.read_lines(path, Line, whole=False) == [Line(n=1)]


def test_a_line_that_was_changed_is_found(path: Path) -> None:
    for number in range(3):
        store.append(path, Line(n=number))
    path.write_text(path.read_text().replace('"n": 1', '"n": 7'))
    assert store.read_lines(path, Line, whole=False) == [Line(n=0)]
    with pytest.raises(RecordError, match="line 2"):
        store.read_lines(path, Line)


def test_lines_before_bytes_that_are_no_text_can_be_had(path: Path) -> None:
    store.append(path, Line(n=1))
    with path.open("ab") as file:
        file.write(b"\xff\xfe\n")
    assert store.read_lines(path, Line, whole=False) == [Line(n=1)]
    with pytest.raises(RecordError, match="is damaged"):
        store.read_lines(path, Line)


def test_missing_lines_ask_for_the_right_folder(path: Path) -> None:
    with pytest.raises(RecordError, match="right folder"):
        store.read_lines(path, EpochMetrics)


def test_the_tags_of_unions_are_no_names_of_fields() -> None:
    names = {name for model in MODELS for name in model.model_fields}
    assert not names & store.TAGS
    assert not names & {store.SCHEMA, store.SUM}
    tags = {tag.tag for run in get_args(get_args(AnyRun)[0]) for tag in run.__metadata__}
    assert tags <= store.TAGS
