"""How a model is used: commands and Python, ready to paste."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from smallvision.text import show_text


@dataclass(frozen=True)
class Usage:
    """What to type in the folder in which the model's folder lies."""

    folder: str
    install: str
    shell: str
    python: str


def describe_usage(folder: str) -> Usage:
    """The usual ways to use the model of a run, or the winner of a study, in a folder.

    Args:
        folder: its name.
    """
    place = f"./{folder}" if folder.startswith("-") else folder
    quoted = shlex.quote(show_text(place))  # one line, whatever the name holds
    return Usage(
        folder,
        "pip install '.[serve,export]'",
        "\n".join(
            [
                "# the classes of pictures",
                f"smallvision classify {quoted} picture.png",
                "# a web page, over HTTP",
                f"smallvision serve {quoted}",
                "# an ONNX file, checked",
                f"smallvision export {quoted}",
            ]
        ),
        "\n".join(
            [
                "import smallvision as sv",
                f"found = sv.classify({place!r}, ['picture.png'])",
                "# of file 0, the 3 likeliest",
                "found.rank(0, 3)",
            ]
        ),
    )
