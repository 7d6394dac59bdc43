from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from icf.dataset.cards.about import NOT_STATED, About
from icf.dataset.cards.data_card import datasheet
from icf.dataset.cards.origin import Origin
from icf.settings import ReleaseSettings
from tests.dataset.cards.conftest import Released


def told(released: Released, **summary: Any) -> About:
    about = released.prepared.about
    return replace(about, summary={**about.summary, **summary})


def stated(released: Released, **release: str) -> About:
    about = released.prepared.about
    settings = about.settings.model_copy(update={"release": ReleaseSettings(**release)})
    return replace(about, settings=settings)


def test_labels_that_nobody_gave_are_told_from_those_that_people_gave(
    released: Released,
) -> None:
    labels = {
        "people": 1_200,
        "unasked_references": 0,
        "model": 30,
        "accepted_at_probability": 0.99,
        "followers": 4,
    }
    said = told(released, labels=labels).labelled
    assert len(said) == 3
    assert said[0] == "People confirmed the identity of 1,200 faces."
    assert said[1].startswith(
        "30 were accepted by the embedder at a probability of 0.99"
    )
    assert said[2].startswith("4 follow another face")


def test_an_error_is_said_only_if_an_audit_proved_one(released: Released) -> None:
    assert "their error is not known" in " ".join(released.prepared.about.analysis)
    here = {"labels": 371, "audited": 330, "most_wrong": 12, "share": 12 / 330}
    audit = {
        "certified": True,
        "bound": 0.0123,
        "confidence": 0.95,
        "covers": {"all": here, "train": here, "test": here},
    }
    [*_, said] = told(released, audit=audit).analysis
    assert "at most 0.0123 of the labels are wrong" in said
    # The bound is of all that the sample was drawn from, and this release is a part.
    assert "330 of the 371 labels here" in said
    assert "at most 12 of them are wrong" in said


def test_what_a_person_states_takes_the_place_of_what_nobody_did(
    released: Released,
) -> None:
    about = stated(released)
    assert about.social_impact == NOT_STATED
    assert about.unstated == ("release.url", "release.creator")
    assert "no intended use" in about.uses[0]
    own = stated(released, social_impact="None.", misuses="Telling people apart.")
    assert own.social_impact == "None."
    assert own.uses[1] == "Not to be used: Telling people apart."


@pytest.mark.parametrize(("published", "year"), [("2027-03-04", "2027"), ("", "1970")])
def test_a_citation_is_made_of_what_is_known(
    released: Released, published: str, year: str
) -> None:
    about = stated(released, creator="Ann; Bob", published=published, name="Faces")
    assert "author = {Ann and Bob}" in about.citation
    assert f"year = {{{year}}}" in about.citation
    assert "url" not in about.citation
    assert stated(released, citation="@misc{x}").citation == "@misc{x}"


def came(released: Released, origin: Origin, **facts: Any) -> About:
    about = released.prepared.about
    return replace(about, facts=replace(about.facts, origin=origin, **facts))


def test_robots_txt_is_said_to_be_obeyed_only_where_something_was_downloaded(
    released: Released,
) -> None:
    harvested = released.prepared.about
    assert harvested.facts.origin.web > 0
    assert "robots.txt and X-Robots-Tag were obeyed" in harvested.collection
    own = came(released, Origin(own=3)).collection
    assert "3 pictures were read" in own
    assert "robots" not in own
    both = came(released, Origin(web=2, published=7, names=("Toons",))).collection
    assert "2 pictures were downloaded" in both
    assert "7 pictures were imported" in both
    assert "data sets (Toons)" in both


def test_labels_and_boxes_of_a_published_set_are_called_so(released: Released) -> None:
    origin = Origin(published=9, names=("Toons",), labelled=1_200, given_faces=1_500)
    about = came(released, origin, people=0, answers=0)
    told = replace(about, summary={**about.summary, "labels": _LABELS}).annotation
    assert told[0] == (
        "1,200 faces have the identity that a published data set gives them (Toons)."
    )
    assert not any("People" in line for line in told[:-1])
    assert about.preprocessing[0].startswith("1,500 faces came with the boxes of")
    assert about.annotators.startswith("Nobody answered in this catalogue.")
    assert not any("shown to people" in line for line in about.biases)


_LABELS = {"people": 1_200, "unasked_references": 0, "model": 0}


@pytest.mark.parametrize(
    ("formats", "said"),
    [
        ({"icartoonface"}, "Yes: the pictures are in it."),
        ({"webdataset", "icartoonface-lists"}, "Yes: the pictures are in it."),
        ({"relink"}, "these are downloaded again"),
        ({"icartoonface-lists"}, "No: it has lists and features, and no pictures."),
    ],
)
def test_a_release_is_said_to_have_pictures_only_if_it_has(
    released: Released, formats: set[str], said: str
) -> None:
    named = dict.fromkeys(formats, ".")
    assert said in datasheet(told(released, formats=named), [])
