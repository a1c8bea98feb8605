"""What all records have in common: the types of their fields, and how a record behaves."""

from __future__ import annotations

import posixpath
from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from smallvision.shapes import MAX_CLASSES, MAX_NAME, MAX_SIZE, MIN_CLASSES, MIN_SIZE

MOST = 10**15  # of whatever is counted: a petabyte, and every such number is exact as a double
MAX_TEXT, MAX_PATH = 100_000, 4096  # characters
# Half of a range of differences: Student's 95 % interval of two seeds reaches 12.7 deviations.
WIDEST = 20.0


def check_order(interval: tuple[float, float]) -> tuple[float, float]:
    """Refuse an interval that ends before it begins."""
    if interval[0] > interval[1]:
        raise ValueError("expected the low end first, then the high one")
    return interval


def check_channels(channels: int) -> int:
    """Refuse what is neither grey nor colour."""
    if channels not in (1, 3):
        raise ValueError("expected 1 or 3 channels")
    return channels


def check_time(text: str) -> str:
    """Refuse a day or an hour that no calendar has."""
    datetime.fromisoformat(text)
    return text


def check_run_path(path: str) -> str:
    """Refuse what is no plain relative path; it may climb at its beginning."""
    if path.startswith("/") or posixpath.normpath(path) != path:
        raise ValueError("expected a relative path, in its shortest form")
    return path


def check_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse names of which two are equal."""
    if len(set(names)) < len(names):
        raise ValueError("expected distinct names")
    return names


def at_most(most: int, least: int = 0) -> Any:
    """The bounds of a list's length.

    It is read up to its first fault: to tell all of them takes a hundred times the list's size.
    """
    return Field(min_length=least or None, max_length=most, fail_fast=True)


Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
# What a softmax gives may be a rounding above 1.
Probability: TypeAlias = Annotated[float, Field(ge=0, le=1.0001)]
Difference: TypeAlias = Annotated[float, Field(ge=-1, le=1)]  # of two fractions
Count: TypeAlias = Annotated[int, Field(ge=0, le=MOST)]
Number: TypeAlias = Annotated[int, Field(ge=1, le=MOST)]  # counted from 1, or never none
Seed: TypeAlias = Annotated[int, Field(ge=0, le=2**31)]
ClassNumber: TypeAlias = Annotated[int, Field(ge=0, lt=MAX_CLASSES)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=1e10)]  # up to three centuries
Latency: TypeAlias = Annotated[float, Field(ge=1e-9, le=1e6)]  # of one image
Speed: TypeAlias = Annotated[float, Field(ge=0, le=1e12)]  # images a second
Ratio: TypeAlias = Annotated[float, Field(ge=0, le=1e20)]  # of two durations or sizes
Loss: TypeAlias = Annotated[float, Field(ge=0, le=3.5e38)]  # what float32 holds
LearningRate: TypeAlias = Annotated[float, Field(ge=0, le=1e4)]
# Of logits; `stats.calibration` tries 1/20 to 20, and what is far beyond would overflow them.
Temperature: TypeAlias = Annotated[float, Field(ge=1e-3, le=1e3)]

Text: TypeAlias = Annotated[str, Field(max_length=MAX_TEXT)]
Texts: TypeAlias = Annotated[tuple[Text, ...], at_most(10_000)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Key: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]  # dotted, of a setting
PathText: TypeAlias = Annotated[str, Field(min_length=1, max_length=MAX_PATH)]
RunPath: TypeAlias = Annotated[PathText, AfterValidator(check_run_path)]
# Of a file or folder beside or below the record: never one elsewhere.
FileName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
FolderName: TypeAlias = Annotated[str, Field(pattern=r"^\w[\w.-]{0,199}$")]
Hash: TypeAlias = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Time: TypeAlias = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+00:00$"),
    AfterValidator(check_time),
]

# A 95 % interval, low and high: of an accuracy, and of a difference of two.
Interval: TypeAlias = Annotated[tuple[Fraction, Fraction], AfterValidator(check_order)]
Bound: TypeAlias = Annotated[float, Field(ge=-WIDEST, le=WIDEST)]
DifferenceInterval: TypeAlias = Annotated[tuple[Bound, Bound], AfterValidator(check_order)]

Channels: TypeAlias = Annotated[int, AfterValidator(check_channels)]
Side: TypeAlias = Annotated[int, Field(ge=MIN_SIZE, le=MAX_SIZE)]
Shape: TypeAlias = tuple[Channels, Side, Side]  # C, H, W
ClassNames: TypeAlias = Annotated[
    tuple[Name, ...],
    at_most(MAX_CLASSES, least=MIN_CLASSES),
    AfterValidator(check_distinct),
]
ClassCounts: TypeAlias = Annotated[tuple[Count, ...], at_most(MAX_CLASSES)]
Seeds: TypeAlias = Annotated[tuple[Seed, ...], at_most(10_000)]
Accuracies: TypeAlias = Annotated[tuple[Fraction, ...], at_most(10_000)]


AnyRecord = TypeVar("AnyRecord", bound="Record")


def check_lengths(**lengths: int) -> None:
    """Refuse lists that belong together and are not equally long."""
    (name, length), *others = lengths.items()
    for other, found in others:
        if found != length:
            raise ValueError(f"expected as many {other} as {name}, got {found} and {length}")


class Record(BaseModel):
    """A frozen value whose fields are checked: none may be missing, unknown or of another type.

    Fractions, seconds and bytes are the units on disk; times are ISO 8601 in UTC.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        ser_json_inf_nan="constants",  # which the writer refuses; null would be another value
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )

    def extend(self, model: type[AnyRecord], /, **fields: Any) -> AnyRecord:
        """A record of another class with the fields that it shares with this one, and `fields`."""
        shared = {
            name: getattr(self, name)
            for name in model.model_fields
            if name in type(self).model_fields
        }
        return model(**(shared | fields))

    def change(self: AnyRecord, **fields: Any) -> AnyRecord:
        """The same record with other values of some fields."""
        return self.extend(type(self), **fields)


class LeftOutRecord(Record):
    """Files or rows of a source that are in none of its parts, for one reason."""

    reason: Text
    """Why, in words."""
    count: Number
    """How many."""
    example: Text
    """One of them, as it is called inside the source."""


LeftOutRecords: TypeAlias = Annotated[tuple[LeftOutRecord, ...], at_most(1000)]
