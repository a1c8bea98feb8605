"""One HTML file that holds everything it shows and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from smallvision import format as words
from smallvision.errors import RecordError
from smallvision.format import format_p
from smallvision.records.files import write_text
from smallvision.reporting.charts import (
    confusion_matrix,
    curves,
    ladder,
    reliability,
    schedules,
    slices,
)
from smallvision.reporting.pictures import Picture
from smallvision.reporting.sections import data, ensemble, phrases, summary, tuning
from smallvision.reporting.view import About, Rung, Study

# What comes of drawing a record that is not as it should be.
UNLIKE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, UndefinedError)
DOCTYPE = b"<!doctype html"
TEMPLATES = Path(__file__).parent / "templates"
SECTIONS = (
    ("data", "Data"),
    ("protocol", "Protocol"),
    ("training", "Training"),
    ("ladder", "Ladder"),
    ("tuning", "Tuning"),
    ("ensemble", "Ensemble"),
    ("evaluation", "Evaluation"),
    ("errors", "Errors"),
    ("reproduce", "Reproduce"),
)
FILTERS: dict[str, Callable[..., Any]] = {
    "accuracy": words.format_accuracy,
    "count": words.format_count,
    "day": words.format_day,
    "duration": words.format_duration,
    "costs": phrases.describe_costs,
    "end": tuning.describe_end,
    "help": phrases.describe_help,
    "interval": words.format_interval,
    "latency": words.format_latency,
    "machine": phrases.describe_machine,
    "metric": phrases.name_metric,
    "moment": words.format_moment,
    "number": words.format_number,
    "p": format_p,
    "percent": words.format_percent,
    "points": words.format_points,
    "seeds": phrases.describe_seeds,
    "setting": words.format_setting,
    "share": words.format_share,
    "signed": words.format_signed,
    "ratio": words.format_ratio,
    "shape": summary.describe_shape,
    "short_hash": words.shorten_hash,
    "size": words.format_size,
    "times": words.format_times,
    "verdict": ladder.name_verdict,
    "words": words.join_words,
}


class Numbering:
    """Numbers figures and tables in the order in which the page shows them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def next(self, kind: str) -> str:
        """Give the next label of a kind, `Figure 3`."""
        self.counts[kind] += 1
        return f"{kind} {self.counts[kind]}"


@cache
def load_templates() -> Environment:
    """Load the templates: names of records are escaped wherever they stand."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        finalize=keep_together,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    environment.globals["pixel_scale"] = scale_pixels
    return environment


def keep_together(value: object) -> object:
    """A text whose numbers are not parted from their units at the end of a line."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return re.sub(r"(?<=\d) (?=(?:%|×|points|[kMG]?B|m?s|min|h)(?![\w]))", "\u00a0", value)
    return value


def render_page(study: Study) -> str:
    """Draw the whole page; the same records give the same bytes."""
    parts = gather_sections(study)
    figures = gather_figures(study, parts)
    return fill("page.html.j2", figures, list_sections(parts), **parts, study=study)


def render_run(runs: Sequence[Rung], about: About) -> str:
    """Draw the page of a lone run, first of the runs, and of those that lie inside it."""
    run = runs[0]
    parts = {
        **gather_training(runs, run.name),
        "run": run,
        "facts": summary.list_run_facts(run, about),
        "environment": phrases.flatten_record(about.environment),
        "recipe": run if run.recipe else None,
    }
    sections = (("training", "Training"), ("recipe", "Recipe"))
    return fill("run.html.j2", {"curves": curves.build_figures(runs)}, sections, **parts)


def fill(
    template: str, figures: dict[str, Any], sections: Sequence[tuple[str, str]], **parts: Any
) -> str:
    """Fill a template with its parts, and with what every page carries."""
    # Four megabytes of plotly are carried only where there is a curve to draw.
    plotly = get_plotlyjs() if any(figures.values()) else ""
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return (
        load_templates()
        .get_template(template)
        .render(
            **parts,
            sections=sections,
            place={name: number for number, (name, _) in enumerate(sections, start=1)},
            numbering=Numbering(),
            policy=write_policy((style, *find_styles(plotly)), (plotly, script)),
            style=style,
            script=script,
            plotly=plotly,
            figures=embed_json(figures),
        )
    )


