"""Searches that were tampered with: rows of the database, its file, its schema, odd URLs."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from smallvision.errors import UserError
from smallvision.records import store
from smallvision.records.layout import TUNE
from smallvision.records.schema import TuningRecord
from smallvision.tuning.search import check_storage
from smallvision.tuning.storage import DATABASE, JOURNAL_OF_SEVERAL
from tests.battery.outcome import Outcome
from tests.support.images import make_dataset
from tests.support.tuning import read_decisions, tune_tiny

PROMISE = (
    "What a search's database, its record and the runs of its trials do not agree on is named in "
    "one line, and nothing is lost; a database from a stranger runs nothing and reaches no file "
    "outside; an odd storage URL is one line that never shows a password."
)
TRIALS, EPOCHS = 5, 4  # of the search; 0 and 2 ran to the end, 1, 3 and 4 were pruned
SECRET = "s3cr-et"

Harm = Callable[[Path], str | None]  # to a folder; the URL that is to be tried, if not that
Case = tuple[str, Harm, str]


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Draw as many of the cases, or all; then flip random bits of the database, one a trial."""
    outcome, draw, original = Outcome(PROMISE), random.Random(seed), place / "original"
    go_on = partial(tune_tiny, make_dataset(), trials=TRIALS, epochs=EPOCHS)
    whole = read_decisions(go_on(original))
    go_on(original)  # if this were refused, no case could fail
    victim = place / "victim"
    victim.write_text("as it was", encoding="utf-8")
    cases = [*list_cells(), *list_files(victim), *list_disagreements(), *list_urls(place)]
    for name, harm, reason in draw.sample(cases, min(trials, len(cases))):
        folder = place / "tampered"
        shutil.copytree(original, folder)
        url = harm(folder)
        before = read_records(folder)
        with outcome.trial(name):
            act = partial(check_storage, url) if url is not None else partial(go_on, folder)
            refused = explain_refusal(act)
            outcome.expect(reason in refused, f"{name}: {refused!r} does not say {reason!r}")
            outcome.expect(len(refused.splitlines()) == 1, f"{name}: more than one line")
            outcome.expect(SECRET not in refused, f"{name}: shows the password")
        outcome.expect(read_records(folder) == before, f"{name}: records were changed")
        untouched = victim.exists() and victim.read_text() == "as it was"
        outcome.expect(untouched, f"{name}: reached a file outside")
        victim.write_text("as it was", encoding="utf-8")
        shutil.rmtree(folder)
    for number in range(trials - outcome.trials):
        folder = place / "flipped"
        shutil.copytree(original, folder)
        where = flip(folder / DATABASE, draw)
        with outcome.trial(f"{number}: bit {where} flipped"):
            try:
                record = go_on(folder)
            except UserError as error:
                outcome.count("flipped bits that were refused")
                outcome.expect(len(str(error).splitlines()) == 1, f"bit {where}: two lines")
            else:
                same = read_decisions(record) == whole
                outcome.expect(same, f"bit {where}: another search was believed")
        shutil.rmtree(folder)
    return outcome


def explain_refusal(act: Callable[[], object]) -> str:
    """The one line of a refusal; what was accepted says so."""
    try:
        act()
    except UserError as error:
        return str(error)
    return "(it was accepted)"


def read_records(folder: Path) -> dict[str, bytes]:
    """All that a search has found, beside its database."""
    files = [folder / TUNE, *sorted((folder / "trials").rglob("*.json*"))]
    return {str(path): path.read_bytes() for path in files if path.exists()}


def flip(path: Path, draw: random.Random) -> int:
    """Flip one bit of a file; returns which."""
    content = bytearray(path.read_bytes())
    bit = draw.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    return bit


def alter(*statements: str) -> Harm:
    """Run SQL in the database of a folder."""

    def harm(folder: Path) -> None:
        with closing(sqlite3.connect(folder / DATABASE)) as database:
            for statement in statements:
                done = database.execute(statement)
                # One that touches no row is no harm, and its case could not fail.
                assert done.rowcount != 0, statement
            database.commit()

    return harm


def set_outcome(trial: int, **changes: Any) -> Harm:
    """Change fields of the outcome of a trial; those that become `...` are removed."""

    def harm(folder: Path) -> None:
        with closing(sqlite3.connect(folder / DATABASE)) as database:
            where = f"where trial_id = {trial + 1} and key = 'result'"
            (text,) = database.execute(
                f"select value_json from trial_user_attributes {where}"
            ).fetchone()
            fields = {k: v for k, v in (json.loads(text) | changes).items() if v is not ...}
            database.execute(
                f"update trial_user_attributes set value_json = ? {where}", [json.dumps(fields)]
            )
            database.commit()

    return harm


