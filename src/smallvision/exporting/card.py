"""The page of a model on the Hub: `README.md`, front matter in YAML and text in Markdown.

Names of classes, models and data sets are text of strangers: in the front matter they are written
as strings of JSON, which are strings of YAML, and in the text without a mark that Markdown reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from smallvision.exporting.describe import FITTED, count_pixels
from smallvision.format import (
    format_accuracy,
    format_count,
    format_interval,
    format_times,
)
from smallvision.records.layout import GRAPH
from smallvision.records.schema import Rate, ServedModel, TestRecord
from smallvision.text import show_markdown, show_text

Yaml: TypeAlias = "Mapping[str, Yaml] | Sequence[Yaml] | str | float | int"

MOST_LISTED = 30  # classes that the text names
# Licences that the Hub knows by these words; any other is called by its name.
LICENCES = (
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "cc0-1.0", "cc-by-4.0"),
    *("cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "gpl-2.0", "gpl-3.0", "lgpl-3.0"),
    *("agpl-3.0", "mpl-2.0", "unlicense", "wtfpl", "isc", "openrail", "other"),
)


@dataclass(frozen=True)
class CardFacts:
    """What the page of a model tells.

    Attributes:
        about: the model, as its ONNX file describes it.
        network: name of its architecture.
        parameters: how many it has.
        data: name of the data set that it was trained on, or None.
        test: the result of its test; None where it was not tested.
        val: of its run on validation images; None where nothing is known.
        notes: what a person should know, one sentence each.
        repository: on the Hub, or None.
    """

    about: ServedModel
    network: str
    parameters: int
    data: str | None
    test: TestRecord | None
    val: Rate | None
    notes: tuple[str, ...]
    repository: str | None


def write_card(facts: CardFacts) -> str:
    """The page as text."""
    front = "\n".join(spell_yaml(list_front(facts)))
    parts = [f"# {show_markdown(facts.about.name)}", *list_parts(facts)]
    return f"---\n{front}\n---\n" + "\n\n".join(parts) + "\n"


def list_front(facts: CardFacts) -> dict[str, Yaml]:
    """The fields of the front matter, as the Hub knows them."""
    front: dict[str, Yaml] = {}
    if licence := facts.about.licence.strip():
        front["license"] = licence.lower() if licence.lower() in LICENCES else "other"
        if front["license"] == "other":
            front["license_name"] = licence
    front["library_name"] = "smallvision"
    front["pipeline_tag"] = "image-classification"
    front["tags"] = ["image-classification", "smallvision", "onnx"]
    if (result := describe_result(facts)) is not None:
        front["model-index"] = [{"name": facts.about.name, "results": [result]}]
    return front


def describe_result(facts: CardFacts) -> dict[str, Yaml] | None:
    """The accuracy on test images, else on validation images, else nothing."""
    found = facts.test or facts.val
    if found is None:
        return None
    metric: dict[str, Yaml] = {
        "type": "accuracy",
        "value": round(found.accuracy, 6),
        "name": state_accuracy(facts),
        "args": {
            "n": found.n,
            "interval": [round(bound, 6) for bound in found.interval],
            **({"openings": facts.test.openings} if facts.test else {}),
        },
    }
    name = facts.data or "unknown"
    return {
        "task": {"type": "image-classification", "name": "Image classification"},
        "dataset": {
            "name": name,
            "type": re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "unknown",
            "split": "test" if facts.test else "validation",
        },
        "metrics": [metric],
    }


def state_accuracy(facts: CardFacts) -> str:
    """The accuracy in words: of test images how often they were opened, of others what they are."""
    if (test := facts.test) is not None:
        return (
            f"{format_accuracy(test)} of {format_count(test.n)} test images (95 % interval "
            f"{format_interval(test)}), opened {format_times(test.openings)}"
        )
    if (val := facts.val) is not None:
        return (
            f"{format_accuracy(val)} of {format_count(val.n)} validation images (95 % interval "
            f"{format_interval(val)}), by which the model was chosen; it has not been tested"
        )
    return "not known"


def spell_yaml(value: Yaml, depth: int = 0) -> Iterator[str]:
    """The lines of a value in YAML."""
    space = "  " * depth
    if isinstance(value, Mapping):
        items = [(f"{key}:", inner) for key, inner in value.items()]
    else:
        assert isinstance(value, Sequence)
        items = [("-", inner) for inner in value]
    for head, inner in items:
        if isinstance(inner, str):
            # In one line of characters that show, all of which YAML takes.
            yield f"{space}{head} {json.dumps(show_text(inner), ensure_ascii=False)}"
        elif isinstance(inner, int | float):
            yield f"{space}{head} {json.dumps(inner)}"
        elif head == "-":
            first, *more = spell_yaml(inner, depth + 1)
            yield f"{space}- {first.lstrip()}"
            yield from more
        else:
            yield f"{space}{head}"
            yield from spell_yaml(inner, depth + 1)


def list_parts(facts: CardFacts) -> Iterator[str]:
    """The paragraphs of the page."""
    about = facts.about
    C, H, W = about.shape
    names = [show_markdown(name) for name in about.class_names[:MOST_LISTED]]
    more = len(about.class_names) - len(names)
    rest = f" and {more:,} more, which `config.json` lists" if more else ""
    yield (
        f"Classifies pictures into {len(about.class_names)} classes: {', '.join(names)}{rest}. "
        "Whatever it is shown, it names one of them."
    )
    rows = (
        ("accuracy", state_accuracy(facts)),
        ("trained on", show_markdown(facts.data or "not known")),
        ("network", f"{facts.network}, {facts.parameters:,} parameters"),
        ("images", f"{W}x{H} pixels, {'colour' if C == 3 else 'grey'}"),
        ("other shapes", f"are {FITTED[about.fit]}"),
        ("uncertain images", describe_looks(about)),
        ("images unlike these", "are told" if about.unlike else "cannot be told"),
        ("licence", show_markdown(about.licence or "nothing was said")),
    )
    yield "\n".join(["| | |", "|---|---|", *(f"| {name} | {said} |" for name, said in rows)])
    if facts.test is not None:
        yield show_markdown(facts.test.near_duplicates.sentence)
    if facts.notes:
        yield "\n".join(f"- {show_markdown(note)}" for note in facts.notes)
    yield "## Use"
    yield "Without torch (`pip install 'smallvision[serve]'`):"
    yield spell_code(spell_runner(facts.repository))
    yield "With torch (`pip install smallvision`), the same answers:"
    yield spell_code(
        'import smallvision as sv\n\nprint(sv.classify(folder, ["picture.png"]).rank(0, 2))'
    )
    yield (
        "With any ONNX runtime. Here the picture is stretched, and answered after one look; the "
        "metadata of the file say what the two above do beyond that:"
    )
    yield spell_code(spell_plain(about))
    yield (
        "`export.json` says how the files were checked. Made by smallvision; `model.safetensors` "
        f"and `{GRAPH}` hold the same model."
    )


def describe_looks(about: ServedModel) -> str:
    """How often an image is looked at, in short; the metadata of the file say it in full."""
    if not about.tta.shift:
        return "are answered as all others"
    return (
        f"are also looked at shifted by {count_pixels(about)}, where the two largest logits differ "
        f"by less than {about.uncertain:g}"
    )


def spell_code(code: str) -> str:
    """A block of code."""
    return f"```python\n{code}\n```"


def spell_runner(repository: str | None) -> str:
    """Ten lines that answer a picture without torch."""
    if repository is None:
        found = 'folder = "."  # where these files are'
        first = ""
    else:
        found = f'folder = snapshot_download("{repository}")'
        first = "from huggingface_hub import snapshot_download\n"
    return f"""{first}from smallvision.serving.runner import Runner

{found}
runner = Runner(f"{{folder}}/{GRAPH}")
for answer in runner.classify(["picture.png"]):
    print(answer.class_name, round(answer.probability, 3), answer.is_unlike)"""


def spell_plain(about: ServedModel) -> str:
    """The same with nothing of ours."""
    C, H, W = about.shape
    pixels = {
        (3, "nhwc"): "np.asarray(picture)[None]",
        (3, "nchw"): "np.asarray(picture).transpose(2, 0, 1)[None]",
        (1, "nhwc"): "np.asarray(picture)[None, :, :, None]",
        (1, "nchw"): "np.asarray(picture)[None, None]",
    }[C, about.layout]
    return f"""import json
import numpy as np
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession(f"{{folder}}/{GRAPH}")
names = json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
picture = Image.open("picture.png").convert("{"RGB" if C == 3 else "L"}").resize(({W}, {H}))
[probabilities] = session.run(["probabilities"], {{"images": {pixels}}})
print(names[probabilities.argmax()], probabilities.max())"""