def list_sections(parts: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """List the sections of this page: the later ones only where their records exist."""
    absent = {name for name in ("tuning", "ensemble", "errors") if parts[name] is None}
    return tuple(section for section in SECTIONS if section[0] not in absent)


def gather_figures(study: Study, parts: dict[str, Any]) -> dict[str, Any]:
    """Every interactive figure; the curves by the name of their rung."""
    search, vote = parts["tuning"], parts["ensemble"]
    return {
        "curves": curves.build_figures(study.rungs),
        "trials": tuning.build_parallel(search.tuning) if search else None,
        "snapshots": ensemble.build_snapshots(vote.rung) if vote else None,
    }


def gather_training(rungs: Sequence[Rung], first: str | None) -> dict[str, Any]:
    """What the section on training draws; `first` is the rung whose curves are shown at first."""
    panels, panel_scale = curves.draw_panels(rungs)
    drawn = [panel.rung.name for panel in panels]
    return {
        "panels": panels,
        "panel_scale": panel_scale,
        "shown": first if first in drawn else next(reversed(drawn), None),
        "schedules": schedules.draw_schedules(rungs),
        "trained": tuple(rung for rung in rungs if rung.outcome.epochs_done is not None),
    }


def gather_sections(study: Study) -> dict[str, Any]:
    """Everything the templates draw, by the name they know it under."""
    exploration, card, winner = study.exploration, study.scorecard, study.winner
    return {
        "headline": summary.write_headline(study),
        "protocol": summary.describe_protocol(study),
        "alerts": summary.list_alerts(study),
        "facts": summary.list_facts(study),
        "limits": summary.list_limits(study.card.goal.limits, winner.outcome if winner else None),
        "beside": summary.compare_val(study),
        "gains": summary.sum_up_gains(study),
        "ladder": ladder.draw_ladder(study),
        "mosaic": exploration.random if exploration else None,
        "mosaic_height": data.crop_sheet(exploration, study.card.data.shape[1]),
        "exploration": exploration,
        "classes": data.list_specimens(exploration) if exploration else None,
        "balance": data.draw_skyline(exploration) if exploration else None,
        "histograms": data.draw_histograms(exploration.channels) if exploration else (),
        "parts": data.divide_images(study),
        **gather_training(study.rungs, study.card.best),
        "card": card,
        "matrix": confusion_matrix.draw_matrix(card) if card else None,
        "class_plot": confusion_matrix.plot_classes(card) if card else None,
        "versus": ladder.compare_test(study),
        "trust": reliability.draw_trust(study),
        "tuning": tuning.draw_search(study),
        "ensemble": ensemble.draw_vote(study),
        "errors": study.mistakes,
        "slices": slices.draw_slices(study.mistakes) if study.mistakes else None,
        "cells": embed_json(confusion_matrix.list_cells(card) if card else {}),
        "environment": phrases.flatten_record(study.environment or {}),
        "recipe": winner if winner and winner.recipe else None,
    }


def scale_pixels(picture: Picture, room: int) -> int:
    """Give the whole number of screen pixels per pixel that fills the room."""
    return max(1, room // picture.width)


def embed_json(value: object) -> str:
    """JSON that cannot end the script element it stands in, whatever text it holds."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def write_policy(styles: tuple[str, ...], scripts: tuple[str, ...]) -> str:
    """Write a content security policy that runs our own text only and loads nothing."""
    return "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            # The empty text is the sheet that plotly fills rule by rule.
            f"style-src {' '.join(map(hash_source, ('', *styles)))}",
            f"script-src {' '.join(map(hash_source, filter(None, scripts)))}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def find_styles(plotly: str) -> tuple[str, ...]:
    """Find the style sheets that plotly adds when it starts; unknown ones would only be refused."""
    return tuple(re.findall(r"\.textContent='([^'\\]*)',document\.head\.appendChild", plotly))


def hash_source(text: str) -> str:
    """Give the hash by which a policy knows an inline element."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def write_page(path: Path, text: str) -> None:
    """Write a page, in place of an earlier page if there is one.

    Raises:
        RecordError: there is a file that is no page, or it cannot be written.
    """
    if path.is_file() and DOCTYPE not in path.read_bytes()[:100].lower():
        raise RecordError(f"{path} is there and is no page; name another file with --out")
    write_text(path, text)
