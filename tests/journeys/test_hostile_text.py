"""A stranger's records whose texts a terminal or a browser would obey: every command shows them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smallvision.cli.output import say_json
from smallvision.reporting import draw_report
from smallvision.text import show_name, show_text
from tests.support.commands import Outcome, assert_refused
from tests.support.comparisons import write_finished_run
from tests.support.hostile_text import NAMES, STYLE, find_acting, list_texts, taint
from tests.support.models import NORMED, edit_model, make_model
from tests.support.page import Page
from tests.support.record_files import RECORD_FILES, read_records, write_records
from tests.support.runs import make_recipe
from tests.support.study_folder import WHOLE, build_whole_study

Call = Callable[..., Outcome]
ACTS = "".join(name for name in NAMES if "\0" not in name and "/" not in name)  # a file's name
LINE = ACTS.replace("\n", "").translate({ord(one): None for one in "{}"}).replace("'", "")


@pytest.fixture(params=["pipe", "terminal"])
def call(
    request: pytest.FixtureRequest, smallvision: Call, monkeypatch: pytest.MonkeyPatch
) -> Call:
    """Call the command in a pipe, and in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    if request.param == "terminal":
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")

    def run(*arguments: str | Path, code: int = 0) -> Outcome:
        outcome = smallvision(*arguments)
        assert outcome.code == code, outcome.err
        assert not find_acting(outcome.out)
        assert not find_acting(outcome.err)
        return outcome

    return run


def join(outcome: Outcome) -> str:
    """All that a command printed, without style and without spaces: tables fold long names."""
    return "".join(STYLE.sub("", outcome.words).split())


def spoil_folder(folder: Path, names: Collection[str]) -> None:
    """Put text that acts into every free field of all records of a study, which stay readable.

    Args:
        folder: the study.
        names: of classes and rungs, which stay, as a record names by them what is in another.
    """

    def change(said: str) -> str:
        return said if said in names else f"{said}{''.join(NAMES)}"

    places = [path for path in sorted(folder.rglob("*.json*")) if path.name in RECORD_FILES]
    spoilt = set()
    for path in places:
        plain = read_records(path)
        records = taint(plain, change)
        write_records(path, records)
        assert read_records(path) == records
        texts = zip(list_texts(plain), list_texts(records), strict=True)
        spoilt |= {place for (place, before), (_, after) in texts if before != after}
    assert {path.name for path in places} >= {"study.json", "status.json", "test.json"}
    assert len(spoilt) > 20, sorted(spoilt)
    for path in folder.rglob("recipe.toml"):
        with path.open("a", encoding="utf-8") as file:
            file.write("# \u202e\u2066 </code></pre><script>alert(1)</script>\n")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of the whole ladder in a folder that acts, with a class for each such name."""
    folder = build_whole_study(tmp_path_factory.mktemp("hostile") / f"study{ACTS}"[:80], NAMES)
    spoil_folder(folder, {*NAMES, *(rung.name for rung in WHOLE)})
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two finished runs in folders that act."""
    rng, recipe = np.random.default_rng(0), make_recipe()
    return [
        write_finished_run(
            tmp_path / f"{number}{ACTS}"[:80],
            rng.random(200) < 0.8,
            recipe.model_copy(update={"epochs": number}),
            notes=tuple(NAMES),
            stopped="".join(NAMES),
        )
        for number in (3, 4)
    ]


def test_runs(call: Call, study: Path) -> None:
    said = call("runs", study.parent)
    assert r"[red]x\x1b[2J" in join(said)


def test_report(call: Call, study: Path, tmp_path: Path) -> None:
    for folder in (study, study / "runs" / "tuned", study / "runs" / "wrn-aug-mish"):
        out = tmp_path / f"{ACTS}.html"[-80:]
        assert call("report", folder, "--out", out).out == f"{show_text(str(out))}\n"
        html = out.read_text(encoding="utf-8")
        assert not find_acting(html)
        page = Page(html)
        assert page.problems == []
        assert not [one for one in page.elements if "onload" in one.attributes]
        assert "alert(" not in "".join(one.attributes.get("src", "") for one in page.elements)


def test_the_page_shows_every_class(study: Path) -> None:
    text = Page(draw_report(study).html).text.replace("\u00a0", " ")
    for name in NAMES:
        assert show_name(name) in text
    assert "{{7*7}}" in text


def test_compare(call: Call, runs: list[Path]) -> None:
    said = call("compare", *runs)
    assert r"3[red]x\x1b[2J" in join(said)
    [group, _] = call("compare", *runs, "--json").json["groups"]
    assert Path(group["runs"][0]).name in {run.name for run in runs}