def all_of(*harms: Harm) -> Harm:
    """Several harms as one."""

    def harm(folder: Path) -> None:
        for one in harms:
            one(folder)

    return harm


def list_cells() -> Iterator[Case]:
    """Cells of the tables that nobody could have written: the name, the harm, the reason."""
    foreign = "did not write"
    for text in ("nonsense", "{", "[]", "1", "null", '"x"', "NaN", '{"a"' + ":[" * 5_000):
        quoted = text.replace("'", "''")
        yield (
            f"outcome {text[:20]}",
            alter(
                f"update trial_user_attributes set value_json = '{quoted}' "
                "where trial_id = 2 and key = 'result'"
            ),
            foreign,
        )
    bad: dict[str, tuple[Any, ...]] = {
        "state": (..., "lost", None, 1, ["complete"], True),
        "accuracy": (..., "0.9", True, -0.1, 1.1, 1e308, float("nan"), float("inf"), [0.5], {}),
        "epochs": (..., -1, 1.5, "2", True, 10**30, float("nan"), None),
        "seconds": (..., -1.0, "2", True, float("nan"), float("inf"), None),
        "note": (..., 1, ["x"], True),
        "number": (7,),
        "extra": (1,),
    }
    for field, values in bad.items():
        for value in values:
            yield f"outcome with {field} {value!r}", set_outcome(2, **{field: value}), foreign
    yield "failed, with an accuracy", set_outcome(1, state="failed"), "as trial 1"
    yield "complete, without an accuracy", set_outcome(2, accuracy=None), "as trial 2"
    yield "more epochs than a trial has", set_outcome(2, epochs=5), "5 epochs, of 4"
    yield "an outcome of another state", set_outcome(1, state="complete"), "its state is PRUNED"
    yield (
        "no outcome",
        alter("delete from trial_user_attributes where trial_id = 3 and key = 'result'"),
        "without an outcome",
    )
    for what, statement, reason in (
        ("value", "update trial_values set value = 0.5 where trial_id = 3", "its value is"),
        ("value none", "delete from trial_values where trial_id = 3", "its value is"),
        ("value null", "update trial_values set value = null where trial_id = 3", foreign),
        ("value infinite", "update trial_values set value_type = 'INF_POS', value = null", foreign),
        ("value text", "update trial_values set value = 'much' where trial_id = 3", "its value is"),
        ("value kind", "update trial_values set value_type = 'MUCH' where trial_id = 3", "MUCH"),
        ("value place", "update trial_values set objective = 7 where trial_id = 3", foreign),
        ("value of pruned", "update trial_values set value = 1 where trial_id = 2", "its value is"),
        ("state pruned", "update trials set state = 'PRUNED' where number = 2", "its state is"),
        ("state fail", "update trials set state = 'FAIL' where number = 2", "its state is"),
        ("state unknown", "update trials set state = 'DONE' where number = 2", "DONE"),
        ("number", "update trials set number = 9 where number = 2", "its number is 3"),
        ("number null", "update trials set number = null where number = 2", foreign),
        ("number twice", "update trials set number = 2 where number = 3", "its number is 4"),
        ("date", "update trials set datetime_start = 'soon' where number = 2", "soon"),
        ("setting removed", "delete from trial_params where param_id = 12", "each setting"),
        (
            "setting unknown",
            "update trial_params set param_name = 'x' where param_id = 12",
            "'x' is not searched",
        ),
        (
            "setting null",
            "update trial_params set param_value = null where param_id = 12",
            "weight_decay is None",
        ),
        ("setting low", "update trial_params set param_value = -1 where param_id = 11", "lr is -1"),
        ("setting high", "update trial_params set param_value = 9 where param_id = 11", "lr is 9"),
        ("setting text", "update trial_params set param_value = 'x' where param_id = 11", "x"),
        ("choice beyond", "update trial_params set param_value = 3 where param_id = 15", "index"),
        ("choice before", "update trial_params set param_value = -9 where param_id = 15", "index"),
        (
            "range",
            "update trial_params set distribution_json = "
            "replace(distribution_json, '0.004', '0.001') where param_id = 11",
            "another range",
        ),
        (
            "kind of range",
            "update trial_params set distribution_json = "
            "replace(distribution_json, 'Float', 'Int') where param_id = 11",
            foreign,
        ),
        (
            "choices",
            "update trial_params set distribution_json = "
            "replace(distribution_json, '32', '64') where param_id = 15",
            "batch_size is 64",
        ),
        (
            "class of range",
            "update trial_params set distribution_json = "
            "replace(distribution_json, 'FloatDistribution', 'os.system') where param_id = 11",
            foreign,
        ),
        (
            "range no JSON",
            "update trial_params set distribution_json = 'x' where param_id = 11",
            foreign,
        ),
        (
            "accuracy of an epoch",
            "update trial_intermediate_values set intermediate_value = 0.123 "
            "where trial_id = 3 and step = 4",
            "after epoch 4",
        ),
        (
            "accuracy of an epoch beyond 1",
            "update trial_intermediate_values set intermediate_value = 2 "
            "where trial_id = 3 and step = 4",
            "after epoch 4 is 2",
        ),
        (
            "accuracy of an epoch that is no number",
            "update trial_intermediate_values set intermediate_value = null, "
            "intermediate_value_type = 'NAN' where trial_id = 3 and step = 4",
            "after epoch 4 is nan",
        ),
        (
            "an epoch removed",
            "delete from trial_intermediate_values where trial_id = 3 and step = 4",
            "after epoch 4",
        ),
        (
            "an epoch beyond the last",
            "update trial_intermediate_values set step = 99 where trial_id = 3 and step = 4",
            "after epoch 99",
        ),
        (
            "what the pruner compares",
            "update trial_system_attributes set value_json = '0.99' "
            "where trial_id = 3 and key = 'completed_rung_0'",
            "no epoch reached",
        ),
        (
            "what the pruner compares, no number",
            "update trial_system_attributes set value_json = '\"x\"' "
            "where trial_id = 3 and key = 'completed_rung_0'",
            "no epoch reached",
        ),
        (
            "values of the first trial",
            "update trial_params set param_value = 0.05 where param_id = 1",
            "not the recipe's own",
        ),
        (
            "another direction",
            "update study_directions set direction = 'MINIMIZE'",
            "maximise",
        ),
        ("no direction", "delete from study_directions", "maximise"),
        (
            "a later version of the tables",
            "update alembic_version set version_num = 'v99.0.0.a'",
            "updating optuna",
        ),
        (
            "an older version of the tables",
            "update alembic_version set version_num = 'v2.6.0.a'",
            "upgrading the storage",
        ),
    ):
        yield what, alter(statement), reason


