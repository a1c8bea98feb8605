"""What a result was obtained with."""

import platform
from pathlib import Path

import pytest

from smallvision.compute.environment import name_generation, name_processor, read_processor

LINUX = """processor\t: 0
cpu family\t: 26
model\t\t: 2
model name\t: AMD EPYC
flags\t\t: fpu vme

processor\t: 1
cpu family\t: 27
model\t\t: 3
model name\t: another
"""


@pytest.mark.parametrize(
    ("said", "name", "generation"),
    [
        (LINUX, "AMD EPYC", "family 26, model 2"),
        ("processor\t: 0\nBogoMIPS\t: 50.00\n", "arm", None),
        (None, "arm", None),
    ],
    ids=["x86", "arm", "not Linux"],
)
def test_the_processor_is_named_as_far_as_the_system_tells(
    said: str | None, name: str, generation: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_path: Path) -> str:
        if said is None:
            raise FileNotFoundError
        return said

    monkeypatch.setattr(Path, "read_text", read)
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    told = read_processor()
    assert (name_processor(told), name_generation(told)) == (name, generation)
