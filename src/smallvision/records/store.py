"""The only way to read and write records.

A file holds the fields of its model, the version of the format, and a sum of all other fields. A
flipped bit in a number leaves perfect JSON; the sum finds it. Every error is one line that names
the file, what is wrong with it and what to do.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from smallvision.errors import RecordError
from smallvision.records.files import append_text, read_text, write_text
from smallvision.records.nesting import check_depth
from smallvision.records.nofollow import exists
from smallvision.records.schema.base import Record

AnyRecord = TypeVar("AnyRecord", bound=Record)

SCHEMA, SUM = "schema", "sum"  # the fields that every file has besides those of its model
VERSION = 1  # of the format; raise it when an older version would misread a record
WHOLE = "its content"  # of a file, where no field is to blame
MOST_FIELDS = 1000  # of an object; those of unknown names have no more
LONGEST_INT = 20  # digits of a whole number; counts have at most 16
# Of the classes and types of a union; no field of a record has such a name.
TAGS = frozenset(
    {
        "unfinished",
        "validated",
        "all_images",
        "float",
        "choice",
        "constrained-int",
        "constrained-float",
        "[key]",
    }
)


def write(path: Path, record: Record) -> None:
    """Write a record, whole or not at all.

    Raises:
        RecordError: the file cannot be written; what was there before is untouched.
    """
    fields = add_sum({SCHEMA: VERSION, **record.model_dump(mode="json")})
    write_text(path, json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read(path: Path, model: type[AnyRecord]) -> AnyRecord:
    """Read a record of a class.

    Raises:
        RecordError: the file is missing, unreadable, damaged, or of a later version.
    """
    try:
        fields = parse(read_text(path))
    except ValueError as error:
        raise RecordError(f"{path} is damaged ({error}); restore it") from error
    return check(fields, model, path)


def read_any(path: Path, models: Any) -> Any:
    """Read a record that belongs to one of several classes, a union of them; see `read`."""
    return read(path, models)


def read_if_there(path: Path, model: type[AnyRecord]) -> AnyRecord | None:
    """Read a record, or give None where there is no such file.

    Raises:
        RecordError: as for `read`.
    """
    return read(path, model) if exists(path) else None


def append(path: Path, record: Record, *, number_as: str | None = None) -> int:
    """Append a record as one JSON line and sync it; processes that append take turns.

    Args:
        path: of the file, which is made if missing.
        record: the line.
        number_as: the field that shall hold the number of the line, if any.

    Returns: the number of the line, counted from 1.

    Raises:
        RecordError: the file cannot be written.
    """

    def write_line(number: int) -> str:
        fields = record.model_dump(mode="json")
        return dump_line(fields | ({number_as: number} if number_as else {}))

    return append_text(path, write_line)


def write_lines(path: Path, records: Iterable[Record]) -> None:
    """Write records as JSON lines, whole or not at all."""
    write_text(path, "".join(dump_line(record.model_dump(mode="json")) for record in records))


def read_lines(path: Path, model: type[AnyRecord], *, whole: bool = True) -> list[AnyRecord]:
    """Read JSON lines; a last line that a kill tore in half is left out.

    Args:
        path: of the file.
        model: its class.
        whole: whether all lines are wanted, or only those before the first that is damaged.

    Raises:
        RecordError: the file is missing, or, if all are wanted, a line other than the last is
            damaged.
    """
    try:
        text = read_text(path, errors="strict" if whole else "replace")
    except ValueError as error:
        raise RecordError(f"{path} is damaged ({error}); restore it") from error
    records = []
    # Each whole line ends in a newline, so what follows the last newline is empty or torn.
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            records.append(check(parse(line), model, path))
        except (ValueError, RecordError) as error:
            if not whole:
                break
            raise RecordError(f"{path}, line {number}, is damaged ({error})") from error
    return records


def dump_line(fields: dict[str, Any]) -> str:
    """Fields with their sum as one line of JSON."""
    return json.dumps(add_sum(fields), ensure_ascii=False, allow_nan=False) + "\n"


def add_sum(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields with their sum as the last of them."""
    return {**fields, SUM: sum_fields(fields)}


