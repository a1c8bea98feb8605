"""How objects show themselves in a notebook: as the report draws them."""

from __future__ import annotations


class Displayed:
    """What a notebook shows by parts of the report, which `reporting/notebook.py` lists by class.

    The report lies above most of what it draws. So this is the one call from below, made when a
    notebook asks.
    """

    def _repr_html_(self) -> str:
        from smallvision.reporting.notebook import draw_object

        return draw_object(self)
