"""A finished run and a test result, as values that show themselves in a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallvision.errors import RecordError
from smallvision.format import choose_digits, format_p
from smallvision.recipes import Recipe, read_recipe
from smallvision.records.fields import POOLED
from smallvision.records.files import read_json, read_jsonl
from smallvision.records.layout import METRICS, STATUS, TUNE

if TYPE_CHECKING:  # a table of runs needs no torch
    from smallvision.predict import SavedModel

CALIBRATION = {"calibration error (ECE)": "ece", "log loss": "nll", "Brier score": "brier"}


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
        """One entry per epoch; none for an ensemble, which is not trained.

        Raises:
            RecordError: an entry is damaged, or, of a finished run, missing.
        """
        status = self.status
        if status.get("kind") == "ensemble":
            return []
        lines = read_jsonl(self.folder / METRICS)
        if status["status"] == "done" and len(lines) != status["epochs_done"]:
            raise RecordError(
                f"{self.folder / METRICS} has {len(lines)} lines for {status['epochs_done']} "
                "epochs; restore it"
            )
        return lines

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
        from smallvision.predict import load_model

        return load_model(self.folder)

    def __repr__(self) -> str:
        status = self.status
        if status["status"] != "done":
            return f"Run({str(self.folder)!r}, {status['status']})"
        if status.get("kind") == POOLED:
            return f"Run({str(self.folder)!r}, {status['name']}, trained on all images)"
        val = status["val"]
        low, high = (show_rate(bound, val["n"]) for bound in val["interval"])
        return (
            f"Run({str(self.folder)!r}, {status['name']}: {show_rate(val['accuracy'], val['n'])} "
            f"on {val['n']:,} validation images [{low}, {high}], epoch {status['best_epoch']})"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{line['epoch']}</td><td>{line['loss']:.3f}</td>"
            f"<td>{show_rate(line['train_accuracy'], line.get('train_n', 0))}</td>"
            f"<td>{show_rate(line['val_accuracy'], line.get('val_n', 0))}</td></tr>"
            for line in self.metrics
        )
        head = "<tr><th>epoch</th><th>loss</th><th>train</th><th>validation</th></tr>"
        return f"<p>{html.escape(repr(self))}</p><table>{head}{rows}</table>"


def show_rate(rate: float | None, n: int) -> str:
    """A rate of n images in percent, or a dash where nothing was measured."""
    return "–" if rate is None else f"{rate:.{choose_digits(n)}%}"


@dataclass(frozen=True, eq=False)
class Tuning:
    """A finished search: its folder and what it found; shows itself in a notebook."""

    folder: Path

    @property
    def record(self) -> dict[str, Any]:
        """The content of `tune.json`."""
        return read_json(self.folder / TUNE)

    @property
    def recipe(self) -> Recipe:
        """The recipe with the winner's values."""
        return read_recipe(self.folder / "tuned.toml")

    def __repr__(self) -> str:
        record = self.record
        best, rerun = record["best"], record["rerun"] or {}
        return (
            f"Tuning({str(self.folder)!r}, {record['recipe']}: trial {best['number']} of "
            f"{len(record['trials'])} is best, {best['accuracy']:.2%} on the validation images; "
            f"{rerun.get('sentence', 'not rerun with other seeds')})"
        )


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
        n = self.record["n"]
        low, high = (show_rate(bound, n) for bound in self.record["interval"])
        return (
            f"TestResult({self.record['model']}: {show_rate(self.accuracy, n)} on {n:,} test "
            f"images [{low}, {high}], opening {self.record['openings']})"
        )

    def _repr_html_(self) -> str:
        figures = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
            for name, value in list_figures(self.record)
        )
        rows = "".join(
            f"<tr><td>{html.escape(line['name'])}</td><td>{line['precision']:.3f}</td>"
            f"<td>{line['recall']:.3f}</td><td>{line['f1']:.3f}</td><td>{line['support']}</td></tr>"
            for line in self.record["per_class"]
        )
        head = "<tr><th></th><th>precision</th><th>recall</th><th>F1</th><th>n</th></tr>"
        return (
            f"<p>{html.escape(repr(self))}</p><table>{figures}</table><table>{head}{rows}</table>"
        )


def list_figures(card: dict[str, Any]) -> list[tuple[str, str]]:
    """What a scorecard says beyond the accuracy, as names and values for people.

    Args:
        card: the content of `test.json`, or the figures on validation; one written by an earlier
            version lacks some and gets fewer lines.
    """
    figures = [(f"top-{k}", f"{share * 100:.1f} %") for k, share in card.get("topk", {}).items()]
    figures.append(("macro F1", f"{card['macro']['f1']:.3f}"))
    calibration = card.get("calibration")
    if calibration and card.get("val") is None and not card.get("twin"):
        # Trained on all images, so none was left to fit a temperature on.
        figures += [
            (name, f"{calibration['before'][key]:.3f}, not calibrated")
            for name, key in CALIBRATION.items()
        ]
    elif calibration:
        before, after = calibration["before"], calibration["after"]
        figures.append(("temperature, from validation", f"{calibration['temperature']:.2f}"))
        figures += [
            (name, f"{before[key]:.3f} -> {after[key]:.3f} with temperature")
            for name, key in CALIBRATION.items()
        ]
    twin = card.get("twin")
    if twin:
        low, high = twin["interval"]
        figures.append(
            (
                "trained without validation images",
                f"{twin['accuracy'] * 100:.1f} % ({low * 100:.1f} to {high * 100:.1f})",
            )
        )
    if against := phrase_difference(twin or card):
        figures.append(("against validation", against))
    if seen := card.get("lookalikes"):
        figures.append(("against training", seen["sentence"]))
    return figures


def phrase_difference(card: dict[str, Any]) -> str | None:
    """Whether the test accuracy differs from validation beyond chance, in words; None if unasked.

    Args:
        card: a scorecard on test images.
    """
    if card.get("val") is None:
        return None
    points = f"{(card['accuracy'] - card['val']['accuracy']) * 100:+.1f}".replace("-", "−")
    verdict = "more than chance explains" if card["differs_from_val"] else "within chance"
    evidence = f" ({format_p(card['p_vs_val'])})" if card.get("p_vs_val") is not None else ""
    return f"{points} points, {verdict}{evidence}"
