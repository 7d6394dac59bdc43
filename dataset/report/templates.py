"""How the templates of the report are read: all text in them is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from icf.dataset.certificate import percent
from icf.dataset.report.process.measure_charts import number
from icf.pages.templates import html_templates


@cache
def environment() -> jinja2.Environment:
    """The templates of this folder, with the filters that they use."""
    made = html_templates(Path(__file__).parent)
    made.filters["thousands"] = lambda value: f"{value:,}"
    made.filters["signed"] = lambda value: f"{value:+,}" if value else "·"
    made.filters["percent"] = percent
    made.filters["short"] = number
    made.filters["words"] = lambda code: code.replace("_", " ")
    return made
