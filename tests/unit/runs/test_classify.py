"""Picture files outside any data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smallvision.api import train
from smallvision.data.dataset import DataSet
from smallvision.errors import DataError, RecordError
from smallvision.records import store
from smallvision.runs.classify import classify
from tests.support.images import make_images
from tests.support.records import make_study_record

Call = Callable[..., Any]


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


def test_the_command(run: Path, tmp_path: Path, smallvision: Call) -> None:
    labels = save_pictures(tmp_path / "pictures")
    done = smallvision("classify", run, tmp_path / "pictures", "--json")
    assert done.code == 0, done.err
    pictures = json.loads(done.out)["pictures"]
    assert [next(iter(one["probabilities"])) for one in pictures] == [f"class {k}" for k in labels]
    assert "certainty" in done.err
