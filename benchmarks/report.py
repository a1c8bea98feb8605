"""Draw the measurements of a folder as one HTML page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.options import OUT
from benchmarks.records import Measurement, describe_place
from benchmarks.throughput.convolutions import ConvolutionsRecord
from benchmarks.throughput.decoding import DecodingRecord
from benchmarks.throughput.forms import FormsRecord
from benchmarks.throughput.large import LargeRecord
from benchmarks.throughput.pipeline import PipelineRecord
from benchmarks.throughput.predict import PredictRecord
from benchmarks.throughput.processes import ProcessesRecord
from benchmarks.throughput.serving import ServingRecord
from benchmarks.throughput.step import StepRecord
from benchmarks.training.ablations import AblationsRecord
from benchmarks.training.accuracy import AccuracyRecord
from benchmarks.training.race import RaceRecord
from benchmarks.training.subsets import SubsetsRecord
from benchmarks.training.unlike import UnlikeMeasurement
from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.reporting.page import write_page

# By the first word of a file's name, in the order of the page.
KINDS: dict[str, type[Measurement]] = {
    "race": RaceRecord,
    "accuracy": AccuracyRecord,
    "ablations": AblationsRecord,
    "subsets": SubsetsRecord,
    "unlike": UnlikeMeasurement,
    "step": StepRecord,
    "pipeline": PipelineRecord,
    "decoding": DecodingRecord,
    "predict": PredictRecord,
    "serving": ServingRecord,
    "convolutions": ConvolutionsRecord,
    "forms": FormsRecord,
    "processes": ProcessesRecord,
    "large": LargeRecord,
}


def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of records.")] = OUT,
    out: Annotated[
        Path | None, typer.Option(help="File to write, by default FOLDER/report.html.")
    ] = None,
) -> None:
    """Draw the measurements of a folder as one page."""
    path = out or folder / "report.html"
    write_page(path, draw_page(read_folder(folder)))
    print(path)


def read_folder(folder: Path) -> list[tuple[str, Measurement]]:
    """All measurements of a folder with the names of their files, in the order of the page.

    Raises:
        RecordError: there is no measurement, or one is damaged.
    """
    records = [
        (path.stem, store.read(path, model))
        for kind, model in KINDS.items()
        for path in sorted(folder.glob("*.json"))
        if path.stem.split("-")[0] == kind
    ]
    if not records:
        raise RecordError(f"{folder} holds no measurement; `python -m benchmarks step` makes one")
    return records


def draw_page(records: Iterable[tuple[str, Measurement]]) -> str:
    """Draw the page; the same records give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    places = {
        name: describe_place(record.environment, record.machine, record.created)
        for name, record in records
    }
    return environment.get_template("report.html.j2").render(records=records, places=places)
