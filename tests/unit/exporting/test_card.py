"""The page for the Hub: what it says, that strangers' names say no more, and that its code runs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from huggingface_hub import ModelCard
from PIL import Image

from smallvision.api import evaluate, export, load_model, show
from smallvision.data.dataset import DataSet
from smallvision.exporting.card import CardFacts, write_card
from smallvision.exporting.hub import REFITTED, gather_facts
from smallvision.exporting.options import ExportOptions
from smallvision.exporting.source import ExportSource, find_source
from smallvision.records import store
from smallvision.records.schema import HubConfig
from smallvision.runs.classify import classify
from smallvision.runs.finished_run import find_validated
from smallvision.runs.refit import refit_run
from tests.support.hostile_text import NAMES, PLAIN, find_acting
from tests.support.models import FP32
from tests.support.runs import make_job, train_tiny

CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def folder(run: Path, rows: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is made for the Hub of a run that was tested twice."""
    evaluate(run, rows)
    evaluate(run, rows)
    place = tmp_path_factory.mktemp("hub") / "rows-tiny"
    export(run, to="hub", out=place, data=rows, licence="MIT")
    return place


def read_front(card: str) -> dict[str, object]:
    return yaml.safe_load(card.split("---\n")[1])


def test_the_model_is_read_again(folder: Path, run: Path, rows: DataSet) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "config.json", "export.json", "manifest.json", "model.json", "model.onnx",
        "model.safetensors",
    ]  # fmt: skip
    model, again = load_model(run, FP32), load_model(folder, FP32)
    assert again.fingerprint == model.fingerprint
    assert np.array_equal(again.predict(rows.train.images), model.predict(rows.train.images))
    config = store.read(folder / "config.json", HubConfig)
    assert config.id2label == {"0": "class 0", "1": "class 1", "2": "class 2"}
    assert (config.num_channels, config.image_size) == (1, (8, 8))


def test_the_hub_finds_the_test_result(folder: Path, run: Path, rows: DataSet) -> None:
    card = ModelCard.load(folder / "README.md")
    [result] = card.data.eval_results
    test = evaluate(run, rows).record  # the third opening, of the same figures
    assert result.metric_value == pytest.approx(test.accuracy, abs=1e-6)
    assert result.metric_args["interval"] == pytest.approx(test.interval, abs=1e-6)
    assert result.metric_args["openings"] == 2
    assert (result.metric_type, result.dataset_split) == ("accuracy", "test")
    assert "30 test images" in result.metric_name
    assert "opened twice" in result.metric_name
    assert (card.data.license, card.data.library_name) == ("mit", "smallvision")
    assert card.data.pipeline_tag == "image-classification"


def test_validation_is_said_to_be_validation(source: ExportSource) -> None:
    facts = replace(gather_facts(source, ExportOptions()), test=None)
    front = read_front(write_card(facts))
    [result] = front["model-index"][0]["results"]
    assert result["dataset"]["split"] == "validation"
    assert "it has not been tested" in result["metrics"][0]["name"]
    assert "openings" not in result["metrics"][0]["args"]
    assert "license" not in front
    unknown = write_card(replace(facts, val=None))
    assert "model-index" not in read_front(unknown)
    assert "| accuracy | not known |" in unknown


def test_the_included_model_brings_its_figures() -> None:
    """They lie beside it in the package, as does its licence."""
    included = find_source(Path("cifar10"))
    facts = gather_facts(included, ExportOptions())
    shown = show("cifar10")
    assert facts.test is not None
    assert shown.test is not None
    assert (facts.test.accuracy, facts.val) == (shown.test.accuracy, shown.val)
    front = read_front(write_card(facts))
    assert front["license"] == "mit"
    [result] = front["model-index"][0]["results"]
    assert (result["dataset"]["name"], result["dataset"]["split"]) == ("cifar10", "test")
    other = read_front(write_card(gather_facts(included, ExportOptions(licence="isc"))))
    assert other["license"] == "isc"


def test_a_licence_that_the_hub_does_not_know(source: ExportSource) -> None:
    front = read_front(write_card(gather_facts(source, ExportOptions(licence="For Anna's eyes"))))
    assert (front["license"], front["license_name"]) == ("other", "For Anna's eyes")


