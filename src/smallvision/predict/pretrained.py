"""Models that come with the package: an answer before anything is trained."""

from __future__ import annotations

from pathlib import Path

PRETRAINED = Path(__file__).with_name(
    "pretrained_models"
)  # a saved model each; `make pretrained` makes them


def find_pretrained(name: str) -> Path | None:
    """The folder of a model that comes with the package; None if none is called that."""
    return next((place for place in list_pretrained() if place.name == name), None)


def list_pretrained() -> list[Path]:
    """The folders of the models that come with the package, each named after its data set."""
    return sorted(PRETRAINED.glob("*"))


def find_records(model: Path) -> Path:
    """Where the records of the run lie that made an included model."""
    return model / "records"
