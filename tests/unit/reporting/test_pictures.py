from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.contact_sheet import encode_webp
from smallvision.errors import RecordError
from smallvision.reporting.pictures import PNG_SIGNATURE, read_webp_size
from smallvision.reporting.reader import read_study
from smallvision.reporting.view import StudyView
from tests.support.records import edit_json

EXPLORATION = "exploration/exploration.json"
ERRORS = "runs/snapshot-ensemble/errors/errors.json"


def test_pictures_are_data_uris(whole: StudyView) -> None:
    assert whole.exploration is not None
    sheet = whole.exploration.pictures["random.png"]
    assert sheet is not None
    assert sheet.uri.startswith("data:image/png;base64,iVBOR")
    assert (sheet.width, sheet.height) == (12 * 13 - 1, 5 * 13 - 1)
    assert whole.errors is not None
    assert len(whole.errors.pictures) == 2 * 3 - 1 + 2 * 8 + 5 + 5 + 1
    assert all(whole.errors.pictures.values())


def test_sheets_are_webp_of_a_size_that_is_read_from_them(whole: StudyView) -> None:
    assert whole.errors is not None
    sheet = whole.errors.pictures["gallery.webp"]
    assert sheet is not None
    assert sheet.uri.startswith("data:image/webp;base64,UklGR")
    assert (sheet.width, sheet.height) == (12 * 13 - 1, 12 * 13 - 1)


@pytest.mark.parametrize("noise", [False, True], ids=["lossless", "lossy"])
def test_the_size_of_every_webp_that_is_written_is_read(noise: bool) -> None:
    sheet = np.full((601, 500, 4), 255, np.uint8)
    sheet[300] = 0  # as between the images of a sheet
    if noise:
        sheet[:300] = np.random.default_rng(0).integers(0, 256, (300, 500, 4))
    assert read_webp_size(encode_webp(sheet)) == (500, 601)


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", PNG_SIGNATURE * 9, b"RIFF1234WEBPVP9 " + b"0" * 30]
)
def test_other_files_have_no_size(content: bytes) -> None:
    assert read_webp_size(content) is None


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "a\\b.png", "..", ""])
def test_pictures_stay_in_their_folder(folder: Path, name: str) -> None:
    pictures = json.loads((folder / EXPLORATION).read_text())["pictures"]
    edit_json(folder / EXPLORATION, pictures=pictures | {"random": name})
    with pytest.raises(RecordError, match=r"is damaged: 'pictures\.random' is"):
        read_study(folder)


def test_pictures_of_errors_stay_in_their_folder(whole_copy: Path) -> None:
    worst = json.loads((whole_copy / ERRORS).read_text())["worst"]
    edit_json(whole_copy / ERRORS, worst=[worst[0] | {"saliency": "../../../secret.png"}])
    with pytest.raises(RecordError, match=r"is damaged: 'worst\.0\.saliency' is"):
        read_study(whole_copy)


def test_pictures_are_no_links(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key")
    (folder / "exploration/random.png").unlink()
    (folder / "exploration/random.png").symlink_to(secret)
    with pytest.raises(RecordError, match=r"random\.png is a link"):
        read_study(folder)


def test_pictures_are_pictures(folder: Path) -> None:
    (folder / "exploration/random.png").write_text("<svg onload='alert(1)'/>")
    with pytest.raises(RecordError, match=r"random\.png is not a PNG picture"):
        read_study(folder)


def test_lost_pictures_are_named(whole_copy: Path) -> None:
    (whole_copy / ERRORS).with_name("pair-0.png").unlink()
    study = read_study(whole_copy)
    (line,) = study.missing
    assert line.startswith("errors/pair-0.png is missing")
    assert study.errors is not None
    assert study.errors.pictures["pair-0.png"] is None


def test_many_lost_pictures_are_one_line(folder: Path) -> None:
    for picture in (folder / "exploration").glob("*.png"):
        picture.unlink()
    (line,) = read_study(folder).missing
    assert line == "exploration/random.png and 8 other pictures are missing."
