"""Records from strangers: every field of every schema, with every kind of value it cannot have.

What is tried follows from the schema: its classes are walked, so a new field is tried by itself.
What must be refused follows from rules that hold for every record: a value of another JSON type
than the field's, a number that is not finite or beyond whatever is measured, a list, text or object
that is longer than any. Whatever else a record may say, those that read it must draw it.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
from PIL import Image
from pydantic import BaseModel, TypeAdapter, ValidationError

from smallvision.api import explore, load_data
from smallvision.errors import UserError
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.layout import SPLIT, STATUS, STUDY, TUNE
from smallvision.records.schema import (
    CachedPart,
    ClassMeansDifference,
    DataOrigin,
    ExportCheck,
    ExportRecord,
    LadderVerdicts,
    LeftOutRecord,
    MirroredFile,
    MirrorIndex,
    ModelRecord,
    OriginalSizesRecord,
    PredictionSetsRecord,
    PreparationRecord,
    Record,
    ServedModel,
    SplitRecord,
    StudyRecord,
    UnlikeRecord,
    UnpackedArchive,
)
from smallvision.records.schema.settings.networks import AnyModel, EnsembleSettings
from smallvision.runs.results import Run, TestResult, Tuning
from tests.battery.outcome import Outcome
from tests.gold.make_folders import FOLDERS
from tests.support.commands import call_command
from tests.support.images import make_photographs
from tests.support.record_files import RECORD_FILES
from tests.support.records import HASH, make_rate
from tests.support.study_folder import build_whole_study

PROMISE = (
    "A record with any one field missing, unknown, of another type, out of range, vast or odd is "
    "refused in one line that names the file and the field, or it is read, and whatever shows it "
    "does so."
)
CACHED, UNPACKED, EXPORT = "train.manifest.json", "archive.json", "export.json"
MIRROR = "mirror.json"
ROOTS: dict[str, Any] = {
    **RECORD_FILES,
    CACHED: CachedPart,
    UNPACKED: UnpackedArchive,
    EXPORT: ExportRecord,
    MIRROR: MirrorIndex,
}
ORIGIN = DataOrigin(
    place="/pictures",
    known_as="cifar10",
    image_size=32,
    fit="pad",
    train="/a",
    val="/b",
    test="/c",
    config="plain",
    image_column="img",
    label_column="label",
    label_from="(.)",
    group_by="folder",
    min_per_class=3,
    suffixes=(".dat",),
    strict=True,
)
BY_CLASS = ClassMeansDifference(
    balanced_accuracy=0.1,
    balanced_accuracy_interval=(0.0, 0.2),
    macro_f1=0.1,
    macro_f1_interval=(-0.1, 0.3),
)
SETS = PredictionSetsRecord(error_rates=(0.1,), least_probabilities=(0.2,), n=9)
# Raw escapes and reversed text, which the terminal and the page show as escapes.
RAW = ("\x1b", "\x07", "\u202e")
HERE, WHOLE = "@@HERE@@", "its content|is missing|is no field of it"
MOST_ELEMENTS = 12  # of a list, among which one is sought that holds something everywhere
Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A field of a record, or an element of it, in a file.

    Attributes:
        file: the file, relative to the folder of all.
        model, field: whose field.
        path: keys and numbers that lead there.
        kinds: JSON types that it may have.
        value: that it has; None where the file lacks it.
        is_field: whether it is a whole field, and not an element of one.
        is_required: whether a record must have it.
    """

    file: Path
    model: type[Record]
    field: str
    path: Path_
    kinds: frozenset[str]
    value: Any
    is_field: bool
    is_required: bool


# ------------------------------------------------------------------------------ from the schema


