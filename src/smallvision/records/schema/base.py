"""What all records have in common."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Field(ge=0)]
Interval: TypeAlias = tuple[float, float]  # a 95 % interval, low and high
Shape: TypeAlias = tuple[int, int, int]  # C, H, W


AnyRecord = TypeVar("AnyRecord", bound="Record")


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
