"""Execute a notebook and write it, with what it shows, as a page that loads nothing.

`python tools/run_notebook.py notebooks/cifar10.ipynb build/notebook` writes `cifar10.ipynb` with
its outputs and `cifar10.html`; `make notebook` calls this. Both are those of that very run. The
test sets that it opens are counted in the folder alone, and not in the user's own ledger.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

SECONDS = 1800  # that a cell may take
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# What the page would load: libraries for mathematics and widgets, of which there are none.
LOADED = re.compile(r'<script[^>]* src="[^"]*"[^>]*>.*?</script>', re.DOTALL)
ELSEWHERE = re.compile(r'(?:src|href)="https?:|@import|url\(["\']?https?:')
# The notebook's words stay readable on a wide screen, and drawings have room.
STYLE = """<style>
body.jp-Notebook { max-width: 72rem; margin: 0 auto; }
.jp-RenderedHTMLCommon { font-size: 1rem; }
.jp-RenderedHTMLCommon p, .jp-RenderedHTMLCommon li { max-width: 46rem; }
iframe { border: 0; }
</style>
</head>"""


def execute(source: Path, folder: Path) -> nbformat.NotebookNode:
    """Execute a notebook in a folder.

    Raises:
        SystemExit: a cell failed.
    """
    notebook = nbformat.read(source, as_version=4)
    os.environ["SMALLVISION_CACHE"] = str(folder / "cache")
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # a bar that nothing here draws
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        extra_arguments=["--log-level=40"],  # errors alone
        resources={"metadata": {"path": folder}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        sys.exit(f"{source}: {COLOUR.sub('', str(error))}")
    return notebook


def draw_page(notebook: nbformat.NotebookNode, title: str) -> str:
    """The notebook as a page.

    Raises:
        SystemExit: it would load something.
    """
    exporter = HTMLExporter(template_name="lab", embed_images=True)
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
    page = LOADED.sub("", page).replace("</head>", STYLE, 1)
    if found := ELSEWHERE.search(page):
        sys.exit(f"the page would load {page[found.start() : found.start() + 80]}")
    return page


def main() -> None:
    """Execute the notebook that is named first into the folder that is named second."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    notebook = execute(source, folder.resolve())
    nbformat.write(notebook, folder / source.name)
    page = folder / f"{source.stem}.html"
    page.write_text(draw_page(notebook, source.stem), encoding="utf-8")
    print(f"{page}: {page.stat().st_size:,} bytes, after {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
