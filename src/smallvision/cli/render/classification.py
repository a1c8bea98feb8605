"""Classified pictures in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.tables import new_table
from smallvision.format import format_certainty, format_percent, format_span, join_words
from smallvision.stats.intervals import wilson_interval
from smallvision.text import show_name

if TYPE_CHECKING:
    from smallvision.runs.classify import Answer

MOST_NAMED = 4  # classes of a prediction set
ROWS = 64  # pictures of a table, which are shown as soon as they are answered


def shorten_set(names: Sequence[str]) -> str:
    """The classes of a prediction set as `cat or dog`; of many the first ones."""
    shown = [show_name(name) for name in names]
    if len(names) > MOST_NAMED:
        shown = [*shown[: MOST_NAMED - 1], f"{len(names) - MOST_NAMED + 1:,} more"]
    return join_words(shown, "or")


class AnswerPrinter:
    """Prints answers in tables as they come, then what they sum up to.

    Args:
        class_names: K names.
        console: where to print.
        top: classes told of a picture.
        least: the probability below which a picture is given no class.
        in_set: the probability from which a class belongs to a prediction set; None for no sets.
    """

    def __init__(
        self,
        class_names: Sequence[str],
        console: PlainConsole,
        *,
        top: int,
        least: float,
        in_set: float | None = None,
    ) -> None:
        self.class_names, self.console = class_names, console
        self.top, self.least, self.in_set = min(top, len(class_names)), least, in_set
        self.counts: Counter[str | None] = Counter()  # pictures of each class, None for unsure
        self.bad = self.known = self.right = self.unlike = 0
        self.rows: list[Answer] = []
        self.known_classes = frozenset(class_names)

    def rank(self, answer: Answer, count: int) -> list[tuple[str, float]]:
        """The most probable classes of a picture that was read."""
        from smallvision.stats.probabilities.answers import rank_classes

        assert answer.probabilities is not None, "unreadable pictures have no classes"
        return rank_classes(self.class_names, answer.probabilities, count)

    def name(self, answer: Answer) -> str | None:
        """The class of a picture that was read; None where that is unsure."""
        name, share = self.rank(answer, 1)[0]
        return name if share >= self.least else None

    def list_set(self, answer: Answer) -> tuple[str, ...]:
        """The prediction set of a picture that was read, the most probable class first."""
        from smallvision.stats.probabilities.answers import name_set

        assert answer.probabilities is not None, "unreadable pictures have no classes"
        assert self.in_set is not None, "somebody asked for sets"
        return name_set(self.class_names, answer.probabilities, self.in_set)

    def count(self, answer: Answer) -> None:
        """Count an answer; a folder that is named like a class tells what is right."""
        if answer.probabilities is None:
            self.bad += 1
            return
        self.counts[self.name(answer)] += 1
        self.unlike += bool(answer.is_unlike)
        *_, outer, inner = ("", *answer.path.absolute().parent.parts)
        for true in (inner, f"{outer}/{inner}"):  # the second of two levels of classes
            if true in self.known_classes:
                self.known += 1
                self.right += self.rank(answer, 1)[0][0] == true
                return

    def add(self, answer: Answer) -> None:
        """Count an answer, and print it with some others."""
        self.count(answer)
        self.rows.append(answer)
        if len(self.rows) == ROWS:
            self.print_rows()

    def print_rows(self) -> None:
        """Print the answers that wait, those that could not be read after the others."""
        further = [word for _ in range(self.top - 1) for word in ("next", "certainty")]
        marked = any(answer.is_unlike for answer in self.rows)
        further += (["set"] if self.in_set is not None else []) + ([""] if marked else [])
        table = new_table("picture", "class", "certainty", *further)
        for column in table.columns[1:]:
            if column.header in ("class", "next", "set"):
                column.justify, column.no_wrap, column.overflow = "left", False, "fold"
        for answer in self.rows:
            if answer.probabilities is None:
                continue
            cells = [styled(str(answer.path))]
            for place, (name, share) in enumerate(self.rank(answer, self.top)):
                shown = show_name(name) if place or share >= self.least else "unsure"
                cells += [styled(shown), styled(format_certainty(share))]
            if self.in_set is not None:
                cells.append(styled(shorten_set(self.list_set(answer))))
            if answer.is_unlike:
                cells.append(styled(("unlike", "yellow")))
            table.add_row(*cells)
        if table.row_count:
            self.console.print(table)
        for answer in self.rows:
            if answer.error is not None:
                line = styled((f"cannot be read: {answer.error}", "red"))
                self.console.print(line, soft_wrap=True)
        self.rows.clear()

    def finish(self, notes: Sequence[str]) -> None:
        """Print the answers that wait, how many pictures each class has, and what was changed."""
        self.print_rows()
        total = self.counts.total()
        if total > 1:
            table = new_table("class", "pictures", "share")
            for name, count in self.counts.most_common():
                shown = "unsure" if name is None else name
                table.add_row(shown, f"{count:,}", format_percent(count / total, total))
            self.console.print(table)
        for note in notes:
            self.console.print(note)
        if self.unlike:
            self.console.print(
                f"Unlike what the model was trained on: {self.unlike:,} of {total:,} "
                f"picture{'s' if total > 1 else ''}, whose class says little. Of pictures like its "
                "own, about 5 in 100 are called so too.",
                style="yellow",
            )
        if self.known:
            span = format_span(wilson_interval(self.right, self.known), self.known)
            self.console.print(
                f"Accuracy: {format_percent(self.right / self.known, self.known)} on "
                f"{self.known:,} pictures that lie in folders named like classes (95 % interval "
                f"{span}). If these are test pictures, choose no model by it."
            )
        if self.bad:
            self.console.print(f"{self.bad:,} of {self.bad + total:,} files could not be read.")
