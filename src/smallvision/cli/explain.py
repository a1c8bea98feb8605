"""`smallvision explain`: the errors of a run on its validation images."""

from __future__ import annotations

from smallvision.cli.options import DataDir, Json, RunFolder, TrainedOn
from smallvision.cli.output import say_json


def explain(
    run: RunFolder,
    data: TrainedOn = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Analyse the errors of a run on its validation images; the test set stays sealed."""
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.errors import print_errors
    from smallvision.runs.explain import explain as explain_run

    analysis = explain_run(run, data, data_dir=data_dir)
    print_errors(analysis.record, run / "errors", open_console(to_stderr=json))
    if json:
        say_json(analysis.record.model_dump(mode="json"))
