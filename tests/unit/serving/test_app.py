"""What the server answers: the same as the saved model, and problem documents for the rest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from smallvision.predict import SavedModel
from smallvision.runs.classify import classify
from tests.support.serving import (
    BOUNDARY,
    FINGERPRINT,
    LiveServer,
    Reply,
    make_form,
    serve_model,
)
from tests.support.sources import encode_picture

RNG = np.random.default_rng(0)
TOKEN = "a-token-of-24-characters"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def make_picture(height: int = 8, width: int = 8, kind: str = "PNG") -> bytes:
    """A picture of noise over a gradient, so that not all look the same when reduced."""
    ramp = np.linspace(0, 200, width)[None, :, None] * RNG.random(3)
    pixels = ramp + RNG.integers(0, 50, (height, width, 3))
    return encode_picture(pixels.astype(np.uint8), kind)


PICTURES = {
    "same size": make_picture(),
    "wide": make_picture(30, 90),
    "photograph": make_picture(200, 150, "JPEG"),
    "tiny": make_picture(3, 2, "BMP"),
    "large": make_picture(1100, 1000),  # which a thread of its own answers
}


def assert_problem(reply: Reply, status: int, said: str) -> None:
    """Check that a reply is a problem document that says something."""
    assert reply.status == status, reply.body
    assert reply.headers["content-type"] == "application/problem+json"
    assert set(reply.json) == {"type", "title", "status", "detail"}
    assert reply.json["status"] == status
    assert said in reply.json["detail"]


@pytest.mark.parametrize("name", PICTURES)
def test_answers_are_those_of_classify(
    name: str, server: LiveServer, linear: SavedModel, tmp_path: Path
) -> None:
    path = tmp_path / "picture"
    path.write_bytes(PICTURES[name])
    expected = classify(linear, path)
    reply = server.classify(PICTURES[name])
    assert reply.status == 200
    assert {k: v for k, v in reply.json.items() if k != "pictures"} == {
        "schema": 1,
        "model": "linear",
    }
    [found] = reply.json["pictures"]
    assert set(found) == {"file", "class", "probabilities", "unlike"}
    shares = [found["probabilities"][name] for name in expected.class_names]
    np.testing.assert_allclose(shares, expected.probabilities[0], atol=1e-5)
    assert [*found["probabilities"]] == [name for name, _ in expected.rank(0, 4)]
    assert found["class"] == expected.rank(0, 1)[0][0]


def test_unlike_pictures_are_told(server: LiveServer, linear: SavedModel) -> None:
    """The limit lies between the energies of these two."""
    told = []
    for value in (0, 255):
        pixels = np.full((1, 3, 8, 8), value, np.uint8)
        assert linear.unlike is not None
        expected = bool(linear.answer(pixels).energies[0] > linear.unlike.limit)
        picture = encode_picture(pixels[0].transpose(1, 2, 0))
        [found] = server.classify(picture).json["pictures"]
        assert found["unlike"] is expected
        told.append(expected)
    assert sorted(told) == [False, True]


def test_top_and_set(server: LiveServer) -> None:
    everything = server.classify(PICTURES["wide"]).json["pictures"][0]["probabilities"]
    [found] = server.classify(PICTURES["wide"], query="?top=2&set=0.1").json["pictures"]
    assert [*found["probabilities"]] == [*everything][:2]
    assert found["set"] == [name for name, share in everything.items() if share >= 0.2]
    assert len(found["set"]) > 1


def test_several_pictures_are_answered_in_order_and_bad_ones_marked(server: LiveServer) -> None:
    reply = server.classify_form(
        ("one.png", PICTURES["wide"]), ("two.txt", b"no picture"), ("three.png", PICTURES["tiny"])
    )
    first, second, third = reply.json["pictures"]
    assert [first["file"], second["file"], third["file"]] == ["one.png", "two.txt", "three.png"]
    alone = [server.classify(PICTURES[name]).json["pictures"][0] for name in ("wide", "tiny")]
    assert [first["probabilities"], third["probabilities"]] == [
        found["probabilities"] for found in alone
    ]
    assert set(second) == {"file", "error"}
    assert second["error"].startswith("two.txt is no PNG")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\\\windows\\\\cat.png", "cat.png"),
        ("чат.png", "чат.png"),
        ("a\x1b[2Jb.png", "a\x1b[2Jb.png"),
        ("", "file"),
        ("../", "picture 1"),
        ("x" * 500, "x" * 255),
    ],
)
def test_names_are_those_of_files_and_reach_no_terminal_raw(
    sent: str, shown: str, server: LiveServer
) -> None:
    reply = server.classify_form((sent, PICTURES["tiny"]))
    assert reply.json["pictures"][0]["file"] == shown
    assert b"\x1b" not in reply.body
    refused = server.classify_form((sent, b"no picture"))
    assert_problem(refused, 422, "is no PNG")
    assert b"\x1b" not in refused.body
    assert "\x1b" not in refused.json["detail"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/v1/model", "/nothing"])
def test_head_is_get_without_the_body(path: str, server: LiveServer) -> None:
    """Balancers and `curl --head` ask so; RFC 9110 wants it of every server."""
    whole, head = server.ask("GET", path), server.ask("HEAD", path)
    assert (head.status, head.body) == (whole.status, b"")
    assert head.headers["content-length"] == str(len(whole.body))


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/nothing", 404, "Not Found"),
        ("GET", "/v1/classify", 405, "Method Not Allowed"),
        ("DELETE", "/v1/model", 405, "Method Not Allowed"),
        ("POST", "/v1/classify?top=0", 422, "top: "),
        ("POST", "/v1/classify?top=many", 422, "top: "),
        ("POST", "/v1/classify?set=0.3", 422, "error rate of 0.3; name 0.1"),
        ("POST", "/v1/classify?set=nan", 422, "set"),
    ],
)
def test_wrong_questions(
    method: str, path: str, status: int, said: str, server: LiveServer
) -> None:
    body = PICTURES["tiny"] if method == "POST" else None
    reply = server.ask(method, path, body, {"Content-Type": "image/png"} if body else {})
    assert_problem(reply, status, said)
    assert ("allow" in reply.headers) == (status == 405)


@pytest.mark.parametrize(
    ("kind", "body", "status", "said"),
    [
        ("text/plain", b"cat", 415, "text/plain is not read here"),
        ("application/x-www-form-urlencoded", b"a=b", 415, "Content-Type image/jpeg"),
        ("", b"cat", 415, "no type is not read here"),
        ("image/png", b"", 400, "the body is empty"),
        ("image/png", b"no picture", 422, "picture is no PNG"),
        ("multipart/form-data", make_form([("a", b"b")]), 400, "boundary"),
        (f"multipart/form-data; boundary={'b' * 71}", b"--b--", 400, "1 to 70 characters"),
        ("multipart/form-data; boundary=another", make_form([("a", b"b")]), 400, "its boundary"),
        (FORM, make_form([]), 400, "holds no file"),
        (FORM, make_form([("a", b"b")])[:-8], 400, "ends before its last boundary"),
        (FORM, make_form([("a", b"b")] * 101), 413, "at most 100 pictures"),
        ("image/png", bytes(16_000_001), 413, "16,000,000 bytes"),
        (FORM, make_form([("a", bytes(16_000_001))]), 413, "a picture has more than 16,000,000"),
        (FORM, make_form([("a", bytes(15_999_999))] * 5), 413, "64,000,000 bytes"),
    ],
)
def test_wrong_bodies(kind: str, body: bytes, status: int, said: str, server: LiveServer) -> None:
    assert_problem(server.classify(body, kind), status, said)
    assert server.classify(PICTURES["tiny"]).status == 200


def test_packed_bodies_are_refused(server: LiveServer) -> None:
    told = {"Content-Type": "image/png", "Content-Encoding": "gzip"}
    reply = server.ask("POST", "/v1/classify", PICTURES["tiny"], told)
    assert_problem(reply, 415, "Content-Encoding gzip")


def test_the_model_is_described(server: LiveServer) -> None:
    about = server.ask("GET", "/v1/model").json
    assert about["name"] == "linear"
    assert about["class_names"] == ["0", "1", "2", "3"]
    assert about["shape"] == [3, 8, 8]
    assert (about["licence"], about["fingerprint"]) == ("MIT", FINGERPRINT)
    assert (about["accuracy"], about["unlike"], about["error_rates"]) == (None, True, [0.1])


def test_openapi_describes_every_answer_with_an_example(server: LiveServer) -> None:
    told = server.ask("GET", "/openapi.json").json
    classify = told["paths"]["/v1/classify"]["post"]
    assert {"image/png", "multipart/form-data"} <= set(classify["requestBody"]["content"])
    assert {"200", "400", "408", "411", "413", "415", "422", "503"} <= set(classify["responses"])
    for status, answer in classify["responses"].items():
        if status != "200":
            example = answer["content"]["application/problem+json"]["example"]
            assert example["status"] == int(status)
    example = told["components"]["schemas"]["ClassifiedPictures"]["example"]
    found = server.classify_form(("a.png", PICTURES["tiny"]), ("b", b"no picture")).json
    assert [set(one) for one in example["pictures"]] == [set(one) for one in found["pictures"]]
    assert "/v1/model" in told["paths"]


def test_no_answer_names_the_server_and_all_are_guarded(server: LiveServer) -> None:
    for path in ("/healthz", "/nothing", "/v1/model", "/metrics"):
        headers = server.ask("GET", path).headers
        assert "server" not in headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert not [name for name in headers if name.startswith("access-control")]


def test_pages_of_other_sites_may_not_ask(server: LiveServer) -> None:
    told = {"Content-Type": "image/png", "Sec-Fetch-Site": "cross-site"}
    reply = server.ask("POST", "/v1/classify", PICTURES["tiny"], told)
    assert_problem(reply, 403, "other sites")
    own = told | {"Sec-Fetch-Site": "same-origin"}
    assert server.ask("POST", "/v1/classify", PICTURES["tiny"], own).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:80", 421),
        ("192.0.2.1", 421),
        ("", 421),
    ],
)
def test_only_names_of_this_machine_are_answered(
    host: str, status: int, server: LiveServer
) -> None:
    assert server.ask("GET", "/v1/model", headers={"Host": host}).status == status


def test_behind_a_proxy_a_token_stands_for_the_name(onnx_file: Path) -> None:
    with serve_model(onnx_file, token=TOKEN) as live:
        headers = {"Host": "shop.example", "Authorization": f"Bearer {TOKEN}"}
        assert live.ask("GET", "/v1/model", headers=headers).status == 200


def test_what_was_asked_is_counted(onnx_file: Path) -> None:
    with serve_model(onnx_file) as live:
        live.classify(PICTURES["tiny"])
        live.classify_form(("a", PICTURES["tiny"]), ("b", b"no picture"))
        live.ask("GET", "/secret/path")
        shown = live.ask("GET", "/metrics").body.decode()
    figures = dict(line.rsplit(" ", 1) for line in shown.splitlines() if not line.startswith("#"))
    assert figures['smallvision_requests_total{path="/v1/classify",status="200"}'] == "2.0"
    assert figures['smallvision_requests_total{path="other",status="404"}'] == "1.0"
    assert figures['smallvision_request_seconds_count{path="/v1/classify"}'] == "2.0"
    outcomes = {
        name: float(figures.get(f'smallvision_pictures_total{{outcome="{name}"}}', 0))
        for name in ("answered", "unlike", "refused")
    }
    assert (outcomes["answered"] + outcomes["unlike"], outcomes["refused"]) == (2, 1)
    assert (figures["smallvision_waiting_requests"], figures["smallvision_body_bytes"]) == (
        "0.0",
        "0.0",
    )
    assert "secret" not in shown


def test_the_log_has_no_queries_and_no_raw_names(onnx_file: Path) -> None:
    with serve_model(onnx_file) as live:
        live.ask("GET", "/%1b[2J/path?token=secret")
    [line] = live.logged
    assert line.startswith("127.0.0.1 GET /\\x1b[2J/path 404 ")
    assert "secret" not in line


def test_a_token_is_asked_for_where_there_is_one(onnx_file: Path) -> None:
    with serve_model(onnx_file, token=TOKEN) as live:
        assert live.ask("GET", "/healthz").status == 200
        for told in ({}, {"Authorization": "Bearer another"}, {"Authorization": f"Basic {TOKEN}"}):
            reply = live.ask("GET", "/v1/model", headers=told)
            assert_problem(reply, 401, "Authorization: Bearer TOKEN")
            assert reply.headers["www-authenticate"].startswith("Bearer")
        right = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "image/png"}
        assert live.ask("GET", "/v1/model", headers=right).status == 200
        assert live.ask("POST", "/v1/classify", PICTURES["tiny"], right).status == 200
        # Without a token not a byte of the body is read.
        reply = live.ask("POST", "/v1/classify", None, {"Content-Length": "10000000"})
        assert_problem(reply, 401, "token")


def test_a_model_without_finite_answers_names_no_file(tmp_path: Path, linear: SavedModel) -> None:
    from dataclasses import replace

    import torch
    from torch import nn

    from tests.support.serving import write_onnx

    layer = nn.Linear(3 * 8 * 8, 4)
    with torch.no_grad():
        layer.weight.fill_(3e38)
    broken = replace(linear, network=nn.Sequential(nn.Flatten(), layer))
    path = write_onnx(broken, tmp_path / "model.onnx")
    white = encode_picture(np.full((8, 8, 3), 255, np.uint8))
    with serve_model(path) as live:
        reply = live.classify(white)
    assert_problem(reply, 422, "no finite answer")
    assert str(tmp_path) not in json.dumps(reply.json)
