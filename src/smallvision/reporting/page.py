"""One HTML file that holds everything it shows and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError
from markupsafe import Markup

from smallvision import format as words
from smallvision.about.facts import describe_compute
from smallvision.errors import RecordError, SettingError
from smallvision.records.files import open_bytes, write_text
from smallvision.records.nofollow import exists, is_file
from smallvision.reporting.sections import (
    EXPLORATION_SECTIONS,
    RUN_SECTIONS,
    STUDY_SECTIONS,
    Section,
    phrases,
)
from smallvision.reporting.sections.first_screen import exploration_summary, run_summary, summary
from smallvision.reporting.view import (
    ExplorationView,
    LoneRunView,
    Picture,
    StudyView,
    call_image,
)
from smallvision.text import escape, show_lines, show_name, show_text

# What comes of drawing a record whose figures no run has.
DRAWING_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    UndefinedError,
)
GENERATOR = b'<meta name="generator" content="smallvision">'
TEMPLATES = Path(__file__).parent / "templates"
COLOURS = Path(__file__).parents[1] / "colours.css"  # which the server's page has too
FILTERS: dict[str, Callable[..., Any]] = {
    "accuracy": words.format_accuracy,
    "called": lambda image: call_image(image.index, image.source_file),
    "certainty": words.format_certainty,
    "class_means": words.describe_class_means,
    "compute": describe_compute,
    "count": words.format_count,
    "day": words.format_day,
    "duration": words.format_duration,
    "folds": phrases.describe_folds,
    "interval": words.format_interval,
    "latency": words.format_latency,
    "lines": lambda text: mark_up(show_lines(text)),
    "moment": words.format_moment,
    "name": show_name,
    "number": words.format_number,
    "p": words.format_p,
    "percent": words.format_percent,
    "ratio": words.format_ratio,
    "seeds": phrases.describe_seeds,
    "setting": words.format_setting,
    "shape": phrases.describe_shape,
    "share": words.format_share,
    "short_hash": words.shorten_hash,
    "shown_as": lambda image: call_image(image.number, image.source_file),
    "signed": words.format_signed,
    "signed_span": words.format_signed_span,
    "size": words.format_size,
    "span": words.format_span,
    "times": words.format_times,
    "whole": lambda text: mark_up(escape(text)),
    "words": words.join_words,
}
View = TypeVar("View")


@dataclass(frozen=True)
class PageSection:
    """A section of a page with what its template draws."""

    name: str
    title: str
    content: object


class Numbering:
    """Numbers figures and tables in the order in which the page shows them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def next(self, kind: str) -> str:
        """Give the next label of a kind, `Figure 3`."""
        self.counts[kind] += 1
        return f"{kind} {self.counts[kind]}"


def render_study(study: StudyView, parts: Sequence[str] = ()) -> str:
    """Draw the page of a study; the same records give the same bytes.

    Args:
        study: the study.
        parts: names of sections that are drawn alone; none for the whole page.
    """
    if parts:
        sections, head = choose_parts(STUDY_SECTIONS, study, parts)
        return render_part(
            study.record.name,
            sections,
            head=head,
            summary=summary.gather(study),
            folds=study.record.folds,
        )
    return fill(
        "study.html.j2",
        summary=summary.gather(study),
        sections=gather_sections(STUDY_SECTIONS, study),
        folds=study.record.folds,
    )


def render_run(folder: LoneRunView, parts: Sequence[str] = ()) -> str:
    """Draw the page of a lone run and of the runs inside it, or parts of it."""
    if parts:
        sections, head = choose_parts(RUN_SECTIONS, folder, parts)
        first = run_summary.gather(folder)
        return render_part(first.name, sections, head=head and f"run_{head}", summary=first)
    return fill(
        "run.html.j2",
        summary=run_summary.gather(folder),
        sections=gather_sections(RUN_SECTIONS, folder),
        folds=1,
    )


@contextmanager
def guard_drawing(what: object) -> Iterator[None]:
    """Say of records that cannot be drawn, in one line, that they are damaged.

    Raises:
        RecordError: drawing failed.
    """
    try:
        yield
    except DRAWING_ERRORS as error:
        raise RecordError(
            f"{what} holds a record with figures that no run has ({error!r}); restore it"
        ) from error


def choose_parts(
    table: tuple[Section[View], ...], view: View, parts: Sequence[str]
) -> tuple[tuple[PageSection, ...], str]:
    """The sections of some names, in the order of the page, and `summary` if it is among the names.

    Raises:
        SettingError: a name is that of no section, or of one that has nothing to say here.
    """
    found = gather_sections(table, view)
    known = ["summary", *(one.name for one in found)]
    for name in parts:
        if name not in known:
            raise SettingError(f"this report has no section {name!r}; it has {', '.join(known)}")
    sections = tuple(one for one in found if one.name in parts)
    return sections, "summary" if "summary" in parts else ""


