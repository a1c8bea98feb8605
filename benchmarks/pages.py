"""Write the figures of the documents from the committed records.

A document has a pair of marks, `<!-- results/NAME -->` and `<!-- end -->`, around each text that
is written here.
"""

from __future__ import annotations

import re

from benchmarks import keep, keep_pretrained, tutorial
from benchmarks.records import RESULTS, ROOT
from benchmarks.throughput import convolutions, forms, large, processes, serving
from benchmarks.training import ablations, race, subsets, unlike
from smallvision.records.files import write_text

PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "SPEED.md",
    ROOT / "docs" / "UNLIKE.md",
    ROOT / "docs" / "SERVING.md",
    ROOT / "docs" / "EXPORT.md",
    ROOT / "docs" / "TUTORIAL.md",
    ROOT / "docs" / "guides" / "few-images.md",
    ROOT / "docs" / "SCALING.md",
)
PLOTS = {ROOT / "docs" / "large.svg": large.draw_plot}
BLOCK = re.compile(r"(<!-- results/([\w/-]+) -->\n).*?(\n<!-- end -->)", re.DOTALL)
BLOCKS = {
    "ablations": ablations.write_block,
    "pretrained": keep_pretrained.write_block,
    "convolutions": convolutions.write_block,
    "forms": forms.write_block,
    "large": large.write_block,
    "processes": processes.write_block,
    "races": race.write_block,
    "serving": serving.write_block,
    "subsets": subsets.write_block,
    "unlike": unlike.write_block,
    **tutorial.BLOCKS,
}


def pages() -> None:
    """Write the figures of README.md and of pages in docs/ again from the records in results/."""
    for path in PAGES:
        write_text(path, fill(path.read_text(encoding="utf-8")))
    for path, draw in PLOTS.items():
        if drawn := draw():
            write_text(path, drawn)


def fill(text: str) -> str:
    """A document's text with all its blocks written anew."""
    return BLOCK.sub(lambda found: found[1] + write_block(found[2]) + found[3], text)


def write_block(name: str) -> str:
    """One block: a table of measurements, or the study that is kept under this name."""
    lines = BLOCKS[name]() if name in BLOCKS else keep.write_block(RESULTS / name)
    return "\n".join(lines)