def list_disagreements() -> Iterator[Case]:
    """Each place is possible in itself; the places disagree."""
    raised = all_of(
        set_outcome(2, accuracy=0.25),
        alter("update trial_values set value = 0.25 where trial_id = 3"),
    )
    yield "an accuracy", raised, "disagree on trial 2: accuracy is 1.0 in the first and 0.25"
    yield "a time", set_outcome(2, seconds=1.25), "disagree on trial 2: seconds"
    yield "a note", set_outcome(1, note="-"), "disagree on trial 1: note"
    yield (
        "a setting within its range",
        alter("update trial_params set param_value = 0.05 where param_id = 11"),
        "disagree on trial 2: values",
    )
    yield (
        "an accuracy, here and in the record",
        all_of(raised, partial(edit_record, 2, accuracy=0.25)),
        "trials/002/status.json and",
    )
    yield (
        "a setting, here and in the record",
        all_of(
            alter("update trial_params set param_value = 0.05 where param_id = 11"),
            partial(edit_record, 2, values={"optimizer.lr": 0.05}),
        ),
        "trials/002/recipe.toml has other settings",
    )
    yield (
        "pruned later, here and in the record",
        all_of(set_outcome(1, epochs=2), partial(edit_record, 1, epochs=2)),
        "trials/001/metrics.jsonl and",
    )
    yield "an accuracy, in the record alone", partial(edit_record, 2, accuracy=0.5), "disagree"
    yield (
        "a trial that never ended",
        alter("update trials set state = 'RUNNING' where number = 4"),
        "lacks trial 4",
    )
    yield (
        "the last trial removed",
        alter("delete from trials where number = 4"),
        "lacks trial 4",
    )
    yield "no trials", alter("delete from trials"), "lacks trial 0"
    yield "another search", alter("update studies set study_name = 'x'"), "lacks trial 0"
    yield "a trial of nobody", invent, "of which neither"
    yield "no record", lambda folder: (folder / TUNE).unlink(), "is missing, and"


