"""What the server gives its page, and what it takes from it; `test_page_in_browser.py` opens it."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from smallvision.records.schema.measures import Rate
from smallvision.reporting.page import TEMPLATES
from smallvision.serving.app import build_app
from smallvision.serving.page import COLOURS, FILES, OPEN, POLICY
from smallvision.serving.runner import Runner
from smallvision.serving.wire.gate import ServerState
from smallvision.serving.wire.limits import ServerLimits
from smallvision.serving.wire.metrics import ServerMetrics
from smallvision.serving.workers import Workers
from tests.support.page import Page
from tests.support.served import FINGERPRINT, describe_served, make_picture, write_served

CLASSES = ("cat", "and/or", "..", "\u202eeslaf")
OWN = {"X-Smallvision-Page": "1"}


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    folder = tmp_path_factory.mktemp("model")
    return Runner(write_served(folder / "model.onnx", describe_served(CLASSES, (3, 8, 8))))


def open_page(
    runner: Runner, keep: Path | None = None, *, val: Rate | None = None, **limits: Any
) -> TestClient:
    bounds, metrics = ServerLimits(**limits), ServerMetrics()
    workers = Workers(runner, bounds, metrics, 1)
    state = ServerState(phase="ready")
    return TestClient(build_app(workers, bounds, state, metrics, val=val, keep=keep))


def keep_picture(client: TestClient, content: bytes = b"", **changes: Any) -> Any:
    asked = {"class": "0", "model": FINGERPRINT} | changes.pop("params", {})
    told = OWN | changes.pop("headers", {})
    return client.post("/page/keep", params=asked, headers=told, content=content or make_picture(1))


def test_every_file_is_sent_with_a_strict_policy_and_needs_no_other(runner: Runner) -> None:
    client = open_page(runner)
    for path, (place, kind) in OPEN.items():
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.content == place.read_bytes()
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY
    assert "http:" not in POLICY
    assert POLICY.startswith("default-src 'none'; ")


def test_the_page_is_whole_and_has_nothing_inline() -> None:
    page = Page((FILES / "page.html").read_text(encoding="utf-8"))
    assert page.problems == []
    assert not page.find("style")
    assert [script.attributes.get("src") for script in page.find("script")] == ["page/page.js"]
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
    used = {e.attributes.get("src") or e.attributes.get("href") for e in page.elements} - {None}
    assert {place for place in used if place and not place.startswith("#")} == {
        path.removeprefix("/") for path in OPEN if path != "/"
    }


def test_nothing_in_the_files_leads_elsewhere() -> None:
    namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
    for place, _ in OPEN.values():
        text = place.read_text(encoding="utf-8")
        assert set(re.findall(r"\bhttps?://[^\s\"'`]+", text)) <= namespaces
        assert "innerHTML" not in text
        assert "@import" not in text


def test_its_colours_and_type_are_those_of_the_report() -> None:
    shared = set(re.findall(r"^  (--[a-z]+):", COLOURS.read_text(encoding="utf-8"), re.M))
    assert len(shared) > 10
    for page in (FILES / "page.css", TEMPLATES / "page.css"):
        text = page.read_text(encoding="utf-8")
        assert not shared & set(re.findall(r"(--[a-z]+):", text)), "they would stand twice"
        assert set(re.findall(r"var\((--[a-z]+)", text)) & shared


def test_the_model_is_told_as_people_read_it(runner: Runner, tmp_path: Path) -> None:
    told = open_page(runner).get("/page/model").json()
    assert told == {
        "name": "rows",
        "fingerprint": FINGERPRINT,
        "classes": [
            {"name": "cat", "shown": "cat"},
            {"name": "and/or", "shown": "and/or"},
            {"name": "..", "shown": ".."},
            {"name": "\u202eeslaf", "shown": "\\u202eeslaf"},
        ],
        "images": "8 × 8 pixels, colour",
        "accuracy": None,
        "unlike": "cannot be told from others by this model",
        "licence": "MIT",
        "keeps": False,
        "most_bytes": 16_000_000,
    }
    assert open_page(runner, tmp_path).get("/page/model").json()["keeps"] is True


def test_the_accuracy_is_told_where_it_is_known(runner: Runner) -> None:
    val = Rate(accuracy=0.9314, interval=(0.924, 0.938), n=5000, loss=0.2)
    assert open_page(runner, val=val).get("/page/model").json()["accuracy"] == (
        "93.1 % of 5,000 validation images (95 % interval 92.4–93.8 %)"
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_as_the_model_sees_it(tmp_path: Path, channels: int) -> None:
    about = describe_served(CLASSES, (channels, 8, 10))
    runner = Runner(write_served(tmp_path / "model.onnx", about))
    content = make_picture(3, "JPEG")
    answer = open_page(runner).post("/page/seen", content=content)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store"
    seen = np.asarray(Image.open(BytesIO(answer.content)))
    expected = runner.read(content)[0].transpose(1, 2, 0)
    assert np.array_equal(seen, expected if channels == 3 else expected[:, :, 0])


@pytest.mark.parametrize("content", [b"\0", b"GIF89a", b"<svg/>", make_picture(1)[:100]])
def test_what_is_no_picture_is_a_problem_of_one_sentence(
    runner: Runner, tmp_path: Path, content: bytes
) -> None:
    client = open_page(runner, tmp_path)
    query = f"class=0&model={FINGERPRINT}"
    for path in ("/page/seen", f"/page/keep?{query}"):
        answer = client.post(path, content=content, headers=OWN)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].startswith("the picture ")
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_is_too_large_is_a_problem(runner: Runner, tmp_path: Path) -> None:
    client = open_page(runner, tmp_path, picture_bytes=100)
    for path in ("/page/seen", f"/page/keep?class=0&model={FINGERPRINT}"):
        answer = client.post(path, content=make_picture(1), headers=OWN)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/page/model").json()["most_bytes"] == 100
    assert list(tmp_path.iterdir()) == []


def test_the_page_is_counted_among_what_waits(runner: Runner, tmp_path: Path) -> None:
    client = open_page(runner, tmp_path, waiting=-1)
    for path in ("/page/seen", f"/page/keep?class=0&model={FINGERPRINT}"):
        answer = client.post(path, content=make_picture(1), headers=OWN)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
    assert list(tmp_path.iterdir()) == []


def test_a_correction_is_kept_under_its_class(runner: Runner, tmp_path: Path) -> None:
    client = open_page(runner, tmp_path / "kept")
    for number, place in enumerate(("cat", "and%2For", "%2E%2E", "%E2%80%AEeslaf")):
        answer = keep_picture(client, params={"class": str(number)})
        assert answer.status_code == 201
        assert answer.json() == {"kept": f"{place}/001.png"}
        assert (tmp_path / "kept" / place / "001.png").read_bytes() == make_picture(1)
    assert keep_picture(client).json() == {"kept": "cat/002.png"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


def test_nothing_is_kept_unless_a_folder_is_named(runner: Runner) -> None:
    assert keep_picture(open_page(runner)).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_other_sites_cannot_keep_pictures(
    runner: Runner, tmp_path: Path, headers: dict[str, str]
) -> None:
    client = open_page(runner, tmp_path)
    assert keep_picture(client, headers=headers).status_code == 403
    answer = client.post(
        f"/page/keep?class=0&model={FINGERPRINT}",
        content=make_picture(1),
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 403
    assert list(tmp_path.iterdir()) == []
    assert keep_picture(client, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 201


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"class": "4"}, 422),
        ({"class": "-1"}, 422),
        ({"class": "٣"}, 422),
        ({"class": "9" * 5000}, 422),
        ({"class": "cat"}, 422),
        ({"class": ""}, 422),
        ({"model": "sha256:other"}, 409),
        ({"model": ""}, 409),
    ],
)
def test_a_class_or_a_model_that_is_not_served(
    runner: Runner, tmp_path: Path, params: dict[str, str], status: int
) -> None:
    answer = keep_picture(open_page(runner, tmp_path), params=params)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_take_a_picture_is_told_without_its_path(
    runner: Runner, tmp_path: Path
) -> None:
    client = open_page(runner, tmp_path / "kept")
    (tmp_path / "kept" / "cat").symlink_to(tmp_path)
    answer = keep_picture(client)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "cat is a link or no folder; remove it"
