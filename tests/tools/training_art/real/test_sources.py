"""What trains is permissive, and is not what models are measured on."""

from __future__ import annotations

from icf.tools.ruler import manifest
from icf.tools.training_art.real.sources import PERMISSIVE, SOURCES


def test_every_source_may_train() -> None:
    assert {source.licence for source in SOURCES} <= PERMISSIVE


def test_no_source_is_on_the_ruler() -> None:
    measured = {source.package for source in manifest.sources().values()}
    assert measured
    assert not measured & {source.package for source in SOURCES}


def test_a_source_is_pinned_where_its_registry_has_versions() -> None:
    wanted = {source.name: source.requirement for source in SOURCES}
    assert wanted["kenney"] == "arcade==3.3.3"
    assert wanted["crew"] == "@kaplayjs/crew@2.1.0"
    assert wanted["clip-people"] == "openclipart-svg"


def test_a_card_says_whose_drawings_they_are() -> None:
    [cats] = [source for source in SOURCES if source.name == "cats"]
    assert cats.for_card() == {
        "name": "Robohash's cats, by David Revoy",
        "source": "PyPI robohash 2.0",
        "licence": "CC-BY-4.0",
    }
