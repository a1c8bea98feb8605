"""A finished run and a test result, as values that show themselves in a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallvision.predict import SavedModel, load_model
from smallvision.records.files import read_json, read_jsonl
from smallvision.records.folder import METRICS, STATUS


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: its folder and what the records say; shows itself in a notebook."""

    folder: Path

    @property
    def status(self) -> dict[str, Any]:
        """The content of `status.json`."""
        return read_json(self.folder / STATUS)

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """One entry per epoch."""
        return read_jsonl(self.folder / METRICS)

    @property
    def seeds(self) -> dict[str, Any] | None:
        """The content of `seeds.json`, or None for a run without repeats."""
        path = self.folder / "seeds.json"
        return read_json(path) if path.exists() else None

    def load_model(self) -> SavedModel:
        """The model with the best weights.

        Raises:
            RecordError: it is missing or damaged.
        """
        return load_model(self.folder)

    def __repr__(self) -> str:
        status = self.status
        if status["status"] != "done":
            return f"Run({str(self.folder)!r}, {status['status']})"
        low, high = status["val"]["interval"]
        return (
            f"Run({str(self.folder)!r}, {status['name']}: {status['val']['accuracy']:.2%} on "
            f"{status['val']['n']:,} validation images [{low:.2%}, {high:.2%}], "
            f"epoch {status['best_epoch']})"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{line['epoch']}</td><td>{line['loss']:.3f}</td>"
            f"<td>{line['train_accuracy']:.2%}</td><td>{line['val_accuracy']:.2%}</td></tr>"
            for line in self.metrics
        )
        head = "<tr><th>epoch</th><th>loss</th><th>train</th><th>validation</th></tr>"
        return f"<p>{html.escape(repr(self))}</p><table>{head}{rows}</table>"


@dataclass(frozen=True, eq=False)
class TestResult:
    """The outcome of opening the test set; shows itself in a notebook."""

    __test__ = False  # pytest collects classes that begin with Test

    record: dict[str, Any]

    @property
    def accuracy(self) -> float:
        """Share of test images classified correctly."""
        return float(self.record["accuracy"])

    def __repr__(self) -> str:
        low, high = self.record["interval"]
        return (
            f"TestResult({self.record['model']}: {self.accuracy:.2%} on {self.record['n']:,} test "
            f"images [{low:.2%}, {high:.2%}], opening {self.record['openings']})"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(line['name'])}</td><td>{line['precision']:.3f}</td>"
            f"<td>{line['recall']:.3f}</td><td>{line['f1']:.3f}</td><td>{line['support']}</td></tr>"
            for line in self.record["per_class"]
        )
        head = "<tr><th></th><th>precision</th><th>recall</th><th>F1</th><th>n</th></tr>"
        return f"<p>{html.escape(repr(self))}</p><table>{head}{rows}</table>"
