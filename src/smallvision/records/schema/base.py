"""What all records have in common."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Field(ge=0)]
Interval: TypeAlias = tuple[float, float]  # a 95 % interval, low and high
Shape: TypeAlias = tuple[int, int, int]  # C, H, W


class Record(BaseModel):
    """A frozen value whose fields are checked: none may be missing, unknown or of another type.

    Fractions, seconds and bytes are the units on disk; times are ISO 8601 in UTC.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )
