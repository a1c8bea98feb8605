"""A server under 128 clients, a fifth of whom mean harm, beside the same without them."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import smallvision
from smallvision.predict import SavedModel
from smallvision.runs.classify import classify, find_classifier
from smallvision.serving.exports import find_exported
from tests.battery.outcome import Outcome
from tests.support.serving import make_form, make_linear_model, write_onnx
from tests.support.sources import encode_picture

PROMISE = (
    "Beside clients that send 200 MB, no length, a byte a second, bombs, junk or no HTTP, honest "
    "ones get the answers of the model, at most three times as late as without them; nothing errs "
    "but by 503, and memory does not grow."
)
MOST_RATIO = 3.0  # of the latency that one in a hundred honest requests exceeds
MOST_SLOPE = 1.0  # MB a minute
JUDGED = 60.0  # seconds under attack from which latency and memory are judged
HOSTILE_SHARE = 5  # of so many clients one means harm
ROUNDS = 6  # with and without them in turns
PATIENCE = 60.0  # seconds in which anything has to be answered
HEAD = "POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
FORM = "multipart/form-data; boundary=between-the-parts"


@dataclass
class Load:
    """What clients meet.

    Attributes:
        port: of the server.
        outcome: of all trials.
        pictures: bytes, with the probabilities that they have to get.
        until: when the clients end, on the clock of the loop.
        waits: seconds that honest clients waited for their answers.
    """

    port: int
    outcome: Outcome
    pictures: list[tuple[bytes, dict[str, float]]]
    until: float = 0.0
    waits: list[float] = field(default_factory=list)


def run(
    place: Path, trials: int, seed: int, seconds: float = 240.0, linear: bool = False
) -> Outcome:
    """Load from so many clients, `trials`, for so many seconds of each kind.

    Args:
        place: a folder.
        trials: number of clients.
        seed: of what they send.
        seconds: with hostile clients, and half as many without.
        linear: whether a tiny model answers, in place of the one that comes with the package.
    """
    outcome = Outcome(PROMISE)
    if linear:
        model = make_linear_model()
        return attack(
            write_onnx(model, place / "model.onnx"), model, outcome, (trials, seconds, seed)
        )
    path = find_exported(Path("cifar10"), print).path
    return attack(path, find_classifier(Path("cifar10")), outcome, (trials, seconds, seed))


def attack(
    path: Path, model: SavedModel, outcome: Outcome, scale: tuple[int, float, int]
) -> Outcome:
    """Serve a file, and load it by clients, seconds and a seed."""
    clients, seconds, seed = scale
    hostile = max(1, clients // HOSTILE_SHARE)
    honest = clients - hostile
    pictures = draw_pictures(model, path.parent, seed)
    waits: dict[bool, list[float]] = {False: [], True: []}
    memory: list[list[tuple[float, float]]] = []
    rounds = ROUNDS if seconds >= JUDGED else 1
    with serve(path, outcome) as (process, port):
        load = Load(port, outcome, pictures)
        asyncio.run(press(load, honest, 0, 1.0))  # the first answers take longer
        for _ in range(rounds):
            memory.append([])
            load.waits = waits[False]
            sample = partial_sample(process.pid, memory[-1])
            asyncio.run(press(load, honest, 0, seconds / 2 / rounds, sample))
            load.waits = waits[True]
            asyncio.run(press(load, honest, hostile, seconds / rounds))
    judge(outcome, waits, memory, seconds)
    return outcome


def judge(
    outcome: Outcome,
    waits: dict[bool, list[float]],
    memory: list[list[tuple[float, float]]],
    seconds: float,
) -> None:
    """Compare latencies, and see whether memory grew.

    Args:
        outcome: of all trials.
        waits: of honest clients in seconds, without hostile ones and with them.
        memory: minutes and MB, of each time without hostile clients.
        seconds: with hostile clients.
    """
    calm, harmed = (float(np.quantile(waits[harmful], 0.99)) for harmful in (False, True))
    figures = outcome.figures
    figures["honest answers"] = sum(map(len, waits.values()))
    figures["p99 without them, ms"] = round(1000 * calm, 1)
    figures["p99 with them, ms"] = round(1000 * harmed, 1)
    figures["ratio"] = round(harmed / calm, 2)
    if seconds < JUDGED:
        return
    # Bodies that are held come and go with the hostile clients; what stays without them is a leak.
    # The first time without them comes before them.
    minutes, size = np.array([min(leg, key=lambda pair: pair[1]) for leg in memory[1:]]).T
    slope = float(np.polyfit(minutes, size, 1)[0])
    figures["memory, MB"] = round(float(size.max()), 1)
    figures["memory slope, MB a minute"] = round(slope, 2)
    outcome.expect(harmed <= MOST_RATIO * calm, f"honest p99 {harmed:.3f} s after {calm:.3f} s")
    outcome.expect(slope < MOST_SLOPE, f"memory grows by {slope:.1f} MB a minute")


def partial_sample(pid: int, memory: list[tuple[float, float]]) -> Callable[[], None]:
    """Note minutes and MB of a process when called."""

    def sample() -> None:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        memory.append((time.monotonic() / 60, int(found[1]) / 1024))

    return sample


def draw_pictures(
    model: SavedModel, folder: Path, seed: int, count: int = 40
) -> list[tuple[bytes, dict[str, float]]]:
    """Pictures of several sizes and formats, and what the saved model says of them."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        height, width = rng.integers(20, 300, 2)
        ramp = np.linspace(0, 200, width)[None, :, None] * rng.random(3)
        pixels = (ramp + rng.integers(0, 50, (height, width, 3))).astype(np.uint8)
        content = encode_picture(pixels, ("PNG", "JPEG")[number % 2])
        path = folder / f"picture-{number}"
        path.write_bytes(content)
        expected = classify(model, path)
        shares = dict(zip(expected.class_names, expected.probabilities[0].tolist(), strict=True))
        found.append((content, shares))
    return found


@contextmanager
def serve(path: Path, outcome: Outcome) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Serve a file in a process of its own, which has to end with 0 and without a complaint."""
    words = [sys.executable, "-m", "smallvision", "serve", str(path), "--port", "0"]
    root = str(Path(smallvision.__file__).parents[1])
    process = subprocess.Popen(
        words,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    )
    try:
        assert process.stdout is not None
        found = re.search(r":(\d+)/", process.stdout.readline())
        assert found
        yield process, int(found[1])
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        outcome.expect(process.returncode == 0, f"ended with {process.returncode}")
        outcome.expect(said == "", f"complained: {said[-500:]}")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


async def press(
    load: Load,
    honest: int,
    hostile: int,
    seconds: float,
    sample: Callable[[], None] | None = None,
) -> None:
    """Let so many clients do as they do, for so many seconds."""
    loop = asyncio.get_running_loop()
    load.until = loop.time() + seconds
    kinds = list(HARMS.items())
    harm = [asyncio.ensure_future(do_harm(load, number, kinds)) for number in range(hostile)]
    running = asyncio.gather(*(ask_honestly(load, number) for number in range(honest)))
    while not running.done():
        if sample is not None:
            sample()
        await asyncio.wait([running], timeout=1.0)
    await running
    for client in harm:  # which may have minutes to go
        client.cancel()
    for found in await asyncio.gather(*harm, return_exceptions=True):
        if isinstance(found, Exception):
            load.outcome.failures.append(f"a hostile client: {found!r}")


async def ask_honestly(load: Load, number: int) -> None:
    """Ask for one picture after the other, and compare the answers."""
    draw = random.Random(number)
    loop = asyncio.get_running_loop()
    outcome = load.outcome
    reader = writer = None
    while loop.time() < load.until:
        content, expected = draw.choice(load.pictures)
        head = HEAD.format(kind="image/png") + f"Content-Length: {len(content)}\r\n\r\n"
        outcome.trials += 1
        began = loop.time()
        try:
            async with asyncio.timeout(PATIENCE):
                if reader is None or writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
                writer.write(head.encode() + content)
                status, body = await read_reply(reader)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            outcome.failures.append(f"an honest client: {type(error).__name__} {error}")
            reader = None
            continue
        if status == 503:
            outcome.count("honest clients told to wait")
            await asyncio.sleep(1)
            reader = None
            continue
        load.waits.append(loop.time() - began)
        outcome.expect(status == 200, f"an honest client: {status} {body[:200]!r}")
        if status == 200:
            found = json.loads(body)["pictures"][0]["probabilities"]
            off = max(abs(found[name] - share) for name, share in expected.items())
            outcome.expect(off < 1e-5, f"an honest answer is off by {off}")
    if writer is not None:
        writer.close()


async def read_reply(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of an answer.

    Raises:
        asyncio.IncompleteReadError: the connection ends before.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return int(head[9:12]), await reader.readexactly(int(length[1]) if length else 0)


Harm = Callable[[asyncio.StreamWriter, random.Random], Awaitable[None]]


async def do_harm(load: Load, number: int, kinds: list[tuple[str, tuple[set[int], Harm]]]) -> None:
    """Do one harm after the other, each on a connection of its own, and judge the answers."""
    draw = random.Random(f"harm {number}")
    loop = asyncio.get_running_loop()
    while loop.time() < load.until:
        name, (allowed, act) = draw.choice(kinds)
        load.outcome.trials += 1
        load.outcome.count("hostile exchanges")
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
            task = asyncio.ensure_future(send_harm(act, writer, draw))
            try:
                async with asyncio.timeout(PATIENCE):
                    status, body = await read_reply(reader)
                fine = status in allowed | {503}
                load.outcome.expect(fine, f"{name}: {status} {body[:200]!r}")
            except TimeoutError:
                load.outcome.failures.append(f"{name}: no answer in {PATIENCE:.0f} s")
            except (OSError, asyncio.IncompleteReadError):
                load.outcome.count("hostile connections ended without an answer")
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                writer.close()


async def send_harm(act: Harm, writer: asyncio.StreamWriter, draw: random.Random) -> None:
    """Send what does harm, until the server does not want more."""
    with suppress(OSError):
        await act(writer, draw)


async def send(writer: asyncio.StreamWriter, *pieces: bytes, pause: float = 0.0) -> None:
    """Send pieces as fast as they are taken, or with pauses."""
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        if pause:
            await asyncio.sleep(pause)


def begin(kind: str = "image/png", length: int | None = None) -> bytes:
    """The head of a request."""
    told = "" if length is None else f"Content-Length: {length}\r\n"
    return (HEAD.format(kind=kind) + told + "\r\n").encode()


def whole(content: bytes, kind: str = "image/png") -> Harm:
    """Send a whole request."""

    async def act(writer: asyncio.StreamWriter, _: random.Random) -> None:
        await send(writer, begin(kind, len(content)) + content)

    return act


async def announce(writer: asyncio.StreamWriter, _: random.Random) -> None:
    """200 MB, as announced."""
    await send(writer, begin(length=200_000_000), *[bytes(1_000_000)] * 200)


async def stream(writer: asyncio.StreamWriter, _: random.Random) -> None:
    """200 MB in chunks."""
    head = begin()[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
    await send(writer, head, *[b"f4240\r\n" + bytes(1_000_000) + b"\r\n"] * 200)


async def dribble(writer: asyncio.StreamWriter, draw: random.Random) -> None:
    """A byte a second, of the head or of the body."""
    if draw.random() < 0.3:
        await send(writer, b"POST /v1/classify HTTP/1.1\r\n", *[b"X"] * 60, pause=1.0)
    await send(writer, begin(length=1_000_000), *[b"x"] * 60, pause=1.0)


async def no_length(writer: asyncio.StreamWriter, _: random.Random) -> None:
    """A body without a length."""
    await send(writer, begin() + bytes(10_000))


async def flood_headers(writer: asyncio.StreamWriter, _: random.Random) -> None:
    """Headers without end."""
    await send(writer, begin()[:-2], *[b"X-Y: " + b"z" * 1000 + b"\r\n"] * 1000)


async def say_nothing_sensible(writer: asyncio.StreamWriter, draw: random.Random) -> None:
    """No HTTP at all."""
    await send(writer, draw.randbytes(5000) + b"\r\n\r\n")


async def crumble(writer: asyncio.StreamWriter, _: random.Random) -> None:
    """Very many chunks of a byte."""
    head = begin()[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
    await send(writer, head, *[b"1\r\nx\r\n" * 1000] * 20)


async def leave(writer: asyncio.StreamWriter, draw: random.Random) -> None:
    """Go away amid the body."""
    await send(writer, begin(length=100_000), draw.randbytes(5000))
    writer.close()


def claim_pixels() -> bytes:
    """A PNG of few bytes that claims 2.5 gigapixels."""
    import struct
    import zlib

    small = encode_picture(np.zeros((8, 8, 3), np.uint8))
    content = b"IHDR" + struct.pack(">II", 50_000, 50_000) + small[24:29]
    return small[:12] + content + struct.pack(">I", zlib.crc32(content)) + small[33:]


ZEROS = encode_picture(np.zeros((3900, 4000, 3), np.uint8))  # all pixels that are allowed
TEXT = b"P3 400 400 255\n" + b"7 8 9 " * 160_000  # pixels in plain text, decoded in Python
SMALL = encode_picture(np.zeros((8, 8, 3), np.uint8))
# What is sent, and which statuses answer it; 503 always may.
HARMS: dict[str, tuple[set[int], Harm]] = {
    "200 MB announced": ({413}, announce),
    "200 MB in chunks": ({413}, stream),
    "no length": ({411}, no_length),
    "a byte a second": ({408}, dribble),
    "2.5 gigapixels": ({422}, whole(claim_pixels())),
    "zeros of 16 megapixels": ({200}, whole(ZEROS)),
    "pixels in plain text": ({200}, whole(TEXT)),
    "junk form": ({400}, whole(b"\r\n--" * 10_000, FORM)),
    "names with paths": ({200}, whole(make_form([("../../../etc/passwd", SMALL)]), FORM)),
    "a wrong type": ({415}, whole(b"<svg/>", "text/html")),
    "no picture": ({422}, whole(bytes(50_000))),
    "many parts": ({413}, whole(make_form([("a", b"")] * 5000), FORM)),
    "endless headers": ({431}, flood_headers),
    "no HTTP": ({400, 431}, say_nothing_sensible),
    "crumbs": ({400}, crumble),
    "a client that leaves": (set(), leave),
}