def render_part(title: str, sections: Sequence[PageSection], **parts: object) -> str:
    """Draw sections without the bar and the foot of a page, for a frame in a notebook.

    Args:
        title: of the frame.
        sections: in order.
        parts: `head`, the name of a template above them, and what that draws.
    """
    defaults = {"head": "", "folds": 1}
    return fill("part.html.j2", title=title, sections=sections, **(defaults | parts))


def render_exploration(view: ExplorationView) -> str:
    """Draw the page of an exploration."""
    return fill(
        "exploration.html.j2",
        summary=exploration_summary.gather(view),
        sections=gather_sections(EXPLORATION_SECTIONS, view),
    )


def gather_sections(table: tuple[Section[View], ...], view: View) -> tuple[PageSection, ...]:
    """Collect what each section draws; a section with nothing to say is left out."""
    contents = ((section, section.gather(view)) for section in table)
    return tuple(
        PageSection(section.name, section.title, content)
        for section, content in contents
        if content is not None
    )


def fill(template: str, **parts: object) -> str:
    """Fill a template with its parts, and with what every page carries."""
    return fill_page(template, ("page.css",), "page.js", {"numbering": Numbering(), **parts})


def fill_page(
    template: str,
    styles: Sequence[str],
    script: str,
    parts: Mapping[str, object],
    *,
    asks: bool = False,
) -> str:
    """Fill a template with its parts, its style sheets after the colours, and its script.

    Args:
        template, styles, script: names of files among the templates.
        parts: what the template draws.
        asks: whether the script may ask the server that the page comes from.
    """
    paths = (COLOURS, *(TEMPLATES / name for name in styles))
    style = "".join(path.read_text(encoding="utf-8") for path in paths)
    text = (TEMPLATES / script).read_text(encoding="utf-8")
    policy = write_policy((style,), (text,), asks=asks)
    found = load_templates().get_template(template)
    return found.render(**parts, policy=policy, style=style, script=text)


@cache
def load_templates() -> Environment:
    """Load the templates: names of records are escaped wherever they stand."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        finalize=finish_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    environment.globals |= {"pixel_scale": scale_pixels, "embed_json": embed_json, "zip": zip}
    return environment


def finish_text(value: object) -> object:
    """A value as the page shows it: no text of a record acts, and none floods the page.

    Every value that a template writes passes here, but for markup: what macros made of values that
    passed, and what the filters `lines` (text of several lines) and `whole` (the long text of
    drawings and pictures) made.
    """
    if hasattr(value, "__html__"):
        return value
    return keep_together(show_text(str(value)))


def keep_together(text: str) -> str:
    """A text whose numbers are not parted from their units at the end of a line."""
    return re.sub(r"(?<=\d) (?=(?:%|×|points|[kMG]?B|m?s|min|h)(?![\w]))", "\u00a0", text)


def mark_up(text: str) -> Markup:
    """Markup that shows a text."""
    return Markup.escape(text)


def scale_pixels(picture: Picture, room: int) -> int:
    """Give the whole number of screen pixels per pixel that fills the room."""
    return max(1, room // picture.width)


def embed_json(value: object) -> Markup:
    """JSON that cannot end the script element it stands in, whatever text it holds.

    The page's script shows its texts, so they must be fit to be shown.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text)  # noqa: S704 - nothing is left in it that could end the element


def write_policy(styles: tuple[str, ...], scripts: tuple[str, ...], *, asks: bool = False) -> str:
    """Write a content security policy that runs our own text only and loads nothing.

    Args:
        styles, scripts: what may be applied and run.
        asks: whether a script may ask the server that the page comes from.
    """
    rules = {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": " ".join(map(hash_source, styles)),
        "script-src": " ".join(map(hash_source, scripts)) or "'none'",
        **({"connect-src": "'self'"} if asks else {}),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def hash_source(text: str) -> str:
    """Give the hash by which a policy knows an inline element."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def write_page(path: Path, text: str) -> None:
    """Write a page, in place of an earlier page if there is one.

    Raises:
        RecordError: there is a file that is no page, or it cannot be written.
    """
    check_page(path)
    write_text(path, text)


def check_page(path: Path) -> None:
    """Check that a page may be written: there is no file, or an earlier page of ours.

    Raises:
        RecordError: there is something else.
    """
    if not exists(path):
        return
    if is_file(path):
        with open_bytes(path) as file:
            if GENERATOR in file.read(2000):
                return
    raise RecordError(
        f"{path} is there and is no page of smallvision; move it away or name another"
    )