def edit_record(trial: int, folder: Path, **changes: Any) -> None:
    """Change fields of a trial in `tune.json`, and its sum."""
    record = store.read(folder / TUNE, TuningRecord)
    trials = list(record.trials)
    if "values" in changes:
        changes = {**changes, "values": {**trials[trial].values, **changes["values"]}}
    trials[trial] = trials[trial].change(**changes)
    store.write(folder / TUNE, record.change(trials=tuple(trials)))


def invent(folder: Path) -> None:
    """Enter a copy of trial 2 as trial 5."""
    columns = {
        "trial_params": "param_name, param_value, distribution_json",
        "trial_values": "objective, value, value_type",
        "trial_user_attributes": "key, value_json",
        "trial_intermediate_values": "step, intermediate_value, intermediate_value_type",
    }
    alter(
        "insert into trials (trial_id, number, study_id, state) values (6, 5, 1, 'COMPLETE')",
        *(
            f"insert into {table} (trial_id, {names}) select 6, {names} from {table} "
            "where trial_id = 3"
            for table, names in columns.items()
        ),
    )(folder)


def list_files(victim: Path) -> Iterator[Case]:
    """Files that are no database of a search, or no file."""

    def replace(make: Callable[[Path], object], end: str = "") -> Harm:
        def harm(folder: Path) -> None:
            path = folder / f"{DATABASE}{end}"
            path.unlink(missing_ok=True)
            make(path)

        return harm

    def cut(folder: Path) -> None:
        os.truncate(folder / DATABASE, (folder / DATABASE).stat().st_size // 2)

    def empty_page(folder: Path) -> None:
        with (folder / DATABASE).open("r+b") as file:
            file.seek(3 * 4096)
            file.write(bytes(4096))

    def move_behind_link(folder: Path) -> None:
        target = folder.parent / "elsewhere.sqlite3"
        shutil.move(folder / DATABASE, target)
        (folder / DATABASE).symlink_to(target)

    def make_giant(path: Path) -> None:
        path.touch()
        os.truncate(path, 10**12)

    for end in ("", "-journal", "-wal", "-shm"):
        for what, make, reason in (
            ("a link", lambda path: path.symlink_to(victim), "is a link"),
            ("a link to nothing", lambda path: path.symlink_to("/nowhere/at/all"), "is a link"),
            ("a pipe", os.mkfifo, "no regular file"),
            ("a folder", Path.mkdir, "no regular file"),
            ("a link to a device", lambda path: path.symlink_to("/dev/zero"), "is a link"),
        ):
            yield f"{DATABASE}{end} is {what}", replace(make, end), reason
        yield f"{DATABASE}{end} is a giant", replace(make_giant, end), "at most"
    yield "behind a link", move_behind_link, "is a link"
    yield "empty", replace(Path.touch), "lacks trial 0"
    yield "text", replace(lambda path: path.write_bytes(b"no database" * 1000)), "not a database"
    yield "missing", lambda folder: (folder / DATABASE).unlink(), "lacks trial 0"
    yield "cut in half", cut, "malformed"
    yield "an empty page", empty_page, "is damaged"
    yield (
        "a journal that names a file to delete",
        lambda folder: write_journal(folder / f"{DATABASE}-journal", victim),
        "names another file",
    )
    for table, reason in (
        ("trials", "lacks trial 0"),
        ("trial_params", "each setting"),
        ("trial_values", "its value is None"),
        ("trial_user_attributes", "without an outcome"),
        ("trial_intermediate_values", "no epoch reached"),
        ("studies", "does not exist"),
        ("study_directions", "maximise"),
    ):
        yield f"no table {table}", alter_schema(f"drop table {table}"), reason
    endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select x from c"
    for what, statements in {
        "view trials": ("drop table trials", f"create view trials as {endless}"),
        "view more": (f"create view more as {endless}",),
        "trigger t": (
            f"create trigger t after update on trials begin insert into studies {endless}; end",
        ),
        "table found": ("create virtual table found using fts5(x)",),
        "column trials.big": (
            "alter table trials add column big generated always as (zeroblob(900000000))",
        ),
    }.items():
        kind, _, name = what.partition(" ")
        yield f"a {what}", alter_schema(*statements), f"the {kind} {name!r}"


def alter_schema(*statements: str) -> Harm:
    """Run SQL that defines things, which touches no row."""

    def harm(folder: Path) -> None:
        with closing(sqlite3.connect(folder / DATABASE)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    return harm


def write_journal(path: Path, victim: Path) -> None:
    """A journal of an interrupted transaction over several databases: what ends it is deleted."""
    size, page = 4096, path.with_name(DATABASE).read_bytes()[:4096]
    nonce, total = 7, len(path.with_name(DATABASE).read_bytes()) // 4096
    header = JOURNAL_OF_SEVERAL + struct.pack(">5I", 1, nonce, total, 512, size)
    checksum = nonce + sum(page[i] for i in range(size - 200, 0, -200))
    name = os.fsencode(victim.absolute())
    path.write_bytes(
        header.ljust(512, b"\0")
        + struct.pack(">I", 1)
        + page
        + struct.pack(">I", checksum)
        + struct.pack(">I", 0x40000000 // size + 1)
        + name
        + struct.pack(">II", len(name), sum(name))
        + JOURNAL_OF_SEVERAL
    )


def list_urls(place: Path) -> Iterator[Case]:
    """Odd storage URLs, and why each is refused."""
    for url, reason in spell_urls(place):
        yield f"URL {url!r:.80}", partial(name_url, url), reason


def name_url(url: str, _: Path) -> str:
    """Harm nothing, and try a URL."""
    return url


def spell_urls(place: Path) -> Iterator[tuple[str, str]]:
    """The URLs; `place` is where files for them are made."""
    with closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    folder, pipe, text = place / "folder", place / "pipe", place / "text"
    folder.mkdir()
    os.mkfifo(pipe)
    text.write_text("no database" * 1000, encoding="utf-8")
    unknown = "is no kind of database"
    yield "", "it has no scheme"
    yield "nonsense", "it has no scheme"
    yield "tune.sqlite3", "it has no scheme"
    yield f"{place}/journal.log", "it has no scheme"
    yield "sqlite:/one-slash.sqlite3", "it has no scheme"
    yield "://host/x", unknown
    yield "foo://host/x", unknown
    yield "SQLITE:///x.sqlite3", unknown
    yield "mysql+evil://user@host/x", unknown
    yield "sqlite+os.system:///x", unknown
    yield "sqlite+pysqlcipher:///x", unknown
    yield "sqlite+aiosqlite:///x", unknown
    yield "journal:///x.log", unknown
    yield "redis://localhost", unknown
    yield f"redis://:{SECRET}@localhost", unknown
    yield "file:///x.sqlite3", unknown
    yield "http://localhost/x", unknown
    yield f"user:{SECRET}@host://x", unknown
    yield "postgres://host/x", "did you mean 'postgresql'?"
    yield "sqlite://", "takes the path of a file"
    yield "sqlite:///", "takes the path of a file"
    yield "sqlite:///:memory:", "takes the path of a file"
    yield "sqlite:///file:x?mode=memory&uri=true", "takes the path of a file"
    yield f"sqlite:///{place}/x.sqlite3?vfs=unix-none", "takes the path of a file"
    yield f"sqlite://host/{place}/x.sqlite3", "takes the path of a file"
    yield f"sqlite:///{place}/absent/x.sqlite3", "absent is no folder"
    unreached = "Connection refused" if find_spec("psycopg") else "No module named"
    yield f"sqlite:///{text}/x.sqlite3", "is no folder"
    yield f"sqlite:///{folder}", "is no regular file"
    yield f"sqlite:///{pipe}", "is no regular file"
    yield "sqlite:////dev/zero", "is no regular file"
    yield f"sqlite:///{text}", "not a database"
    yield f"sqlite:///{place}/line\nbreak", "cannot be printed"
    yield f"sqlite:///{place}/nul\0", "cannot be printed"
    yield f"sqlite:///{place}/\u202e", "cannot be printed"
    yield f"sqlite:///{place}/{'x' * 300}", "name too long"
    yield f"sqlite:///{'x' * 10**6}", "longer than"
    yield f"postgresql://user:{SECRET}@host:port/x", "port a number"
    yield f"postgresql://user:a@{SECRET}:b@host/x", "more than one @"
    yield f"postgresql://user:{SECRET}@127.0.0.1:{port}/x", unreached
    yield f"postgresql+pg8000://user:{SECRET}@127.0.0.1:{port}/x", "No module named"
    yield f"mysql://user:{SECRET}@127.0.0.1:{port}/x", "No module named"
    yield f"mysql+pymysql://127.0.0.1:{port}/x?password={SECRET}", "No module named"
    yield "postgresql://user%0a@127.0.0.1:1/x%zz", unreached
