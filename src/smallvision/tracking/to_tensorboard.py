"""TensorBoard: one event file for each run, whose bytes follow from the records.

So what is on the disk either begins as what it should be, and is gone on with, or is written anew:
nothing stands in it twice, and a record that a kill tore in half is completed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from typing import Any

from smallvision.records.files import make_folder, read_bytes, write_bytes
from smallvision.records.nofollow import exists, open_file
from smallvision.tracking.readings import TrackedRun
from smallvision.tracking.tracker import TrackerPlace, import_library

VERSION = "brain.Event:2"  # of the format, in the first event of a file
MOST_BYTES = 256_000_000


class TensorBoardTracker:
    """Event files in a folder.

    Args:
        place: the folder.

    Raises:
        SettingError: TensorBoard is not installed.
    """

    def __init__(self, place: TrackerPlace) -> None:
        self.place = place
        self.events = import_library("tensorboard.compat.proto.event_pb2", "tensorboard")
        self.summaries = import_library("tensorboard.compat.proto.summary_pb2", "tensorboard")
        self.tensors = import_library("tensorboard.compat.proto.tensor_pb2", "tensorboard")
        self.types = import_library("tensorboard.compat.proto.types_pb2", "tensorboard")
        records = import_library("tensorboard.summary.writer.record_writer", "tensorboard")
        self.make_writer = records.RecordWriter

    def write(self, run: TrackedRun) -> None:
        """Go on with the file of a run, or write it anew where its records begin otherwise."""
        folder = self.place.folder / f"{run.place}-{run.key[:6]}"  # of one run alone
        path = folder / f"events.out.tfevents.0.smallvision.{run.key}"
        content = self.spell(run)
        make_folder(path.parent)
        there = read_bytes(path, MOST_BYTES) if exists(path) else None
        if there is None or not content.startswith(there):
            write_bytes(path, content)
        elif len(content) > len(there):
            with os.fdopen(open_file(path, os.O_WRONLY | os.O_APPEND), "ab") as file:
                file.write(content[len(there) :])

    def close(self) -> None:
        """Every file is whole already."""

    @property
    def hint(self) -> str:
        """The command that shows the folder."""
        return f"tensorboard --logdir {self.place.folder}"

    def spell(self, run: TrackedRun) -> bytes:
        """The content of a run's file."""
        content = io.BytesIO()
        writer = self.make_writer(content)
        for event in self.list_events(run):
            writer.write(event.SerializeToString(deterministic=True))
        return content.getvalue()

    def list_events(self, run: TrackedRun) -> Iterator[Any]:
        """The version, the settings, each epoch, and at last what came of the run."""
        yield self.events.Event(wall_time=run.created, file_version=VERSION)
        yield self.make_event(run.created, 0, [self.make_text("settings", run.params)])
        last, seconds = 0, 0.0
        for last, figures in run.epochs.items():
            seconds = figures["seconds"]
            values = [self.make_scalar(name, value) for name, value in figures.items()]
            yield self.make_event(run.created + seconds, last, values)
        if run.is_over:
            values = [self.make_scalar(name, value) for name, value in run.figures.items()]
            values.append(self.make_text("run", run.tags))
            yield self.make_event(run.created + seconds, last, values)

    def make_event(self, time: float, step: int, values: list[Any]) -> Any:
        """An event of several values."""
        summary = self.summaries.Summary(value=values)
        return self.events.Event(wall_time=time, step=step, summary=summary)

    def make_scalar(self, name: str, value: float) -> Any:
        """A number."""
        return self.summaries.Summary.Value(tag=name, simple_value=value)

    def make_text(self, name: str, pairs: Mapping[str, str]) -> Any:
        """Lines of names and values, indented so that Markdown shows them as they are."""
        text = "\n".join(f"    {key} = {value}" for key, value in pairs.items())
        tensor = self.tensors.TensorProto(
            dtype=self.types.DT_STRING, string_val=[text.encode(errors="replace")]
        )
        metadata = self.summaries.SummaryMetadata(
            plugin_data=self.summaries.SummaryMetadata.PluginData(plugin_name="text"),
            data_class=self.summaries.DATA_CLASS_TENSOR,
        )
        return self.summaries.Summary.Value(tag=name, tensor=tensor, metadata=metadata)