def list_kinds(kind: Any) -> frozenset[str]:
    """The JSON types that a type takes."""
    if kind is None or kind is NoneType:
        return frozenset({"null"})
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return list_kinds(inner[0])
    if origin is Literal:
        return frozenset(name_kind(value) for value in inner)
    if origin in (Union, UnionType):
        return frozenset().union(*map(list_kinds, inner))
    if origin is tuple:
        return frozenset({"list"})
    if origin is dict or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return frozenset({"object"})
    return frozenset(
        {
            bool: {"bool"},
            int: {"int"},
            float: {"int", "float"},
            str: {"text"},
            Any: {"null", "bool", "int", "float", "text", "list", "object"},
        }[kind]
    )


def name_kind(value: Any) -> str:
    """The JSON type of a value."""
    names = {NoneType: "null", str: "text", tuple: "list", dict: "object"}
    return names.get(type(value), type(value).__name__)


def list_models(kind: Any) -> Iterator[type[Record]]:
    """The classes that a type is made of, at any depth."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from list_models(field.annotation)
    for inner in get_args(kind):
        yield from list_models(inner)


def walk(file: Path, value: Any, kind: Any, path: Path_ = ()) -> Iterator[Place]:
    """Every place below a value of a type."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from walk(file, value, inner[0], path)
    elif origin in (Union, UnionType):
        for one in inner:
            if fits(value, one):
                yield from walk(file, value, one, path)
                return
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            within = (*path, name)
            kinds, known = list_kinds(field.annotation), value.get(name)
            yield Place(file, kind, name, within, kinds, known, True, field.is_required())
            for place in walk(file, known, field.annotation, within):
                # The elements of a list or dictionary count to the field that holds them.
                yield place if place.is_field else Place(**{**vars(place), "model": kind})
    elif origin is tuple:
        for number, element in enumerate((value or [])[:MOST_ELEMENTS]):
            yield from walk_element(file, element, inner[0], (*path, number))
    elif origin is dict:
        for name, element in (value or {}).items():
            yield from walk_element(file, element, inner[1], (*path, name))


def walk_element(file: Path, value: Any, kind: Any, path: Path_) -> Iterator[Place]:
    """An element of a list or dictionary, and what lies below."""
    field = next(str(part) for part in reversed(path[:-1]) if isinstance(part, str))
    yield Place(file, Record, field, path, list_kinds(kind), value, False, True)
    yield from walk(file, value, kind, path)


def fits(value: Any, kind: Any) -> bool:
    """Whether a plain value is one of a type."""
    try:
        TypeAdapter(kind).validate_json(json.dumps(value))
    except ValidationError:
        return False
    return True


def list_places(root: Path) -> list[Place]:
    """Each field of each file once, where it holds something if it does so anywhere."""
    found: dict[tuple[Any, ...], Place] = {}
    for file in sorted(root.rglob("*.json*")):
        if file.name not in ROOTS:
            continue
        fields = read_plain(file)
        for place in (
            Place(file, Record, WHOLE, (), frozenset({"object"}), fields, False, True),
            *walk(file, fields, ROOTS[file.name]),
        ):
            stripped = tuple(part for part in place.path if isinstance(part, str))
            key = (file.name, place.model, stripped, place.is_field)
            if key not in found or (place.value and not found[key].value):
                found[key] = place
    return list(found.values())


def read_plain(file: Path) -> Any:
    """The fields of a file, or of its first line, without their sum."""
    fields = json.loads(first_line(file) if file.suffix == ".jsonl" else file.read_text())
    fields.pop("sum", None)
    fields.pop("schema", None)
    return fields


def first_line(file: Path) -> str:
    """The first line of a file."""
    return file.read_text(encoding="utf-8").partition("\n")[0]


# ------------------------------------------------------------------------------------ mutations


@dataclass(frozen=True)
class Mutation:
    """What is put in the place of a value.

    Attributes:
        name: of it.
        text: JSON, from the value that was there.
        kind: its JSON type, None where no field may have it, of whatever type the field is.
        reason: what the refusal says besides the file's name; by default the name of the field.
    """

    name: str
    text: Callable[[Any], str]
    kind: str | None = None
    reason: str = ""


