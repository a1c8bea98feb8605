"""Take out one guard of the package at a time, and see whether the battery notices.

`python -m tests.battery.mutation [MODULE …]` does so for all guards of the modules in `GUARDED`, or
of some, and writes `results/mutation.json`; a second call goes on. A guard is

- an `if` that only raises: its condition becomes false;
- an `except` that turns an error into one line: it raises what it caught;
- a bound of a field (`ge`, `le`, `max_length`, `pattern` …): it is left out;
- a call of a function `check_…` or `_check_…` for its errors alone: it is not made.

Some guards stand behind another that refuses the same thing; taking out one of them alone changes
nothing that can be seen. They count as not noticed.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.abc
import importlib.util
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import smallvision

ROOT = Path(__file__).parents[2]
PACKAGE = Path(smallvision.__file__).parent
RECORD = ROOT / "results" / "mutation.json"
# Which families must notice, cheapest first.
GUARDED: dict[str, tuple[str, ...]] = {
    "records/nofollow.py": ("links",),
    "records/locks.py": ("links", "owners"),
    "records/weights.py": ("hostile", "damage", "links"),
    "records/store.py": ("hostile", "records", "damage"),
    "records/files.py": ("hostile", "disks", "links"),
    "records/nesting.py": ("bounds", "hostile"),
    "records/predictions.py": ("hostile",),
    "records/schema/base.py": ("edges", "records", "hostile"),
    "records/schema/models/saved.py": ("edges", "hostile", "records"),
    "records/schema/run.py": ("edges", "records"),
    "records/schema/study.py": ("edges", "records"),
    "records/schema/tuning.py": ("edges", "records", "searches"),
    "records/schema/settings/base.py": ("edges", "hostile", "recipes"),
    "records/schema/settings/networks.py": ("edges", "hostile", "recipes"),
    "predict/network.py": ("hostile",),
    "predict/saved_model.py": ("hostile", "damage"),
    "data/decoding/formats/gzipped.py": ("bounds",),
    "data/decoding/formats/idx.py": ("bounds",),
    "data/decoding/formats/matlab.py": ("bounds",),
    "data/decoding/formats/rows.py": ("bounds",),
    "data/decoding/formats/unpack.py": ("bounds",),
    "data/decoding/formats/zip_directory.py": ("bounds",),
    "data/decoding/image.py": ("pictures", "bounds"),
    "data/decoding/image_files.py": ("bounds",),
    "data/decoding/image_parts.py": ("bounds",),
    "data/decoding/npz_file.py": ("bounds", "hostile"),
    "data/decoding/parquet_claims.py": ("bounds", "hostile"),
    "data/decoding/parquet_file.py": ("bounds", "hostile"),
    "data/decoding/pickles.py": ("bounds", "hostile"),
    "data/decoding/pixels/avif.py": ("bounds",),
    "data/decoding/pixels/tiff.py": ("bounds",),
    "data/decoding/regular.py": ("bounds",),
    "data/decoding/tar.py": ("bounds", "hostile"),
    "data/sources/cifar.py": ("bounds", "hostile"),
    "data/sources/npz.py": ("bounds", "hostile"),
    "recipes/toml.py": ("edges", "recipes", "bounds"),
    "tuning/agreement.py": ("searches",),
    "tuning/search.py": ("searches",),
    "tuning/storage.py": ("searches",),
}
TRIALS = {
    "bounds": 400,
    "links": 80,
    "records": 2000,
    "searches": 220,
}  # more than the share of the default tests
BOUNDS = {"ge", "gt", "le", "lt", "min_length", "max_length", "pattern"}
RAISED = {"RecordError", "DataError", "SettingError", "ValueError", "RuntimeError"}
SECONDS = 900  # for a family to notice


@dataclass(frozen=True)
class Guard:
    """One guard of the package.

    Attributes:
        module: its file, from the package on.
        number: among the guards of that file.
        line: where it stands.
        kind: `if`, `except`, `bound` or `check`.
        text: what is taken out, in short.
    """

    module: str
    number: int
    line: int
    kind: str
    text: str


class Remover(ast.NodeTransformer):
    """Lists the guards of a module, and takes out one of them.

    Args:
        module: its file.
        number: of the guard to take out; -1 for none.
    """

    def __init__(self, module: str, number: int = -1) -> None:
        self.module, self.number = module, number
        self.guards: list[Guard] = []

    def note(self, node: ast.stmt | ast.expr | ast.keyword, kind: str) -> bool:
        """Enter a guard; returns whether it is the one to take out."""
        text = ast.unparse(node).split("\n")[0][:90]
        self.guards.append(Guard(self.module, len(self.guards), node.lineno, kind, text))
        return len(self.guards) - 1 == self.number

    def visit_If(self, node: ast.If) -> ast.AST:
        """An `if` that only raises."""
        self.generic_visit(node)
        if len(node.body) == 1 and raises(node.body[0]) and self.note(node, "if"):
            node.test = ast.copy_location(ast.Constant(False), node.test)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """An `except` that turns an error into one line."""
        self.generic_visit(node)
        if len(node.body) == 1 and raises(node.body[0]) and self.note(node.body[0], "except"):
            node.body = [ast.copy_location(ast.Raise(), node.body[0])]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The bounds of a field."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "Field":
            bounds = [word for word in node.keywords if word.arg in BOUNDS]
            out = [word for word in bounds if self.note(word, "bound")]
            node.keywords = [word for word in node.keywords if word not in out]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A call for its errors alone."""
        self.generic_visit(node)
        called = node.value.func if isinstance(node.value, ast.Call) else None
        name = ast.unparse(called).rpartition(".")[2] if called is not None else ""
        if name.lstrip("_").startswith("check_") and self.note(node, "check"):
            return ast.copy_location(ast.Pass(), node)
        return node


