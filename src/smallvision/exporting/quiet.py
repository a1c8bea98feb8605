"""Silence while libraries that talk a lot do what is then checked by its outcome."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings and log lines of other libraries from people who can do nothing about them.

    torch's exporter tells of operators of a package that nobody asked for, and the quantizer of
    steps that were taken already.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