def always(text: str) -> Callable[[Any], str]:
    """The same text, whatever was there."""
    return lambda _: text


def spell_twice(value: Any) -> str:
    """A value, and after it an object's next field of the same name."""
    return f'{json.dumps(value)}, "{HERE}": {json.dumps(value)}'


def repeat_list(value: Any) -> str:
    """A list of 2 * 10^5 copies of an element that is there."""
    return json.dumps((value if isinstance(value, list) and value else [0])[:1] * (2 * 10**5))


def repeat_key(value: Any) -> str:
    """An object of 10^4 fields."""
    inner = next(iter(value.values())) if isinstance(value, dict) and value else 0
    return json.dumps({f"k{number}": inner for number in range(10**4)})


TEXTS = {
    "text": '"x"',
    "a number as text": '"1"',
    "no text": '""',
    "markup": '"[/]"',
    "markup of a style": '"[bold red]x[/bold]"',
    "a tag": '"<script>alert(1)</script>"',
    "an escape sequence": r'"\u001b[2J\u001b]0;x\u0007"',
    "text from right to left": r'"\u202ecod.exe"',
    "line ends": r'"a\r\nb\u0085c\u2028d"',
    "a zero byte": r'"a\u0000b"',
    "a path that climbs": '"../../untouched"',
    "an absolute path": '"/etc/hostname"',
    "a path of another system": r'"..\\..\\x"',
    "a template": '"{{ 7 * 7 }} {0} %s"',
}
MUTATIONS = (
    Mutation("null", always("null"), "null"),
    Mutation("true", always("true"), "bool"),
    Mutation("false", always("false"), "bool"),
    Mutation("an object", always("{}"), "object"),
    Mutation("an empty list", always("[]"), "list"),
    Mutation("a list of lists", always("[[], {}]"), "list"),
    *(Mutation(name, always(text), "text") for name, text in TEXTS.items()),
    Mutation("0", always("0"), "int"),
    Mutation("-1", always("-1"), "int"),
    Mutation("1", always("1"), "int"),
    Mutation("1000", always("1000"), "int"),
    Mutation("10^12", always(str(10**12)), "int"),
    Mutation("1.0", always("1.0"), "float"),
    Mutation("0.5", always("0.5"), "float"),
    Mutation("-0.5", always("-0.5"), "float"),
    Mutation("1e-320", always("1e-320"), "float"),
    Mutation("1e18", always("1e18"), "float"),
    Mutation("3e38", always("3e38"), "float"),
    Mutation("1e308", always("1e308")),
    Mutation("-1e308", always("-1e308")),
    Mutation("10^18", always(str(10**18)), "float"),
    Mutation("-10^18", always(str(-(10**18)))),
    Mutation("5,000 digits", always("9" * 5000)),
    Mutation("1e999", always("1e999")),
    Mutation("-1e999", always("-1e999")),
    Mutation("NaN", always("NaN")),
    Mutation("Infinity", always("Infinity")),
    Mutation("half of a pair", always(r'"\ud800"')),
    Mutation("10^6 characters", always(f'"{"x" * 10**6}"')),
    Mutation(
        "a list of 200,000", repeat_list, reason="{field}|lists and tables|bytes; expected at most"
    ),
    Mutation("an object of 10^4 fields", repeat_key, reason="10,000 fields"),
    Mutation("nested 200 deep", always("[" * 200 + "]" * 200), reason="nest|recursion|{field}"),
    Mutation("nested 5,000 deep", always("[" * 5000 + "]" * 5000), reason="nest|recursion"),
)
TWICE = Mutation("twice", spell_twice, reason="stands in it twice")
ODD_KEYS = ("[/]", "\x1b[2J", "\u202ex", "", "x" * 10**6, "../x", "\ud800")