def test_explore(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names = [f"[/]{ACTS}"[:80], f"[red]x[/red] {ACTS}"[:80]]
    for name in names:
        folder = tmp_path / "pictures" / name
        folder.mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    out = tmp_path / f"out{ACTS}"[:80]
    said = call("explore", tmp_path / "pictures", "--out", out)
    page = Page(Path("explorations", "pictures.html").read_text(encoding="utf-8"))
    assert not page.problems
    assert not find_acting(page.text)
    assert r"x\x1b[2J" in join(said)
    assert f"in {show_text(str(out))}\n" in said.out


def test_show(call: Call, tmp_path: Path) -> None:
    model = tmp_path / f"model{ACTS}"[:80]
    make_model(0, NORMED).save(model)
    names = ["[red]x", ":smile:", "\x1b[2J"]
    edit_model(model, class_names=names)
    said = call("show", model)
    assert r"classes3:[red]x,:smile:,\x1b[2J" in join(said)
    assert call("show", model, "--json").json["class_names"] == names


def test_track(call: Call, runs: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="pip install 'smallvision[tensorboard]' brings it")
    said = call("track", runs[0], "--to", "tensorboard", "--dir", tmp_path / f"out{ACTS}"[:80])
    assert r"3[red]x\x1b[2J" in join(said)


def test_classify(call: Call, tmp_path: Path) -> None:
    model = tmp_path / "model"
    make_model(0, NORMED).save(model)
    names = ["[red]x", ":smile:", "\x1b[2J"]
    edit_model(model, class_names=names)
    picture = tmp_path / f"{ACTS}.png"[-80:]
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(picture)
    said = call("classify", model, picture)
    assert sum(show_text(name) in join(said) for name in names) >= 2
    read = call("classify", model, picture, "--json")
    assert read.out.isascii()
    [found] = read.json["pictures"]
    assert found["file"] == str(picture)
    assert set(found["probabilities"]) == set(names)


def test_doctor(call: Call, tmp_path: Path) -> None:
    place = tmp_path / f"data{ACTS}"[:80]
    (place / "cifar-10-batches-py").mkdir(parents=True)
    assert "data: cifar10" in call("doctor", "--data-dir", place).words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", f"missing{ACTS}"], "is neither a study nor a run"),
        (["train", "digits", f"no recipe{ACTS}"], "unknown recipe"),
        (["train", "digits", "mlp", "--set", f"a{LINE}=1"], "unknown setting"),
        (["train", "digits", "mlp", "--set", f"model.name='{LINE}'"], "model.name"),
        (["train", "digits", "mlp", "--set", f"epochs={LINE}"], "epochs"),
        (["study", "digits", "--rungs", ACTS], "unknown"),
        (["study", "digits", "--preset", ACTS], "preset"),
        (["recipes", ACTS], "unknown recipe"),
        (["evaluate", "run", "--on", ACTS], "there is no --on"),
        (["tune", "digits", "mlp", "--budget", ACTS], "is no time"),
        (["tune", "digits", "mlp", "--storage", f"{LINE}://x"], "storage"),
        (["explore", f"missing{ACTS}"], "missing"),
        (["runs", ".", f"--{ACTS}"], "no such option"),
        ([f"--{ACTS}"], "no such option"),
        ([ACTS], "no such command"),
    ],
    ids=lambda words: " ".join(words)[:16] if isinstance(words, list) else "",
)
def test_errors(call: Call, tmp_path: Path, arguments: list[str], said: str) -> None:
    out = ["--out", tmp_path / "out"] if arguments[0] in ("train", "tune", "study") else []
    outcome = call(*arguments, *out, code=2)
    assert_refused(outcome, said)
    if "--storage" not in arguments:  # an URL may hold a password, so it is not quoted
        assert r"\x1b[2J" in outcome.err


def test_a_damaged_record_is_quoted_with_escapes(call: Call, study: Path, tmp_path: Path) -> None:
    run = study / "runs" / "mlp"
    status = json.loads((run / "status.json").read_text(encoding="utf-8"))
    copy = tmp_path / "run"
    copy.mkdir()
    for changes in ({"gap": "\x1b[2J\u202e"}, {"\x1b[2J\u202e": 1}):
        fields = {name: one for name, one in status.items() if name != "sum"} | changes
        (copy / "status.json").write_text(json.dumps(fields), encoding="utf-8")
        assert_refused(call("report", copy, code=2), "x1b")


def test_an_error_may_quote_a_recipe(call: Call, tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    for text in ('epochs = "\\u001b[2J\\u202e"', '"\\u001b[2J" = 1'):
        recipe.write_text(text, encoding="utf-8")
        outcome = call("train", "digits", recipe, "--out", tmp_path / "out", code=2)
        assert "x1b" in outcome.err


def test_json_is_ascii_and_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    say_json(list(NAMES))
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert not find_acting(printed)
    assert json.loads(printed) == list(NAMES)


PROBE = """
import sys, warnings
from unittest.mock import patch
sys.argv[:] = ["smallvision", "doctor"]
from smallvision.cli import main
class Odd(Exception): pass
def fail(*_, **__):
    warnings.warn("warned \\x1b[2J\\u202e")
    raise Odd("failed \\x1b[2J\\u202e")
with patch.object(main, "app", fail):
    main.main()
"""


def test_what_python_itself_prints_is_shown_with_escapes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, env=os.environ, encoding="utf-8"
    )
    assert done.returncode == 1
    assert not find_acting(done.stderr)
    assert r"UserWarning: warned \x1b[2J\u202e" in done.stderr
    assert r"Odd: failed \x1b[2J\u202e" in done.stderr
    assert "Traceback" in done.stderr