def sum_fields(fields: dict[str, Any]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of fields; in which order does not matter.

    Against accidents, not against people: whoever edits a record can leave its sum out.
    """
    text = spell(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def spell(fields: Any, **form: Any) -> str:
    """Plain values as JSON, with any text in ASCII.

    Raises:
        ValueError: a value is none that JSON can hold; the message names its place.
    """
    try:
        return json.dumps(fields, allow_nan=False, **form)
    except ValueError:
        raise ValueError(next(_find_faults(fields, ""))) from None


def _find_faults(value: Any, place: str) -> Iterator[str]:
    """The numbers among plain values that are not finite, and the texts that no file can hold."""
    expected = None
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _find_faults(key, place)
            yield from _find_faults(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _find_faults(inner, f"{place}.{index}")
    elif isinstance(value, float) and not math.isfinite(value):
        expected = "a finite number"
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            expected = "text without halves of pairs"
    if expected is not None:
        yield f"{_quote(place) if place else WHOLE} is {value!r:.40}; expected {expected}"


def _quote(text: str) -> str:
    """A name from a file, of any length and with any characters, as a short and plain one."""
    return f"'{text:.80}'" if text.isprintable() else f"{text!r:.80}"


def parse(text: str) -> Any:
    """Strict JSON, whose sum, if it has one, is right; the sum is taken away.

    Raises:
        ValueError: it is not.
    """
    check_depth(text)
    try:
        # A number that no file should hold becomes one that is refused by its place.
        fields = json.loads(
            text, parse_constant=float, parse_int=_read_int, object_pairs_hook=_gather
        )
        if not isinstance(fields, dict) or SUM not in fields:
            return fields
        known = fields.pop(SUM)
        if sum_fields(fields) != known:
            raise ValueError(f"its '{SUM}' is not that of its content; leave it out after an edit")
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return fields


def _read_int(text: str) -> int | float:
    """A whole number; one beyond all counts is taken for a fraction, which no count may be."""
    return int(text) if len(text) < LONGEST_INT else float(text)


def _gather(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of an object; Python's reader keeps the last of those of one name in silence."""
    if len(pairs) > MOST_FIELDS:
        raise ValueError(
            f"an object in it has {len(pairs):,} fields; expected at most {MOST_FIELDS:,}"
        )
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{_quote(twice)} stands in it twice")
    return fields


def check(fields: Any, model: type[AnyRecord], path: Path) -> AnyRecord:
    """Plain JSON values as a record.

    Raises:
        RecordError: a field is missing, unknown or of another type, or the version is a later one.
    """
    if isinstance(fields, dict):
        version = fields.pop(SCHEMA, VERSION)
        if type(version) is not int or version < 1:
            raise RecordError(
                f"{path} is damaged: '{SCHEMA}' is {version!r:.40}; expected the version of the "
                "format, a whole number from 1"
            )
        if version > VERSION:
            raise RecordError(
                f"{path} was written by a later version (schema {version}, this one knows "
                f"{VERSION}); upgrade smallvision to read it"
            )
    try:
        # By way of JSON, so that lists become tuples and nothing else becomes something else.
        adapter: TypeAdapter[AnyRecord] = _adapter(model)
        return adapter.validate_json(spell(fields), strict=True)
    except ValidationError as error:
        raise RecordError(
            f"{path} is damaged: {explain(error, fields)}; restore it, or make the results anew"
        ) from error
    except (RecursionError, ValueError) as error:  # deep nesting, and a number such as 1e999
        raise RecordError(f"{path} is damaged ({error}); restore it") from error


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def explain(error: ValidationError, fields: Any = None) -> str:
    """The first complaint about a record, in our words."""
    complaints = error.errors(include_url=False)
    place = _name_place(complaints[0])
    # Each type of a union complains; the last is the widest.
    first = [one for one in complaints if _name_place(one) == place][-1]
    if first["type"] == "json_invalid":  # which Python's reader takes: deep nesting, half of a pair
        return next(_find_faults(fields, ""), str(first["ctx"]["error"]))
    expected = first["msg"].removeprefix("Value error, ")
    match first["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"{place} is no field of it"
        case "union_tag_not_found":
            return f"{place} lacks {first['ctx']['discriminator']}"
        case "union_tag_invalid":
            found, known = first["ctx"]["tag"], first["ctx"]["expected_tags"]
            name = first["ctx"]["discriminator"]
            return f"{place} has the {name} {found!r:.40}; expected one of {known}"
        case "model_type" | "model_attributes_type":
            return f"{place} is no JSON object"
        case "value_error" if isinstance(first["input"], dict):  # of fields that belong together
            return f"{place} does not hold together: {expected}"
    return f"{place} is {first['input']!r:.40}; {expected[:1].lower()}{expected[1:]}"


def _name_place(complaint: ErrorDetails) -> str:
    """Where in a record a complaint is about, without the names of types."""
    parts = [str(part) for part in complaint["loc"] if part not in TAGS]
    return _quote(".".join(parts)) if parts else WHOLE
