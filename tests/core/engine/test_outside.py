"""Packages with steps that were written for the earlier names still load."""

from __future__ import annotations

from icf.engine import outside, plugins


def test_the_earlier_names_lead_to_the_same_things() -> None:
    assert outside.OutsideStep is plugins.PluginStep
    assert outside.from_table is plugins.from_table