def run_code(card: str, folder: Path) -> list[str]:
    """Run the blocks of code one after the other beside a picture; returns the lines printed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "\n".join(CODE.findall(card))],
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def test_its_code_works(folder: Path, rows: DataSet) -> None:
    sure = load_model(folder, FP32).predict(rows.train.images).max(axis=1).argmax()
    Image.fromarray(rows.train.images[sure, 0]).save(folder / "picture.png")
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert len(CODE.findall(card)) == 3
    ours = classify(folder, [folder / "picture.png"])
    name, probability = ours.rank(0, 1)[0]
    without_torch, with_torch, plain = run_code(card, folder)
    assert without_torch == f"{name} {round(probability, 3)} False"
    assert ast.literal_eval(with_torch)[0] == (name, pytest.approx(probability, abs=1e-5))
    assert plain.startswith(name)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("channels", [1, 3])
def test_code_without_us_gives_the_graph_what_it_takes(
    source: ExportSource, layout: str, channels: int
) -> None:
    facts = gather_facts(source, ExportOptions(layout=layout))
    about = facts.about.change(shape=(channels, 8, 9))
    code = CODE.findall(write_card(replace(facts, about=about)))[2]
    fed = re.search(r'"images": (.*)}\)', code)[1]
    mode = re.search(r'convert\("(\w+)"\).resize\((.*?)\)\n', code)
    picture = Image.new(mode[1], eval(mode[2]))
    shape = (1, 8, 9, channels) if layout == "nhwc" else (1, channels, 8, 9)
    assert eval(fed, {"np": np, "picture": picture}).shape == shape


def test_a_repository_is_fetched_in_its_code(source: ExportSource) -> None:
    facts = gather_facts(source, ExportOptions(target="hub", push="anna/rows"))
    [first, *_] = CODE.findall(write_card(facts))
    assert 'folder = snapshot_download("anna/rows")' in first


MARKS = ("# a", "- b", "1. c", "| d |", "---", "```", "`e`", "[f](http://g)", "http://h", "i@j.k",
         "![l](m)", "<n>", "&amp;", "*o*", "_p_", "~~q~~", "$r$", ":s:", "'", '"', "yes", "null",
         "1e3", "{a: b}", "!!python/x", "&anchor", "*alias", "%TAG")  # fmt: skip


def spoil(facts: CardFacts, names: tuple[str, ...], text: str) -> CardFacts:
    """Facts whose names are those of a stranger."""
    about = facts.about.change(name=text[:255], class_names=names, licence=text)
    return replace(facts, about=about, data=text, notes=(text,), val=facts.val)


def test_names_say_nothing_beyond_themselves(source: ExportSource) -> None:
    names = (*NAMES, *PLAIN, *MARKS)[:1000]
    facts = gather_facts(source, ExportOptions())
    card = write_card(spoil(facts, names, "".join(names)))
    plain = write_card(facts)
    assert not find_acting(card)
    front = read_front(card)
    assert list(front) == ["license", "license_name", *list(read_front(plain))]
    assert front["model-index"][0]["name"].startswith("[/][red]x")
    text = card.split("---\n", 2)[2]
    shown = text.split("## Use")[0]
    # Outside code every mark of Markdown is behind a backslash, but for our own.
    bare = re.sub(r"\\.", "", shown)
    ours = re.sub(r"\\.", "", plain.split("---\n", 2)[2].split("## Use")[0])
    for mark in "<>[]`*_!$&@~{}#":
        assert bare.count(mark) <= ours.count(mark) + 2 * (mark == "`"), mark
    assert "http:" not in bare
    assert (
        len(shown.splitlines())
        == len(plain.split("---\n", 2)[2].split("## Use")[0].splitlines()) + 2
    )


def test_each_name_alone(source: ExportSource) -> None:
    """A name at the beginning of a line is no heading, list or rule."""
    facts = gather_facts(source, ExportOptions())
    for name in (*NAMES, *MARKS):
        card = write_card(spoil(facts, ("a", "b", "c"), name))
        assert read_front(card)["model-index"][0]["results"][0]["dataset"]["name"]
        ModelCard(card)


def test_a_refit_says_whose_figures_it_has(rows: DataSet, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train_tiny(rows, folder, epochs=1, model={"name": "linear"})
    refit_run(folder, make_job(rows, folder))
    facts = gather_facts(find_source(folder), ExportOptions())
    assert facts.notes == (REFITTED,)
    assert facts.val == find_validated(folder)[1].val


def test_a_saved_model_has_no_figures(source: ExportSource) -> None:
    facts = gather_facts(replace(source, run=None), ExportOptions())
    assert (facts.test, facts.val, facts.data) == (None, None, None)


def test_the_result_of_a_study_is_found(run: Path, rows: DataSet, source: ExportSource) -> None:
    """A result of other weights is not told as theirs."""
    facts = gather_facts(find_source(run), ExportOptions())
    assert facts.test is not None
    changed = facts.test.change(weights="sha256:" + "0" * 64)
    before = (run / "test.json").read_bytes()
    store.write(run / "test.json", changed)
    assert gather_facts(source, ExportOptions()).test is None
    (run / "test.json").write_bytes(before)
