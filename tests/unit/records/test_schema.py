"""One frozen, closed and described model for each file, and every file is written by it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from smallvision.api import distill, ensemble, evaluate, run_study, train, tune
from smallvision.records import schema
from smallvision.records.schema import Limits, Rate, Record, UnfinishedRun
from smallvision.study import climb
from smallvision.study.plan import StudyPlan
from tests.support.images import make_dataset
from tests.support.record_files import RECORD_FILES, rewrite_record
from tests.support.records import HASH, make_rate

MODELS = {
    name: value
    for name in schema.__all__
    if isinstance(value := getattr(schema, name), type) and issubclass(value, Record)
}
FAST = ("model.hidden=[4]", "epochs=2", "compute.threads=1")
CYCLES = ("schedule.name=sgdr", "schedule.cycles=2", "schedule.cycle_mult=1")


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_models_are_frozen_closed_strict_and_described(model: type[Record]) -> None:
    config = model.model_config
    assert config["frozen"]
    assert config["strict"]
    assert config["extra"] == "forbid"
    assert config["allow_inf_nan"] is (model is Limits), "a plan refuses them in one line"
    assert model.__doc__
    assert model.__doc__ != model.__base__.__doc__, "a docstring of its own"
    for name, field in model.model_fields.items():
        assert field.description, f"{name} is not described"
        assert "list[" not in str(field.annotation), f"{name} could be changed in place"


def test_the_schema_exports_every_model() -> None:
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(schema.__path__, f"{schema.__name__}.")
    ]
    defined = {
        name
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Record)
        and value.__module__ == module.__name__
    }
    assert set(MODELS) == defined
    assert list(schema.__all__) == sorted(schema.__all__)


def test_a_record_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_rate().accuracy = 1.0


@pytest.mark.parametrize(
    "changes", [{"accuracy": float("nan")}, {"accuracy": 1.5}, {"n": 2.0}, {"extra": 1}]
)
def test_a_record_is_checked_when_it_is_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rate(**{**make_rate().model_dump(), **changes})


def test_a_change_makes_another_record() -> None:
    rate = make_rate(0.9)
    assert rate.change(accuracy=0.8) == make_rate(0.9).model_copy(update={"accuracy": 0.8})
    assert rate == make_rate(0.9)
    with pytest.raises(ValidationError):
        rate.change(accuracy="high")


def test_a_record_extends_to_a_class_that_shares_fields_with_it() -> None:
    status = UnfinishedRun(
        status="running", name="a", data="rows", mirror_safe=True, recipe_sum=HASH, error="why"
    )
    with pytest.raises(ValidationError, match="epochs_planned"):
        status.extend(schema.AllImagesRun, kind="all_images", status="done")
    again = status.extend(UnfinishedRun, status="failed", notes=("a",))
    assert (again.name, again.error, again.status, again.notes) == ("a", "why", "failed", ("a",))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run with a repeat, an ensemble, a student, a search and a study, all finished."""
    root, dataset = tmp_path_factory.mktemp("records"), make_dataset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLVISION_CACHE", str(root / "cache"))
        patch.setattr(climb, "write_report", lambda _folder: None)  # no record, and slow
        run = train(
            dataset, "mlp", out=root / "run", settings=(*FAST, *CYCLES), seeds=2, refit=True
        )
        evaluate(run, dataset)
        joined = ensemble(run, data=dataset, select="all", out=root / "ensemble")
        distill(joined, data=dataset, out=root / "student", settings=("epochs=1",))
        tune(dataset, "mlp", trials=2, epochs=1, out=root / "tuning", settings=FAST)
        run_study(dataset, root / "study", StudyPlan(rungs=("mlp",), settings=FAST))
    return root


def list_records(folders: Path, name: str) -> list[Path]:
    """The files of that name, those of the cache aside."""
    return [path for path in sorted(folders.rglob(name)) if "cache" not in path.parts]


@pytest.mark.parametrize("name", RECORD_FILES)
def test_every_file_is_what_the_store_makes_of_its_record(
    folders: Path, tmp_path: Path, name: str
) -> None:
    found = list_records(folders, name)
    assert found
    for path in found:
        rewrite_record(path, tmp_path / name)
        assert (tmp_path / name).read_bytes() == path.read_bytes()


def test_no_file_of_records_is_without_a_model(folders: Path) -> None:
    written = [*list_records(folders, "*.json"), *list_records(folders, "*.jsonl")]
    assert {path.name for path in written} == set(RECORD_FILES)