def apply(place: Place, mutation: Mutation | None) -> str:
    """The text of a file in which one place has another value, or, where None, is missing."""
    holder: Any = {"whole": read_plain(place.file)}
    whole, (*above, last) = holder, ("whole", *place.path)
    for part in above:
        holder = holder[part]
    if mutation is None:
        del holder[last]
    else:
        holder[last] = HERE
    text = json.dumps(whole["whole"])
    if mutation is not None:
        text = text.replace(f'"{HERE}"', mutation.text(place.value), 1)
        text = text.replace(HERE, str(last))
    return text


@dataclass(frozen=True)
class Trial:
    """A file with one fault.

    Attributes:
        place, name: where, and which.
        make: its text.
        refused: whether it must be.
        reason: what the refusal says, one of several parted by bars.
    """

    place: Place
    name: str
    make: Callable[[], str]
    refused: bool
    reason: str


def list_trials(root: Path) -> list[Trial]:
    """Every field with every mutation."""
    trials = []
    for place in list_places(root):
        at = ".".join(map(str, place.path))
        for mutation in MUTATIONS:
            refused = mutation.kind is None or mutation.kind not in place.kinds
            reason = (mutation.reason or "{field}").replace("{field}", place.field)
            trials.append(
                Trial(
                    place,
                    f"{place.file.name} {at}: {mutation.name}",
                    lambda p=place, m=mutation: apply(p, m),  # type: ignore[misc]
                    refused,
                    reason,
                )
            )
        trials += list_shapes(place, at)
    return trials


def list_shapes(place: Place, at: str) -> Iterator[Trial]:
    """What is done to a field itself: it is left out, told twice, or joined by another."""
    name = f"{place.file.name} {at}"
    if place.is_field and place.value is not None:
        # Without what tells its kind, a record may be one that lacks other fields.
        reason = place.field if place.is_required else f"{place.field}|is missing"
        make = lambda: apply(place, None)  # noqa: E731
        yield Trial(place, f"{name}: missing", make, place.is_required, reason)
        yield Trial(place, f"{name}: twice", lambda: apply(place, TWICE), True, TWICE.reason)
    if isinstance(place.value, dict):
        for number, key in enumerate(ODD_KEYS):
            joined = {**place.value, key: next(iter(place.value.values()), 0)}
            odd = Mutation("odd key", always(json.dumps(joined)))
            shown = f"{name}: another field, odd key {number}"
            make = lambda m=odd: apply(place, m)  # type: ignore[misc]  # noqa: E731
            yield Trial(place, shown, make, True, f"{place.field}|is no field of it|expected text")