def raises(node: ast.stmt) -> bool:
    """Whether a statement raises an error that is shown in one line."""
    if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
        return False
    return ast.unparse(node.exc.func) in RAISED


def list_guards(module: str) -> list[Guard]:
    """The guards of a module, in the order in which it is read."""
    remover = Remover(module)
    remover.visit(ast.parse((PACKAGE / module).read_text(encoding="utf-8")))
    return remover.guards


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module without one of its guards."""

    def __init__(self, module: str, number: int) -> None:
        self.module, self.number = module, number
        path = Path(module)
        parts = path.parent.parts if path.name == "__init__.py" else (*path.parent.parts, path.stem)
        self.name = ".".join(("smallvision", *parts))

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Take over this module alone."""
        if name != self.name:
            return None
        place = PACKAGE / self.module
        inside = [str(place.parent)] if place.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, place, loader=self, submodule_search_locations=inside
        )

    def exec_module(self, module: ModuleType) -> None:
        """Run the module without the guard."""
        source = (PACKAGE / self.module).read_text(encoding="utf-8")
        tree = Remover(self.module, self.number).visit(ast.parse(source))
        exec(compile(ast.fix_missing_locations(tree), self.module, "exec"), vars(module))


class NoticedError(BaseException):
    """A family has found a failure; the rest of its trials would tell nothing new."""


class Failures(list[str]):
    """Failures of which the first is enough."""

    def append(self, failure: str) -> None:
        """End the family."""
        raise NoticedError(failure)


def try_without(module: str, number: int, families: Sequence[str]) -> None:
    """Run the shares of families without a guard; exit 1 and say so where one notices."""
    finder = Finder(module, number)
    assert finder.name not in sys.modules, "it was imported with all its guards"
    if number >= 0:
        sys.meta_path.insert(0, finder)
    from tests.battery import outcome
    from tests.battery.families import FAMILIES

    # Every outcome that a family makes is one that ends at the first failure.
    made = outcome.Outcome.__init__

    def make(self: Any, *arguments: Any, **options: Any) -> None:
        made(self, *arguments, **options)
        self.failures = Failures()

    outcome.Outcome.__init__ = make  # type: ignore[method-assign]
    for name in families:
        family = FAMILIES[name]
        with TemporaryDirectory() as place:
            os.environ["SMALLVISION_CACHE"] = str(Path(place) / "cache")
            try:
                (family.brief or family.run)(Path(place), TRIALS.get(name, family.share), 0)
            except NoticedError as failure:
                print(f"{name}: {failure}"[:300])
                sys.exit(1)
            except Exception as error:
                print(f"{name}: {type(error).__name__}: {error}"[:300])
                sys.exit(1)


