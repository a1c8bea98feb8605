"""A page in a frame of its own, for notebooks."""

from __future__ import annotations

import html

# The frame becomes as high as what it holds, and takes the theme that the notebook says it has.
ADAPT = (
    "const d=this.contentDocument.documentElement,t=document.body.dataset.jpThemeLight;"
    "if(t)d.dataset.theme=t===&quot;true&quot;?&quot;light&quot;:&quot;dark&quot;;"
    "this.height=Math.ceil(d.getBoundingClientRect().height)"
)


def frame_page(page: str) -> str:
    """Put a page into a frame, which keeps its styles and ids out of the notebook's.

    Where no script may run, the frame has a height of its own, and scrolls.
    """
    source = html.escape(page, quote=True)
    return (
        f'<iframe srcdoc="{source}" width="100%" height="800" frameborder="0" onload="{ADAPT}">'
        "</iframe>"
    )
