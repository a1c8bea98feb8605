"""The bounds of every field of every record and recipe: what lies just beyond one is refused.

The bounds are in `edges.json`, so that a bound that is dropped from a type is still tried. After a
bound was changed on purpose, `python -m tests.battery.edges` writes them anew from the types.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AfterValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from smallvision.errors import RecordError, SettingError
from smallvision.recipes import Recipe, parse_recipe
from smallvision.recipes.settings.recipe import RandomCropPhase
from smallvision.recipes.toml import read_run_recipe
from smallvision.records import store
from smallvision.records.layout import METRICS, STATUS
from smallvision.records.schema import Record
from tests.battery.outcome import Outcome
from tests.battery.records import (
    ROOTS,
    Place,
    Trial,
    attempt,
    build,
    list_models,
    list_places,
    read,
    read_plain,
    replaced,
)

PROMISE = (
    "A number, text or list just beyond a bound of its field or setting is refused in one line that"
    " names it, and so are values in a record that contradict each other."
)
KNOWN = Path(__file__).with_name("edges.json")
WIDEST = ("ge", "gt", "min_length")  # of which the least is the widest; of others, the greatest
LIMITS = (*WIDEST, "le", "lt", "max_length", "pattern")
Bounds = dict[str, Any]

# --------------------------------------------------------------------------------- from the types


def list_bounds() -> dict[str, Bounds]:
    """The bounds of all fields, of their elements by number, and of their `keys` and `values`."""
    found: dict[str, Bounds] = {}
    for model in {model for kind in (*ROOTS.values(), Recipe) for model in list_models(kind)}:
        for name, field in model.model_fields.items():
            for at, bounds in walk_bounds(field.annotation, field.metadata):
                if bounds:
                    found[f"{model.__name__}.{name}{at}"] = bounds
    return dict(sorted(found.items()))


def read_known() -> dict[str, Bounds]:
    """The bounds as they were written down."""
    known: dict[str, Bounds] = json.loads(KNOWN.read_text(encoding="utf-8"))
    return known


def walk_bounds(kind: Any, metadata: Any, at: str = "") -> Iterator[tuple[str, Bounds]]:
    """The bounds of a type, and of what it is made of."""
    origin, inner = get_origin(kind), get_args(kind)
    while origin is Annotated:
        kind, metadata = inner[0], [*metadata, *inner[1:]]
        origin, inner = get_origin(kind), get_args(kind)
    bounds = join([read_bounds(metadata)])
    if origin in (Union, UnionType):
        arms: dict[str, list[Bounds]] = {at: [bounds]}
        for one in inner:
            for below, more in walk_bounds(one, [], at):
                arms.setdefault(below, []).append(more)
        yield from ((below, join(each)) for below, each in arms.items())
        return
    yield at, bounds
    if origin is tuple:
        for number, one in enumerate(inner[:1] if inner[-1] is Ellipsis else inner):
            yield from walk_bounds(one, [], f"{at}/{number}")
    elif origin is dict:
        yield from walk_bounds(inner[0], [], f"{at}/keys")
        yield from walk_bounds(inner[1], [], f"{at}/values")


def read_bounds(metadata: Any) -> Bounds:
    """The bounds among the annotations of a type."""
    found: Bounds = {}
    for one in metadata:
        if isinstance(one, FieldInfo):
            found |= read_bounds(one.metadata)
        elif isinstance(one, AfterValidator):
            found[getattr(one.func, "__name__", "")] = True
        else:
            for name in LIMITS:
                if getattr(one, name, PydanticUndefined) not in (PydanticUndefined, None):
                    found[name] = getattr(one, name)
    return found


def join(each: list[Bounds]) -> Bounds:
    """The widest bounds of several types."""
    joined: Bounds = {}
    for bounds in each:
        for name, value in bounds.items():
            widest = min if name in WIDEST else max
            joined[name] = widest(joined.get(name, value), value)
    return joined


# ------------------------------------------------------------------------------------ beyond them

# What each check of `schema.base` and `schema.settings` refuses.
CHECKS: dict[str, tuple[Any, ...]] = {
    "check_order": ([0.75, 0.5],),
    "check_channels": (0, 2, 4),
    "check_time": ("2026-02-30T00:00:00+00:00", "2026-01-01T24:01:00+00:00"),
    "check_run_path": ("/runs/a", "a//b", "a/../b", "a/"),
    "check_inside": ("../a", "/a", "a//b", "a/../b", "a/", "a\\b", "."),
    "check_distinct": (["a", "a"],),
    "check_depth": (11, 17),
}


WORDS = {
    "ge": "greater than or equal to",
    "gt": "greater than",
    "le": "less than or equal to",
    "lt": "less than",
    "min_length": "at least",
    "max_length": "at most",
    "pattern": "match pattern",
    "check_time": "out of range|must be in",
}  # of the refusal; those of other checks begin with "expected"


def go_beyond(name: str, limit: Any, value: Any, filler: Any) -> tuple[Any, ...]:
    """Values just beyond a bound.

    Args:
        name, limit: the bound.
        value: of the field.
        filler: an element of such a list, where it has none.
    """
    if name in ("ge", "le"):
        step = 1 if name == "le" else -1
        if isinstance(value, float):
            return (math.nextafter(limit, step * math.inf),)
        return (math.floor(limit) + step,)
    if name in ("gt", "lt"):
        return (limit,)
    if name == "min_length":
        return ("" if isinstance(value, str) else [],)
    if name == "max_length":
        if isinstance(value, str):
            return ("x" * (limit + 1),)
        if isinstance(value, dict):
            return (dict.fromkeys(map(str, range(1, limit + 2)), next(iter(value.values()), 0)),)
        return ((value or [filler])[:1] * (limit + 1),)
    if name == "pattern":
        return ("a b/", f"{value}\n", f"/{value}")
    return CHECKS[name]


Path_ = Sequence[str | int]  # `keys` is the first key of an object, `values` its first value


def find_holder(fields: Any, path: Path_) -> tuple[Any, Any]:
    """What holds the place at the end of a path, and its key or number there.

    Raises:
        LookupError: the path leads to nothing.
    """
    holder: Any = {"": fields}
    key: Any = ""
    for part in path:
        holder = holder[key]
        if holder is None:
            raise LookupError(part)
        key = part if isinstance(holder, dict) else int(part)
        if part in ("keys", "values") and part not in holder:
            key = next(iter(holder), None)
        if isinstance(key, int) or part in ("keys", "values"):
            holder[key]  # which raises where there is nothing
    return holder, key


def find_value(fields: Any, path: Path_) -> Any:
    """The value at the end of a path; None where a field is left out.

    Raises:
        LookupError: the path leads to nothing.
    """
    holder, key = find_holder(fields, path)
    if path[-1] == "keys":
        return key
    return holder.get(key) if isinstance(holder, dict) else holder[key]


def put(fields: Any, path: Path_, value: Any) -> str:
    """The text of a record in which one place has another value; the fields are changed."""
    holder, key = find_holder(fields, path)
    if path[-1] == "keys":
        holder[value] = holder.pop(key)
    else:
        holder[key] = value
    return json.dumps(fields)


def list_beyond(root: Path) -> Iterator[Trial]:
    """A trial for each bound of `edges.json`, where some file has the field."""
    known = read_known()
    places = {f"{one.model.__name__}.{one.field}": one for one in list_places(root) if one.is_field}
    for key, bounds in known.items():
        name, *below = key.split("/")
        if (place := places.get(name)) is None:
            continue
        path = (*place.path, *below)
        try:
            value = find_value(read_plain(place.file), path)
        except LookupError:
            continue
        if value is None and "text" in place.kinds:
            value = ""
        filler = 1 if "le" in known.get(f"{key}/0", {}) else "x"
        for bound, limit in bounds.items():
            reason = WORDS.get(bound, "expected")
            for beyond in go_beyond(bound, limit, value, filler):
                make = lambda p=place, at=path, to=beyond: put(read_plain(p.file), at, to)  # noqa: E731
                yield Trial(place, f"{key}: {bound} {limit}: {beyond!r:.40}", make, True, reason)


# -------------------------------------------------------------------------------- contradictions


@dataclass(frozen=True)
class Contradiction:
    """Fields whose values are each in range and do not agree.

    Attributes:
        file: of the folders that `records.build` makes.
        path: of the field that is changed.
        value: its new value; `TWICE` for its elements twice.
        reason: what the refusal says.
    """

    file: str
    path: tuple[str | int, ...]
    value: Any
    reason: str


TWICE = "twice"
VGG, EXPORT = "networks/vgg10/model.json", "export/export.json"
MLP, SEARCH = "gold/folded/runs/mlp", "gold/tuning/tune.json"
CONTRADICTIONS = (
    Contradiction("whole/study.json", ("goal", "limits", "gap"), -1.0, "limit on gap"),
    Contradiction(VGG, ("mean",), TWICE, "as many std as mean"),
    Contradiction(VGG, ("tta", "shift"), 20, "expected a shift"),
    Contradiction(VGG, ("sets", "error_rates"), TWICE, "as many least_probabilities"),
    Contradiction(EXPORT, ("hashes",), TWICE, "as many hashes"),
    Contradiction(EXPORT, ("check", "same_class"), 10, "a same_class of at most 9"),
    Contradiction("gold/run/schedule.json", ("value",), TWICE, "as many value"),
    Contradiction("gold/run/network.json", ("parameters",), 1, "add up to"),
    Contradiction("gold/study/runs/mlp/seeds.json", ("accuracies",), TWICE, "as many accuracies"),
    Contradiction(SEARCH, ("space", 0, "low"), 0.25, "a low end below"),
    Contradiction(SEARCH, ("trials", 0, "accuracy"), None, "has accuracy None"),
    Contradiction(f"{MLP}/folds.json", ("counts",), TWICE, "as many counts"),
    Contradiction(f"{MLP}/errors/errors.json", ("worst", 0, "true"), 999, "true is class 999"),
)


def list_contradictions(root: Path) -> Iterator[Trial]:
    """A trial for each."""
    for one in CONTRADICTIONS:
        place = Place(root / one.file, Record, "", one.path, frozenset(), None, True, True)

        def make(one: Contradiction = one, file: Path = place.file) -> str:
            fields = read_plain(file)
            value = find_value(fields, one.path) * 2 if one.value is TWICE else one.value
            return put(fields, one.path, value)

        yield Trial(place, f"{one.file}: {'.'.join(map(str, one.path))}", make, True, one.reason)


# --------------------------------------------------------------------------------------- recipes

PHASE = RandomCropPhase(until=0.5, side=16)


def list_recipes() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Recipes of which one setting is beyond a bound: a name, the values, and the setting."""
    known = read_known()
    parts = {
        (name, model)
        for name, field in Recipe.model_fields.items()
        for model in list_models(field.annotation)
    }
    for part, model in sorted({("", Recipe), *parts}, key=str):
        settings = PHASE if model is RandomCropPhase else model()
        for key, bounds in known.items():
            name, *below = key.split("/")
            owner, _, field = name.partition(".")
            if owner != model.__name__:
                continue
            try:
                value = find_value(plain(settings), (field, *below))
            except LookupError:
                continue
            for bound, limit in bounds.items():
                for beyond in go_beyond(bound, limit, value, "x"):
                    whole = json.loads(put(plain(settings), (field, *below), beyond))
                    is_list = isinstance(getattr(Recipe(), part, None), tuple)
                    values = {part: [whole] if is_list else whole} if part else whole
                    yield f"{part} {key}: {bound} {limit}: {beyond!r:.40}", values, field


