"""`smallvision explain`: the errors of a run on its validation images."""

from __future__ import annotations

from smallvision.cli.loading import NOTHING_ASKED, Loading, reads_images
from smallvision.cli.options import Json, RunFolder, TrainedOn
from smallvision.cli.output import say_json


@reads_images
def explain(
    run: RunFolder,
    data: TrainedOn = None,
    loading: Loading = NOTHING_ASKED,
    json: Json = False,
) -> None:
    """Analyse the errors of a run on its validation images; the test set stays sealed."""
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.errors import print_errors
    from smallvision.records.model_folders import find_winner
    from smallvision.runs.explain import explain as explain_run

    analysis = explain_run(run, loading.load_for(run, data), data_dir=loading.data_dir)
    print_errors(analysis.record, find_winner(run) / "errors", open_console(to_stderr=json))
    if json:
        say_json(analysis.record.model_dump(mode="json"))