def judge(guard: Guard, families: Sequence[str]) -> dict[str, Any]:
    """Whether a family notices that a guard is missing."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "tests.battery.mutation", "--without", guard.module]
    command += [str(guard.number), *families]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
        said = done.stdout.strip()[-300:]
        if done.returncode < 0:
            said = f"it ended by signal {-done.returncode}"
        elif done.returncode and not said:
            raise RuntimeError(
                f"{guard.module}, guard {guard.number}: {done.stderr.strip()[-300:]}"
            )
        noticed = done.returncode != 0
    except subprocess.TimeoutExpired:
        noticed, said = True, "it hung"
    seconds = round(time.perf_counter() - began, 1)
    mark = "noticed" if noticed else "NOT NOTICED"
    print(f"{mark:<12}{guard.module}:{guard.line} {guard.kind}: {guard.text}  [{said[:80]}]")
    found = {"noticed": noticed, "by": said, "seconds": seconds}
    return {**asdict(guard), **found, "source": hash_source(guard.module)}


def all_guards(wanted: Sequence[str]) -> list[tuple[Guard, tuple[str, ...]]]:
    """Every guard of the modules, with the families that must notice, in an order by chance.

    So those that were judged before the script was stopped are a fair sample of all.
    """
    pairs = [
        (guard, families)
        for module, families in GUARDED.items()
        if not wanted or module in wanted
        for guard in list_guards(module)
    ]
    random.Random(0).shuffle(pairs)
    return pairs


def hash_source(module: str) -> str:
    """What tells whether a module was changed since its guards were judged."""
    return hashlib.sha256((PACKAGE / module).read_bytes()).hexdigest()[:16]


def main() -> None:
    """Judge the guards that no earlier call judged, two at a time; keep the record."""
    if sys.argv[1:2] == ["--without"]:
        try_without(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
        return
    from tests.battery.__main__ import write_json, write_part

    judged = read_known()
    known = {(guard["module"], guard["number"]) for guard in judged}
    pending = [
        pair for pair in all_guards(sys.argv[1:]) if (pair[0].module, pair[0].number) not in known
    ]
    families = {family for _, names in pending for family in names}
    whole = Guard("records/store.py", -1, 0, "none", "nothing taken out")
    with ThreadPoolExecutor(2) as pool:
        # What fails as it is would notice anything.
        for found in pool.map(lambda family: judge(whole, [family]), sorted(families)):
            if found["noticed"]:
                sys.exit(f"a family fails with all guards in place: {found['by']}")
        for guard in pool.map(lambda pair: judge(*pair), pending):
            judged.append(guard)
            write_part("mutation", describe(write_json(RECORD, "mutation", {"guards": judged})))
    print(f"{sum(guard['noticed'] for guard in judged)} of {len(judged)} guards are covered")


def read_known() -> list[dict[str, Any]]:
    """What an earlier call found of modules that are the same still."""
    if not RECORD.exists():
        return []
    guards = json.loads(RECORD.read_text(encoding="utf-8"))["guards"]
    return [guard for guard in guards if guard["source"] == hash_source(guard["module"])]


def describe(record: dict[str, Any]) -> list[str]:
    """How many guards are covered, and which are not."""
    # Imported late: what is imported with all its guards cannot be tried without one.
    from smallvision.stats.intervals import wilson_interval

    guards, total = record["guards"], len(all_guards(()))
    missed = [guard for guard in guards if not guard["noticed"]]
    noticed = len(guards) - len(missed)
    low, high = (f"{bound:.0%}" for bound in wilson_interval(noticed, len(guards)))
    sample = ""
    if len(guards) < total:
        sample = f", drawn at random (95 % interval for all: {low} to {high})"
    lines = [
        f"{record['created'][:10]}: of {total} guards, {len(guards)} were taken out one at a time "
        f"(`make mutation`){sample}, and the battery noticed {noticed} of them.",
    ]
    if missed:
        why = (
            "Not noticed: another guard refuses the same thing, no trial is about it, or the share "
            "of the trials that was run passed it by:"
        )
        lines += ["", why, ""]
        lines += [f"- `{guard['module']}`: `{guard['text']}`" for guard in missed]
    return lines


if __name__ == "__main__":
    main()
