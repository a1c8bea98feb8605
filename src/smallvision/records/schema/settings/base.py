"""What all settings have in common, and the types of numbers they share."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from smallvision.cards import Card


def refuse_bool(value: Any) -> Any:
    """Refuse true and false where a number is expected; pydantic takes them for 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("bool", "expected a number, not true or false")
    return value


def limit_length(most: int) -> BeforeValidator:
    """Refuse a list of more entries before any is looked at: each faulty one takes a kilobyte."""

    def check(value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) > most:
            raise PydanticCustomError("length", "expected at most {most} entries", {"most": most})
        return tuple(value) if isinstance(value, list) else value  # a list of JSON is a tuple

    return BeforeValidator(check)


Whole = Annotated[int, BeforeValidator(refuse_bool)]
Real = Annotated[float, BeforeValidator(refuse_bool)]
Share = Annotated[Real, Field(ge=0, le=1)]
ShareBelowOne = Annotated[Real, Field(ge=0, lt=1)]
LearningRate = Annotated[Real, Field(gt=0, le=1e3)]
Activation = Literal["relu", "mish", "silu", "gelu"]


class Settings(BaseModel):
    """Frozen values; an unknown key is an error and is never ignored."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    def arguments(self) -> dict[str, Any]:
        """As keyword arguments of their builder."""
        return self.model_dump(exclude={"name"})

    def plain(self) -> dict[str, Any]:
        """As plain TOML values."""
        return self.model_dump(mode="json")


class Technique(Settings):
    """The settings of one technique, which a recipe chooses by its name.

    The fields and their defaults are the keyword arguments of the technique's builder;
    tests/catalogs/test_settings.py compares them.
    """

    card: ClassVar[Card]
    name: str = ""
