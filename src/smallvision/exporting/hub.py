"""A folder as the Hugging Face Hub wants it, and sending it there."""

from __future__ import annotations

import re
from pathlib import Path

from smallvision.errors import RecordError
from smallvision.exporting.card import CardFacts, write_card
from smallvision.exporting.describe import describe_served
from smallvision.exporting.options import ExportOptions
from smallvision.exporting.source import ExportSource
from smallvision.records import store
from smallvision.records.files import write_text
from smallvision.records.layout import TEST, find_study, read_status
from smallvision.records.schema import HubConfig, TestRecord, ValidatedRun
from smallvision.records.weights import copy_tensors
from smallvision.runs.finished_run import judge_run

CARD, CONFIG = "README.md", "config.json"
TOKEN = re.compile(r"hf_\w+")  # which no message may show
REFITTED = (
    "The accuracy is that of the same recipe trained without the validation images; this model was "
    "trained on them too."
)
MOST_REASON = 200  # characters


def write_hub_files(
    source: ExportSource, options: ExportOptions, folder: Path, notes: tuple[str, ...]
) -> None:
    """Write the weights, from which `load_model` reads the model again, and the page about it.

    Args:
        source: the model.
        options: of the export.
        folder: where the ONNX file lies already.
        notes: what a person should know, one sentence each.

    Raises:
        RecordError: the weights are damaged, or the folder cannot be written.
    """
    assert source.model.folder is not None  # as of every model that was read
    copy_tensors(source.model.folder, folder)
    store.write(folder / CONFIG, describe_config(source))
    write_text(folder / CARD, write_card(gather_facts(source, options, notes)))


def describe_config(source: ExportSource) -> HubConfig:
    """What tools of the Hub read of a model."""
    model = source.model
    C, H, W = model.shape
    return HubConfig(
        architectures=(model.settings.name,),
        id2label={str(k): name for k, name in enumerate(model.class_names)},
        label2id={name: k for k, name in enumerate(model.class_names)},
        num_channels=C,
        image_size=(H, W),
    )


def gather_facts(
    source: ExportSource, options: ExportOptions, notes: tuple[str, ...] = ()
) -> CardFacts:
    """What the page tells of a model: of one with a run, its figures too.

    Raises:
        RecordError: a record of the run is damaged.
    """
    records = source.records
    status = read_status(records) if records is not None else None
    test = find_test(records, source.model.fingerprint) if records is not None else None
    val = None
    if records is not None and isinstance(status, ValidatedRun):
        val = judge_run(records, status).val
        if source.has_seen_val and test is None:
            notes = (*notes, REFITTED)
    return CardFacts(
        about=describe_served(source, options),
        network=source.model.settings.name,
        parameters=source.model.count_parameters(),
        data=status.data if status is not None else None,
        test=test,
        val=val,
        notes=notes,
        repository=options.push,
    )


def find_test(run: Path, fingerprint: str) -> TestRecord | None:
    """The result of a test of these very weights, by their run or by its study."""
    study = find_study(run)
    places = [run / TEST, *([study / TEST] if study is not None else [])]
    tests = (store.read_if_there(place, TestRecord) for place in places)
    return next((test for test in tests if test and test.weights == fingerprint), None)


def push_folder(folder: Path, repository: str) -> str:
    """Send a folder to the Hub, as the account that its own tools know.

    Returns: the address of what was sent.

    Raises:
        RecordError: the Hub did not take it; the folder stays.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        api = HfApi(library_name="smallvision")
        api.create_repo(repository, repo_type="model", exist_ok=True)
        sent = api.upload_folder(
            repo_id=repository, folder_path=folder, commit_message="Export of smallvision"
        )
    except Exception as error:
        # The client raises its own errors, those of HTTP and of the system.
        reason = TOKEN.sub("hf_…", " ".join(str(error).split()))[:MOST_REASON]
        raise RecordError(
            f"the Hub did not take {repository} ({reason or type(error).__name__}); {folder} is "
            f"whole: send it with 'hf upload {repository} {folder}', after 'hf auth login'"
        ) from error
    return str(sent.commit_url).partition("/commit/")[0]
