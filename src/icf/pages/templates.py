"""How the templates of pages are read: all text in them is escaped."""

from __future__ import annotations

from pathlib import Path

import jinja2


def html_templates(folder: Path) -> jinja2.Environment:
    """The HTML templates of a folder; a name that one of them lacks is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
