"""Settings of the documentation site, which `make docs` builds with Sphinx from this folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

import smallvision

project = "smallvision"
author = "The smallvision authors"
project_copyright = author
release = version = smallvision.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"  # its fonts are those of the reader's machine: nothing is loaded from elsewhere
html_title = f"smallvision {version}"
html_theme_options = {
    # The accent of the report and of the page of the server (`smallvision/colours.css`).
    "light_css_variables": {"color-brand-primary": "#1a56a8", "color-brand-content": "#1a56a8"},
    "dark_css_variables": {"color-brand-primary": "#83b4f8", "color-brand-content": "#83b4f8"},
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False

myst_heading_anchors = 3  # `page.md#heading` is a link, and one to no heading is a warning
default_role = "code"  # docstrings write code in single backticks, as these pages do
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
maximum_signature_line_length = 70
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# Code with Unicode arrows, shortened output or several shells' words is shown as it is.
highlight_language = "none"

# Files outside this folder that have a page here; the page holds nothing but an `include`.
DOCS = Path(__file__).parent
INCLUDED = {
    DOCS.parent / "CONTRIBUTING.md": "contributing",
    DOCS.parent / "CHANGELOG.md": "changelog",
    DOCS.parent / "SECURITY.md": "security",
    DOCS.parent / "results" / "README.md": "results",
}
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\n]+)\]\((?P<path>[\w./-]+)(?P<anchor>#[\w-]*)?\)")


def lead_inside(app: Sphinx, docname: str, source: list[str]) -> None:
    """Lead links to files of the repository to their pages here; without a page, leave the text."""
    place = next((path for path, page in INCLUDED.items() if page == docname), None)
    if place is not None:
        source[0] = place.read_text(encoding="utf-8")
        app.env.note_dependency(str(place))
    folder = (place or Path(app.env.doc2path(docname))).parent

    def lead(link: re.Match[str]) -> str:
        target = (folder / link["path"]).resolve()
        if target in INCLUDED:
            target = DOCS / f"{INCLUDED[target]}.md"
        elif target.exists() and not (target.is_relative_to(DOCS) and target.is_file()):
            return link["text"]
        elif not target.exists():
            return link[0]  # a warning follows
        way = os.path.relpath(target, Path(app.env.doc2path(docname)).parent)
        return f"[{link['text']}]({way}{link['anchor'] or ''})"

    source[0] = LINK.sub(lead, source[0])


def setup(app: Sphinx) -> None:
    """Register what this site does to its pages."""
    app.connect("source-read", lead_inside)
