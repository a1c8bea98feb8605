"""Picture files outside any data set."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from smallvision.api import train
from smallvision.cli.render.classification import shorten_set
from smallvision.data.dataset import DataSet
from smallvision.errors import DataError, RecordError, SettingError
from smallvision.predict import SavedModel, load_model
from smallvision.records import store
from smallvision.records.schema import PredictionSetsRecord, UnlikeRecord
from smallvision.runs import classify as module
from smallvision.runs.classify import classify
from tests.support.commands import assert_refused
from tests.support.images import make_images
from tests.support.records import make_study_record

Call = Callable[..., Any]
ANSWERED = {"file", "probabilities", "unlike", "energy"}


@pytest.fixture
def run(dataset: DataSet, tmp_path: Path) -> Path:
    settings = ["epochs=8", "model.hidden=[16]", "compute.threads=1", "optimizer.lr=0.05"]
    return train(dataset, "mlp", settings=settings, out=tmp_path / "run").folder


def save_pictures(folder: Path, count: int = 6) -> list[int]:
    """Pictures like those the run was trained on; returns their classes."""
    folder.mkdir()
    rows = make_images(count, seed=5)
    for number, image in enumerate(rows.images):
        Image.fromarray(image[0]).save(folder / f"{number}.png")
    return rows.labels.tolist()


def test_files_and_folders_are_classified_as_arrays_are(run: Path, tmp_path: Path) -> None:
    labels = save_pictures(tmp_path / "pictures")
    found = classify(run, [tmp_path / "pictures", tmp_path / "pictures" / "0.png"])
    assert [path.name for path in found.paths] == [f"{n}.png" for n in [*range(6), 0]]
    assert found.probabilities[:6].argmax(axis=1).tolist() == labels
    assert np.array_equal(found.probabilities[6], found.probabilities[0])
    assert found.notes == ()
    ranked = found.rank(1, 3)
    assert ranked[0][0] == f"class {labels[1]}"
    assert [p for _, p in ranked] == sorted((p for _, p in ranked), reverse=True)
    assert sum(p for _, p in ranked) == pytest.approx(1, abs=1e-5)
    of_the_model = classify(run / "model", [tmp_path / "pictures"])
    assert np.array_equal(of_the_model.probabilities, found.probabilities[:6])


def test_other_sizes_and_colours_are_brought_to_the_model_s(run: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 20), "red").save(tmp_path / "red.bmp")
    found = classify(run, [tmp_path / "red.bmp"])
    assert found.probabilities.shape == (1, 3)
    assert any("resized and cropped to 8x8" in note for note in found.notes)
    assert any("made grey" in note for note in found.notes)


def test_images_in_memory_are_classified_as_files_are(run: Path, tmp_path: Path) -> None:
    """One conversion serves `predict`, `classify` and the loading of data."""
    save_pictures(tmp_path / "pictures")
    wanted = classify(run, [tmp_path / "pictures"]).probabilities
    images = make_images(6, seed=5).images
    opened = [Image.open(tmp_path / "pictures" / f"{n}.png") for n in range(6)]
    model = load_model(run / "model")
    for form in (
        images,
        images[:, 0],
        images.transpose(0, 2, 3, 1),
        images.astype(np.int64),
        images / 255,
        images * 1.0,
        images.tolist(),
        list(images),
        torch.tensor(images),
        torch.tensor(images / 255, dtype=torch.float32, requires_grad=True),
        opened,
        np.array([*opened, None], object)[:-1],
        images.reshape(6, 64),
    ):
        assert np.array_equal(model.predict(form), wanted)
        found = classify(model, form)
        assert np.array_equal(found.probabilities, wanted)
        assert [path.name for path in found.paths] == [*"012345"]
    for one in (images[0], images[0, 0], images[0].transpose(1, 2, 0), opened[0]):
        assert np.array_equal(model.predict(one), model.predict(images[:1]))
        assert len(classify(model, one).paths) == 1
    one_file = classify(model, tmp_path / "pictures" / "0.png")
    assert np.allclose(one_file.probabilities, wanted[:1])


def test_images_of_another_size_are_resized_by_classify_alone(run: Path) -> None:
    model = load_model(run / "model")
    other = np.random.default_rng(0).integers(0, 256, (5, 3, 20, 30), dtype=np.uint8)
    for images in (other, list(other), [Image.fromarray(one[0]) for one in other]):
        found = classify(model, images)
        assert found.probabilities.shape == (5, 3)
        assert any("to 8x8 pixels" in note for note in found.notes)
        with pytest.raises(DataError, match=r"sv.classify\(model, images\) resizes them"):
            model.predict(images)
    assert classify(model, other[0].transpose(1, 2, 0)).probabilities.shape == (1, 3)


def test_bad_images_in_memory_are_named_and_the_rest_answered(run: Path) -> None:
    images = [*make_images(3, seed=5).images, None, np.full((8, 8), np.nan)]
    found = classify(run, images)
    assert [path.name for path in found.paths] == ["0", "1", "2"]
    assert found.notes[-1].startswith("2 images could not be read (images, number 3 is missing")
    with pytest.raises(DataError, match="images, number 3 is missing"):
        load_model(run / "model").predict(images)
    with pytest.raises(DataError, match="images, number 0 is missing"):
        classify(run, [None])


def test_values_of_16_bits_have_the_depth_of_the_training_images(run: Path) -> None:
    """A picture of 12 bits alone does not show that its set had 16."""
    images = make_images(6, seed=5).images
    model = replace(load_model(run / "model"), bits=12)
    deep = images.astype(np.uint16) * 16
    for form in (deep, list(deep), deep // 4 * 4):
        assert np.array_equal(model.predict(form), model.predict(images))
    assert np.array_equal(model.predict(deep // 2), model.predict(images // 2))
    assert np.array_equal(
        replace(model, bits=16).predict(images.astype(np.uint16)), model.predict(images)
    )
    beyond = np.full((1, 1, 8, 8), 5000, np.uint16)
    assert np.array_equal(model.predict(beyond), model.predict(np.full_like(images[:1], 255)))


def test_a_study_answers_by_its_winner(run: Path, tmp_path: Path) -> None:
    save_pictures(tmp_path / "pictures")
    study = tmp_path / "study"
    (study / "runs").mkdir(parents=True)
    run.rename(study / "runs" / "mlp")
    store.write(study / "study.json", make_study_record())
    with pytest.raises(RecordError, match="no winner yet"):
        classify(study, [tmp_path / "pictures"])
    store.write(study / "study.json", make_study_record(best="mlp"))
    assert len(classify(study, [tmp_path / "pictures"]).paths) == 6


def test_what_is_no_picture_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    for place, said in (("text.png", "no PNG"), ("empty", "holds no images"), ("absent", "absent")):
        with pytest.raises(DataError, match=said):
            classify(run, [tmp_path / place])


def test_a_bad_file_keeps_no_other_from_its_answer(run: Path, tmp_path: Path) -> None:
    save_pictures(tmp_path / "pictures")
    (tmp_path / "pictures" / "2.png").write_text("no picture")
    found = classify(run, [tmp_path / "pictures", tmp_path / "absent"])
    assert [path.name for path in found.paths] == ["0.png", "1.png", "3.png", "4.png", "5.png"]
    assert [path.name for path, _ in found.errors] == ["2.png", "absent"]
    assert "no PNG" in found.errors[0][1]


def test_answers_come_while_pictures_are_read(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_pictures(tmp_path / "pictures")
    monkeypatch.setattr(module, "BATCH", 2)
    read: list[Path] = []
    load = module.load_picture
    monkeypatch.setattr(
        module, "load_picture", lambda path, side: (read.append(path), load(path, side))[1]
    )
    model = module.find_classifier(run)
    changes = module.PictureChanges(module.find_preparation(model))
    answers = module.answer_pictures(model, [tmp_path / "pictures"], changes)
    next(answers)
    assert len(read) <= 4, "a batch is read while one is answered, and no more"
    assert len(list(answers)) == 5
    assert changes.total == 6


def test_the_command(run: Path, tmp_path: Path, smallvision: Call) -> None:
    labels = save_pictures(tmp_path / "pictures")
    done = smallvision("classify", run, tmp_path / "pictures", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert list(told) == ["schema", "model", "pictures", "notes"]
    pictures = told["pictures"]
    assert [next(iter(one["probabilities"])) for one in pictures] == [f"class {k}" for k in labels]
    assert [len(one["probabilities"]) for one in pictures] == [3] * 6
    assert "certainty" in done.err
    assert all(f"class {k} 2 33.3 %" in done.words for k in range(3)), "counts of the classes"


def test_unreadable_files_are_marked_and_have_a_code(
    run: Path, tmp_path: Path, smallvision: Call
) -> None:
    save_pictures(tmp_path / "pictures")
    bad = tmp_path / "pictures" / "2.png"
    bad.write_text("no picture")
    done = smallvision("classify", run, tmp_path / "pictures", "--json", "--top", "1")
    assert done.code == 3
    marked = json.loads(done.out)["pictures"]
    assert [set(one) for one in marked] == [
        {"file", "error"} if number == 2 else ANSWERED for number in range(6)
    ]
    assert all(len(one.get("probabilities", "x")) == 1 for one in marked)
    assert f"cannot be read: {bad}" in done.err
    assert "1 of 6 files could not be read" in done.err
    none = smallvision("classify", run, bad)
    assert (none.code, none.out.count("error"), none.err.count("error")) == (2, 0, 1)


def test_one_line_of_json_a_picture(run: Path, tmp_path: Path, smallvision: Call) -> None:
    save_pictures(tmp_path / "pictures")
    done = smallvision("classify", run, tmp_path / "pictures", "--jsonl")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [set(line) for line in lines] == [ANSWERED] * 6
    both = smallvision("classify", run, tmp_path / "pictures", "--jsonl", "--json")
    assert (both.code, "name one of them" in both.err) == (2, True)


def test_folders_named_like_classes_tell_the_accuracy(
    run: Path, tmp_path: Path, smallvision: Call
) -> None:
    labels = save_pictures(tmp_path / "pictures")
    for number, label in enumerate(labels):
        folder = tmp_path / "sorted" / f"class {label if number else (label + 1) % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / f"{number}.png").rename(folder / f"{number}.png")
    told = smallvision("classify", run, tmp_path / "sorted").words
    assert "Accuracy: 83.3 % on 6 pictures" in told
    (tmp_path / "sorted").rename(tmp_path / "renamed")
    for folder in list((tmp_path / "renamed").iterdir()):
        folder.rename(folder.with_name(f"x{folder.name[-1]}"))
    assert "Accuracy" not in smallvision("classify", run, tmp_path / "renamed").out


def test_unsure_pictures_have_no_class(run: Path, tmp_path: Path, smallvision: Call) -> None:
    save_pictures(tmp_path / "pictures")
    done = smallvision("classify", run, tmp_path / "pictures", "--json", "--min-confidence", "1")
    assert [one["class"] for one in json.loads(done.out)["pictures"]] == [None] * 6
    assert "unsure" in done.err


def test_a_table_for_spreadsheets(
    run: Path, tmp_path: Path, smallvision: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = save_pictures(tmp_path / "=1+1")
    (tmp_path / "=1+1" / "3.png").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    done = smallvision("classify", run, "=1+1", "--csv", "table.csv", "--top", "2")
    assert done.code == 3
    with (tmp_path / "table.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["file", "class", "probability", "class_2", "probability_2", "unlike", "error"]
    assert [row[0] for row in rows] == [f"'=1+1/{n}.png" for n in range(6)], "no cell is computed"
    answered = [label for number, label in enumerate(labels) if number != 3]
    assert [row[1] for row in rows if row[1]] == [f"class {label}" for label in answered]
    assert [row[5] for row in rows] == [*["false"] * 3, "", *["false"] * 2]
    assert "no PNG" in rows[3][6]


@pytest.fixture
def doubtful(run: Path) -> SavedModel:
    """The model, for which the dimmer half of the pictures of `save_pictures` are unlike."""
    model = load_model(run / "model")
    energies = model.answer(make_images(6, seed=5).images).energies
    return replace(model, unlike=UnlikeRecord(limit=float(np.sort(energies)[2]), n=9))


def save_doubtful(doubtful: SavedModel, folder: Path) -> Path:
    """A saved model with prediction sets of all classes for one error rate, of one for another."""
    sets = PredictionSetsRecord(error_rates=(0.1, 0.2), least_probabilities=(0.0, 1.0), n=9)
    replace(doubtful, sets=sets).save(folder)
    return folder


def test_pictures_beyond_the_limit_are_unlike(doubtful: SavedModel, tmp_path: Path) -> None:
    save_pictures(tmp_path / "pictures")
    found = classify(doubtful, tmp_path / "pictures")
    assert found.unlike is not None
    assert doubtful.unlike is not None
    assert found.unlike.sum() == 3
    assert np.array_equal(found.unlike, found.energies > doubtful.unlike.limit)
    in_memory = classify(doubtful, make_images(6, seed=5).images)
    assert np.array_equal(in_memory.energies, found.energies)
    assert np.array_equal(in_memory.unlike, found.unlike)
    alone = classify(doubtful, tmp_path / "pictures" / "4.png")
    assert alone.unlike == found.unlike[4:5], "each picture is judged by itself"


def test_a_model_without_a_limit_cannot_tell(doubtful: SavedModel) -> None:
    images = make_images(6, seed=5).images
    found = classify(replace(doubtful, unlike=None), images)
    assert found.unlike is None
    assert np.array_equal(found.energies, classify(doubtful, images).energies)


def test_a_run_keeps_a_limit_and_prediction_sets(run: Path) -> None:
    model = load_model(run / "model")
    assert model.unlike is not None
    assert model.sets is not None
    assert model.sets.n == model.unlike.n == 24
    found = classify(run, make_images(200, seed=6).images)
    assert found.unlike is not None
    assert found.unlike.mean() < 0.3
    sizes = [[len(one) for one in found.sets(rate)] for rate in (0.01, 0.1, 0.2)]
    assert set(sizes[0]) == {3}, "24 images are too few for an error rate of 1 %"
    assert max(sizes[2]) <= max(sizes[1]) <= 3
    noise = classify(run, np.random.default_rng(0).integers(0, 256, (200, 8, 8), np.uint8))
    assert noise.unlike is not None
    assert noise.unlike.mean() > 0.5


def test_sets_of_classes(doubtful: SavedModel, tmp_path: Path) -> None:
    folder = save_doubtful(doubtful, tmp_path / "model")
    found = classify(folder, make_images(6, seed=5).images)
    assert found.sets(0.2) == [(found.rank(number, 1)[0][0],) for number in range(6)]
    ranked = [tuple(name for name, _ in found.rank(number, 3)) for number in range(6)]
    assert found.sets(0.1) == ranked, "the most probable class comes first"
    with pytest.raises(SettingError, match=r"error rate of 0.05; name 0.1 or 0.2"):
        found.sets(0.05)
    with pytest.raises(SettingError, match="has no prediction sets"):
        classify(replace(doubtful, sets=None), make_images(1).images).sets(0.1)


def test_the_command_marks_unlike_pictures(
    doubtful: SavedModel, tmp_path: Path, smallvision: Call
) -> None:
    save_pictures(tmp_path / "pictures")
    folder = save_doubtful(doubtful, tmp_path / "model")
    found = classify(folder, tmp_path / "pictures")
    assert found.unlike is not None
    done = smallvision("classify", folder, tmp_path / "pictures", "--json")
    pictures = done.json["pictures"]
    assert [one["unlike"] for one in pictures] == found.unlike.tolist()
    assert [one["energy"] for one in pictures] == pytest.approx(found.energies.tolist(), abs=1e-6)
    marked = [line for line in done.err.splitlines() if line.rstrip().endswith(" unlike")]
    assert [f"{number}.png" in line for number, line in zip(
        np.flatnonzero(found.unlike), marked, strict=True
    )] == [True] * 3  # fmt: skip
    assert "Unlike what the model was trained on: 3 of 6 pictures" in done.words
    table = tmp_path / "table.csv"
    smallvision("classify", folder, tmp_path / "pictures", "--csv", table)
    told = [row["unlike"] for row in csv.DictReader(table.read_text().splitlines())]
    assert told == [str(one).lower() for one in found.unlike.tolist()]


def test_the_command_says_once_where_it_cannot_tell(
    doubtful: SavedModel, tmp_path: Path, smallvision: Call
) -> None:
    save_pictures(tmp_path / "pictures")
    replace(doubtful, unlike=None, sets=None).save(tmp_path / "old")
    table = tmp_path / "table.csv"
    call = ("classify", tmp_path / "old", tmp_path / "pictures")
    done = smallvision(*call, "--json", "--csv", table)
    assert [one["unlike"] for one in done.json["pictures"]] == [None] * 6
    assert all(isinstance(one["energy"], float) for one in done.json["pictures"])
    assert done.err.count("cannot tell which pictures are unlike") == 1
    assert "cannot tell which pictures are unlike" in done.json["notes"][0]
    assert [row["unlike"] for row in csv.DictReader(table.read_text().splitlines())] == [""] * 6
    assert_refused(smallvision(*call, "--sets", "0.1"), "the model has no prediction sets")


def test_the_command_tells_sets(doubtful: SavedModel, tmp_path: Path, smallvision: Call) -> None:
    save_pictures(tmp_path / "pictures")
    (tmp_path / "pictures" / "2.png").write_text("no picture")
    folder, table = save_doubtful(doubtful, tmp_path / "model"), tmp_path / "table.csv"
    sets = classify(folder, tmp_path / "pictures").sets(0.1)
    call = ("classify", folder, tmp_path / "pictures", "--sets", "0.1", "--csv", table)
    done = smallvision(*call, "--json")
    pictures = done.json["pictures"]
    assert [tuple(one["set"]) for one in pictures if "set" in one] == sets
    assert ["set" in one for one in pictures] == [True, True, False, True, True, True]
    first, second, third = sets[0]
    assert f"{first}, {second} or {third}" in done.words
    assert "at least 90 % have a set with the right class" in done.words
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["set"] for row in rows if row["set"]] == [" or ".join(one) for one in sets]
    assert "no PNG" in rows[2]["error"]
    lines = [json.loads(line) for line in smallvision(*call, "--jsonl").out.splitlines()]
    assert [tuple(line["set"]) for line in lines if "set" in line] == sets
    for rate, said in (("0.3", "error rate of 0.3; name 0.1 or 0.2"), ("nan", "name 0.1 or 0.2")):
        assert_refused(smallvision(*call[:3], "--sets", rate), said)


def test_a_long_set_is_told_by_its_first_classes() -> None:
    assert shorten_set(["cat"]) == "cat"
    assert shorten_set(["cat", "dog"]) == "cat or dog"
    assert shorten_set([*"abcd"]) == "a, b, c or d"
    assert shorten_set([*"abcde"]) == "a, b, c or 2 more"