def plain(settings: Any) -> Any:
    """Settings as plain values, with lists for tuples."""
    return json.loads(json.dumps(settings.plain()))


def try_recipe(name: str, values: dict[str, Any], field: str, outcome: Outcome) -> None:
    """Read a recipe that must be refused."""
    with outcome.trial(name):
        try:
            parse_recipe(values)
        except SettingError as error:
            outcome.count("refused")
            outcome.expect(field in str(error), f"{name}: names no setting: {error}")
        else:
            outcome.expect(False, f"{name}: was read")


def list_odd_files(root: Path) -> Iterator[tuple[str, Path, bytes, str]]:
    """Files that are no text, of a version that is none or comes later, or edited since a run."""
    run = root / "gold" / "run"
    for name in (STATUS, METRICS):
        yield f"{name}: no text", run / name, b"\xff\xfe{}\n", "is damaged"
        fields = read_plain(run / name)
        for version in (0, -1, "1", True, 1.5, None, [], 2, 10**9):
            content = json.dumps(fields | {store.SCHEMA: version}).encode() + b"\n"
            later = type(version) is int and version > 1
            reason = "a later version" if later else "expected the version of the format"
            yield f"{name}: version {version}", run / name, content, reason
    recipe = (run / "recipe.toml").read_bytes()
    large = recipe + b"#" * 70_000
    yield "a recipe of 70 kB", run / "recipe.toml", large, "bytes; expected at most"
    reason = "is not what this run was made with"
    yield "an edited recipe", run / "recipe.toml", recipe + b"\n", reason


def raise_refusal(file: Path) -> None:
    """Read a file of records.

    Raises:
        RecordError: it is refused.
    """
    if said := read(file):
        raise RecordError(said)


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Go beyond each bound; `trials` and `seed` are not needed, there are few thousand."""
    outcome = Outcome(PROMISE)
    root = build(place / "inside")
    for trial in (*list_beyond(root), *list_contradictions(root)):
        with outcome.trial(trial.name), replaced(trial.place.file, trial.make()):
            attempt(trial, outcome)
    for name, values, field in list_recipes():
        try_recipe(name, values, field, outcome)
    for name, file, content, reason in list_odd_files(root):
        with outcome.trial(name, reason), replaced(file, ""):
            file.write_bytes(content)
            read_run_recipe(file.parent) if file.suffix == ".toml" else raise_refusal(file)
            outcome.expect(False, f"{name}: was read")
    with outcome.trial("a record that is missing", f"is missing; is {root} the right folder?"):
        store.read(root / STATUS, ROOTS[STATUS])
        outcome.expect(False, "a record that is missing: was read")
    return outcome


if __name__ == "__main__":
    KNOWN.write_text(json.dumps(list_bounds(), indent=1) + "\n", encoding="utf-8")
