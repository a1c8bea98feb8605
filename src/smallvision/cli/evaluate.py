"""`smallvision evaluate`: open the sealed test set for one run."""

from __future__ import annotations

from typing import Annotated

import typer

from smallvision.cli.loading import NOTHING_ASKED, Loading, reads_images
from smallvision.cli.options import Json, RunFolder, TrainedOn, spell_command
from smallvision.cli.output import say_json
from smallvision.errors import SettingError, nearest


@reads_images
def evaluate(
    run: RunFolder,
    data: TrainedOn = None,
    on: Annotated[
        str,
        typer.Option(
            help="The images to score: test opens the sealed test set; val scores the validation "
            "images and opens nothing."
        ),
    ] = "test",
    loading: Loading = NOTHING_ASKED,
    json: Json = False,
) -> None:
    """Open the sealed test set for a run; every opening is written to the ledger."""
    if on not in ("test", "val"):
        raise SettingError(f"there is no --on {on}{nearest(on, ('test', 'val'))}")

    from smallvision.api import evaluate as evaluate_run
    from smallvision.api import score_validation
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.scores import print_test, print_validation
    from smallvision.records.schema import TestRecord, ValidationScores

    console = open_console(to_stderr=json)
    record: ValidationScores | TestRecord
    if on == "val":
        record = score_validation(run)
        print_validation(record, console)
    else:
        named = loading.load_for(run, data)
        record = evaluate_run(run, named, data_dir=loading.data_dir, command=spell_command()).record
        print_test(record, console)
    if json:
        say_json(record.model_dump(mode="json"))