# --------------------------------------------------------------------------------------- readers


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Put one fault into one file at a time; read it, and show what can be read."""
    outcome = Outcome(PROMISE)
    root = build(place / "inside")
    picture = place / "picture.png"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(picture)
    for name, shown in show(root, root, picture, everything=True):
        outcome.expect(shown is None, f"harmless {name}: {shown}")
    found = list_trials(root)
    random.Random(seed).shuffle(found)
    for number, trial in enumerate(found[:trials]):
        with outcome.trial(trial.name), replaced(trial.place.file, trial.make()):
            if attempt(trial, outcome) or number % 10 == 0:
                for name, complaint in show(root, trial.place.file, picture):
                    outcome.count(f"shown by {name}")
                    outcome.expect(complaint is None, f"{trial.name}: {name}: {complaint}")
    return outcome


def attempt(trial: Trial, outcome: Outcome) -> bool:
    """Read a file with a fault; whether it was read."""
    said = read(trial.place.file)
    if said is None:
        outcome.count("read")
        outcome.expect(not trial.refused, f"{trial.name}: was read")
    else:
        outcome.count("refused")
        check_words(said, trial, outcome)
    return said is None


def build(root: Path) -> Path:
    """Folders that hold every record: a made-up study, gold folders, an entry of the cache."""
    shutil.copytree(FOLDERS, root / "gold")
    build_whole_study(root / "whole")
    part = CachedPart(
        stamp="0" * 64,
        n=3,
        shape=(1, 8, 8),
        class_names=("a", "b"),
        fingerprint=HASH,
        notes=("A note.",),
        left_out=(LeftOutRecord(reason="no picture", count=1, example="x.txt"),),
        origin=HASH,
        preparation=PreparationRecord(fit="pad", bits=12),
        sizes=OriginalSizesRecord(distinct=2, smallest=(8, 9), middle=(9, 9), largest=(9, 12)),
        bytes={"images": 320, "labels": 152},
    )
    (root / "cache").mkdir()
    store.write(root / "cache" / CACHED, part)
    store.write(root / "cache" / UNPACKED, UnpackedArchive(left_out=part.left_out))
    study = store.read(root / "whole" / STUDY, StudyRecord)
    data = study.data.change(origin=ORIGIN, left_out=part.left_out)
    store.write(root / "whole" / STUDY, study.change(data=data))
    split = store.read(root / "whole" / SPLIT, SplitRecord)
    store.write(root / "whole" / SPLIT, split.change(left_out=part.left_out))
    verdicts = store.read(root / "whole" / "verdicts.json", LadderVerdicts)
    first, *others = verdicts.steps
    steps = (first.change(by_class=BY_CLASS), *others)
    store.write(root / "whole" / "verdicts.json", verdicts.change(steps=steps))
    known = store.read(root / "gold" / "run" / "model" / "model.json", ModelRecord)
    store.write(make_folder(root / "export") / EXPORT, make_export(known))
    kept = MirroredFile(path="a/b", sha256="0" * 64, size=9)
    store.write(make_folder(root / "kept") / MIRROR, MirrorIndex(pushes=1, bytes=9, files=(kept,)))
    explore_copies(root / "explored")
    networks = [network() for network in get_args(AnyModel)]
    for network in (*networks, EnsembleSettings(members=tuple(networks))):
        folder = make_folder(root / "networks" / network.name)
        more = {"unlike": UnlikeRecord(limit=1.0, n=9), "sets": SETS, "model": network}
        store.write(folder / "model.json", known.change(**more))
    return root


def explore_copies(folder: Path) -> None:
    """What `smallvision explore` writes of photographs, some of which occur twice, or nearly."""
    pixels = make_photographs(60)
    # More than once, as some fall into the validation part.
    pixels[10:20] = pixels[:10]
    pixels[30:40] = np.clip(pixels[20:30].astype(int) + 20, 0, 255)
    labels = np.arange(60) % 2
    explored = explore(load_data((pixels, labels)))
    explored.write(folder / "exploration")
    known = explored.record
    assert known.closer is not None
    assert known.closer.pairs.near
    left_out = (LeftOutRecord(reason="no picture", count=1, example="x.txt"),)
    source = known.closer.source.change(left_out=left_out)
    closer = known.closer.change(source=source)
    store.write(folder / "exploration" / "exploration.json", known.change(closer=closer))


def make_export(known: ModelRecord) -> ExportRecord:
    """The record of an export of a model."""
    served = known.extend(
        ServedModel,
        name="a model",
        layout="nhwc",
        weights="int8",
        members=1,
        uncertain=1.0,
        fingerprint=HASH,
        licence="MIT",
    )
    return ExportRecord(
        target="onnx",
        time="2026-11-30T12:00:00+00:00",
        source="a-run",
        model=served,
        files=("model.onnx",),
        hashes=(HASH,),
        sizes=(1000,),
        check=ExportCheck(images="validation", n=9, same_class=9, largest_difference=1e-6),
        val_before=make_rate(),
        val=make_rate(),
        loss_of_accuracy=0.0,
        notes=("A note.",),
    )


@contextmanager
def replaced(file: Path, text: str) -> Iterator[None]:
    """A file with another content; one of several lines has another first line."""
    known = file.read_bytes()
    rest = known.partition(b"\n")[2] if file.suffix == ".jsonl" else b""
    file.write_bytes(text.encode(errors="surrogatepass") + b"\n" + rest)
    try:
        yield
    finally:
        file.write_bytes(known)


def read(file: Path) -> str | None:
    """What is said against a file of records; None where it is read."""
    try:
        if file.suffix == ".jsonl":
            store.read_lines(file, ROOTS[file.name])
        else:
            store.read(file, ROOTS[file.name])
    except UserError as error:
        return str(error)
    return None


def check_words(said: str, trial: Trial, outcome: Outcome) -> None:
    """One line of plain text that names the file and what is wrong with it."""
    lowered = said.lower()
    outcome.expect(said.isprintable(), f"{trial.name}: not one line of plain text: {said!r:.200}")
    outcome.expect(len(said) < 1000, f"{trial.name}: {len(said)} characters")
    outcome.expect(str(trial.place.file) in said, f"{trial.name}: names no file: {said:.200}")
    named = any(reason.lower() in lowered for reason in trial.reason.split("|"))
    outcome.expect(named, f"{trial.name}: gives no reason: {said[-200:]}")


def show(
    root: Path, file: Path, picture: Path, *, everything: bool = False
) -> Iterator[tuple[str, str | None]]:
    """Show the folders a file belongs to; what is wrong with each answer, or None."""
    tops = [root / "whole", *(root / "gold").iterdir()]
    tops = [top for top in tops if everything or top in file.parents]
    for top in sorted(tops):
        commands: list[tuple[str | Path, ...]] = [("runs", top)]
        if (top / STUDY).exists() or (top / STATUS).exists():
            commands.append(("report", top, "--out", root / "page.html"))
        if top.parent.name == "gold" and (top / "predictions").exists():
            other = root / "gold" / ("run" if top.name != "run" else "student")
            commands.append(("compare", top, other))
        if (everything or file.name in MODEL_FILES) and top.name in ("run", "study"):
            commands.append(("classify", top, picture))
        for command in commands:
            yield str(command[0]), judge_command(command, root, harmless=everything)
        yield "python", judge_values(top, harmless=everything)


MODEL_FILES = ("model.json", "manifest.json", STATUS, STUDY)


def judge_command(arguments: tuple[str | Path, ...], root: Path, *, harmless: bool) -> str | None:
    """What is wrong with the answer of a command; None if nothing is."""
    outcome = call_command(*arguments)
    if outcome.code not in ((0,) if harmless else (0, 2)):
        return f"exit code {outcome.code}: {outcome.err[-200:]}"
    if outcome.code == 2:
        if not outcome.err.startswith("error: ") or outcome.err.count("\n") != 1:
            return f"more than one line: {outcome.err:.200}"
        if str(root) not in outcome.err:
            return f"names no file: {outcome.err:.200}"
        if "figures that no run has" in outcome.err:
            return f"read, and cannot be drawn: {outcome.err[-200:]}"
    page = root / "page.html"
    text = outcome.out + outcome.err + (page.read_text("utf-8") if page.exists() else "")
    page.unlink(missing_ok=True)
    if any(sign in text for sign in RAW):
        return "raw control characters"
    return None


def judge_values(top: Path, *, harmless: bool) -> str | None:
    """What is wrong with how values in Python show themselves; None if nothing is."""
    try:
        if (top / STATUS).exists():
            value = Run(top)
            repr((value, value._repr_html_(), value.status, value.seeds))
        for search in top.rglob(TUNE):
            repr(Tuning(search.parent))
        if (top / "test.json").exists():
            result = TestResult(store.read(top / "test.json", RECORD_FILES["test.json"]))
            repr((result, result._repr_html_()))
    except UserError as error:
        return str(error) if harmless or "\n" in str(error) else None
    return None
