"""`smallvision classify`: the classes of picture files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smallvision.cli.options import Json
from smallvision.cli.output import say_envelope, say_json
from smallvision.errors import DataError, SettingError

if TYPE_CHECKING:
    from smallvision.cli.render.classification import AnswerPrinter
    from smallvision.runs.classify import Answer

SOME_UNREADABLE = 3  # the exit code where some pictures were answered, and others could not be read
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would compute


def classify(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A finished run, a study, a saved model, or cifar10 for the included model.",
        ),
    ],
    pictures: Annotated[
        list[Path],
        typer.Argument(metavar="PICTURE...", help="Picture files, or folders with picture files."),
    ],
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            metavar="K",
            min=1,
            help="The number of classes told of each picture, the most probable first. Default: 2, "
            "with --sets 1, with --json all.",
            show_default=False,
        ),
    ] = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The least probability at which a picture is given a class, a fraction; others "
            "are told as unsure.",
        ),
    ] = 0.0,
    sets: Annotated[
        float | None,
        typer.Option(
            "--sets",
            metavar="RATE",
            help="Tell the conformal prediction set of each picture too, such as 'cat or dog': of "
            "pictures like those that the model was trained on, at most this share has a set "
            "without the right class: 0.01, 0.02, 0.05, 0.1 or 0.2.",
            show_default=False,
        ),
    ] = None,
    csv_file: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Write a table of all pictures to this file too, one line for each.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help="Print one line of JSON for each picture as soon as it is answered; all other "
            "output goes to stderr.",
        ),
    ] = False,
) -> None:
    """Classify picture files with a trained model.

    A picture that is marked as unlike is so different from all that the model was trained on that
    its class is worth little. Files that cannot be read are told with their reason and keep no
    other from its answer; the exit code is then 3, or 2 where none could be read.
    """
    if json and jsonl:
        raise SettingError("--json prints one object and --jsonl one a picture; name one of them")

    from smallvision.cli.render.classification import AnswerPrinter
    from smallvision.cli.render.console import open_console
    from smallvision.runs.classify import (
        PictureChanges,
        answer_pictures,
        explain_answers,
        explain_none,
        find_classifier,
        find_preparation,
    )
    from smallvision.stats.probabilities.prediction_sets import find_least_probability

    classifier = find_classifier(model)
    in_set = None if sets is None else find_least_probability(classifier.sets, sets)
    changes = PictureChanges(find_preparation(classifier))
    console = open_console(to_stderr=json or jsonl)
    printer = AnswerPrinter(
        classifier.class_names,
        console,
        top=top or (2 if sets is None else 1),
        least=min_confidence,
        in_set=in_set,
    )
    lines: list[dict[str, object]] = []
    bad: list[Answer] = []
    with ExitStack() as files:
        table = None
        if csv_file is not None:
            table = csv.writer(
                files.enter_context(csv_file.open("w", encoding="utf-8", newline=""))
            )
            table.writerow(name_columns(top or 1, printer))
        for answer in answer_pictures(classifier, pictures, changes):
            if answer.error is not None:
                bad.append(answer)
            if not jsonl:
                printer.add(answer)
            else:
                printer.count(answer)
                say_json(describe(answer, printer, top))
            if json:
                lines.append(describe(answer, printer, top))
            if table is not None:
                table.writerow([guard(cell) for cell in list_cells(answer, printer, top or 1)])
    notes = (*changes.notes, *explain_answers(classifier, sets))
    if printer.counts.total():
        printer.finish(notes)
    if json:
        say_envelope({"model": str(model), "pictures": lines, "notes": notes})
    if not printer.counts.total():
        raise DataError(explain_none(bad))
    if bad:
        raise typer.Exit(SOME_UNREADABLE)


def describe(answer: Answer, printer: AnswerPrinter, top: int | None) -> dict[str, object]:
    """What JSON tells of a picture."""
    if answer.probabilities is None:
        return {"file": str(answer.path), "error": answer.error}
    ranked = printer.rank(answer, top or len(printer.class_names))
    told: dict[str, object] = {
        "file": str(answer.path),
        "probabilities": dict(ranked),
        "unlike": answer.is_unlike,
        "energy": answer.energy,
    }
    if printer.least > 0:
        told["class"] = printer.name(answer)
    if printer.in_set is not None:
        told["set"] = printer.list_set(answer)
    return told


def name_columns(count: int, printer: AnswerPrinter) -> list[str]:
    """The head of the table that `--csv` writes."""
    further = [f"{what}_{k}" for k in range(2, count + 1) for what in ("class", "probability")]
    in_set = [] if printer.in_set is None else ["set"]
    return ["file", "class", "probability", *further, "unlike", *in_set, "error"]


def list_cells(answer: Answer, printer: AnswerPrinter, count: int) -> Sequence[Any]:
    """A line of that table; an unsure picture has an empty class, and its probability."""
    width = 2 * count
    if answer.probabilities is None:
        empty = width + (1 if printer.in_set is None else 2)
        return [str(answer.path), *[""] * empty, answer.error]
    ranked = printer.rank(answer, count)
    first, *further = ranked
    cells = [printer.name(answer) or "", f"{first[1]:.6f}"]
    cells += [cell for name, share in further for cell in (name, f"{share:.6f}")]
    cells += [""] * (width - len(cells))
    cells.append({None: "", True: "true", False: "false"}[answer.is_unlike])
    if printer.in_set is not None:
        cells.append(" or ".join(printer.list_set(answer)))
    return [str(answer.path), *cells, ""]


def guard(cell: Any) -> str:
    """A cell that a spreadsheet shows and does not compute, for names come from strangers."""
    text = str(cell).encode(errors="replace").decode()
    return f"'{text}" if text.startswith(FORMULA) else text
