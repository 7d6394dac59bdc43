"""What there is to say about a release, in sentences: the same for every card.

Every sentence is made of what the catalogue, the settings and the plan know. What they
cannot know comes from the settings ``[release]``; where these are empty, it is said
that nobody stated it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from icf.codes import FETCHED, FaceReason, FetchStatus, ImageReason, meaning_of
from icf.dataset.cards.facts import Facts
from icf.dataset.cards.origin import collection_types
from icf.dataset.rights.attribution import changes_of
from icf.dataset.rights.licence_set import LicenceSet
from icf.settings import ReleaseSettings, Settings

#: What is said where only a person could know, and nobody said.
NOT_STATED = "Not stated by those who made it."

#: How pictures of each kind of source are collected, in the words of Croissant RAI 1.0.
_COLLECTION_TYPES = {
    "mediawiki": "Web API",
    "gallery-dl": "Web Scraping",
    "web": "Web Scraping",
    "list": "Web Scraping",
    "folder": "Others",
    "comic": "Document analysis",
    "video": "Others",
}
_PLATFORM = "The annotation page and the question files of icf (`icf-annotate`)"


@dataclass(frozen=True)
class About:
    """Everything that the cards are written from.

    Attributes:
        facts: of the catalogue.
        summary: what ``release.json`` says.
        licences: of the pictures together.
        settings: of the workspace.
    """

    facts: Facts
    summary: Mapping[str, Any]
    licences: LicenceSet
    settings: Settings

    @property
    def stated(self) -> ReleaseSettings:
        """What a person stated of the release."""
        return self.settings.release

    @property
    def counts(self) -> Mapping[str, int]:
        """The size of each part."""
        counts: Mapping[str, int] = self.summary["counts"]
        return counts

    @property
    def has_faces(self) -> bool:
        """Whether there is a recognition set, or detection alone."""
        return self.counts["identities"] > 0

    @property
    def date(self) -> str | None:
        """The day of publication; else that of the newest picture or answer."""
        return self.stated.published or self.facts.last_day

    @property
    def description(self) -> str:
        """What the release is, in a few sentences."""
        count = self.counts
        own = f"{self.stated.description.strip()} " if self.stated.description else ""
        faces = (
            f"{count['identities']:,} identities of {self.facts.albums:,} "
            f"{'cartoon' if self.facts.albums == 1 else 'cartoons'}: "
            f"{count['train_faces']:,} faces to train on, {count['probes']:,} probes, "
            f"{count['distractors']:,} distractors, and "
        )
        return own + (
            f"{faces if self.has_faces else ''}"
            f"{count['detection_train_pictures'] + count['detection_test_pictures']:,} "
            "pictures with the boxes of drawn faces, made with icf."
            f"{self._cleaned}"
        )

    @property
    def _cleaned(self) -> str:
        """What was deleted since it was written."""
        rows = self.summary.get("cleaned", {}).get("rows", 0)
        if not rows:
            return ""
        return f" {rows:,} pictures and faces that were withdrawn since are deleted."

    @property
    def collection(self) -> str:
        """How the pictures were collected."""
        span = self.facts.collected
        when = f"from {span[0]} to {span[1]}" if span else ""
        robots = self.settings.harvest.respect_robots
        sources = ", ".join(f"{n} ({c:,})" for n, c in self.facts.sources.items())
        only = ", ".join(self.settings.harvest.only_licence)
        lines = [
            *self.facts.origin.collection(when, robots=robots),
            f"Sources, with the pictures found there: {sources or 'none'}.",
            *([f"Only pictures under {only} are in the release."] if only else []),
            "licences.csv has where each picture was found, with its page, author and "
            "licence as far as the source states them.",
        ]
        return " ".join(lines)

    @property
    def collection_types(self) -> tuple[str, ...]:
        """How, in the vocabulary of Croissant RAI."""
        if known := self.summary.get("cards"):
            return tuple(known["collection_types"])
        kinds = {
            str(each.get("name")): str(each.get("kind"))
            for each in self.settings.source
        }
        return collection_types(self.facts.sources, kinds, _COLLECTION_TYPES)

    @property
    def missing(self) -> str:
        """What was listed and is not there."""
        lost = {
            fate: count
            for fate, count in self.facts.urls.items()
            if fate not in FETCHED
        }
        if not lost:
            return "Every picture that was listed is in the catalogue."
        total = sum(self.facts.urls.values())
        return (
            f"Of {total:,} listed pictures, these gave none: "
            f"{_listed(lost, FetchStatus)}."
        )

    @property
    def preprocessing(self) -> tuple[str, ...]:
        """What was done before people saw the faces."""
        limits = self.settings.filter
        by = "edges" if limits.by_edges else "Laplacian variance"
        lines = [
            f"{self.facts.origin.detected} They were measured, and dropped where they "
            f"are under {limits.min_face} pixels, under a score of "
            f"{limits.min_score:g}, photographed, dark, flat or blurred (by {by}).",
            "Exact and near duplicates were dropped within a character (pHash within "
            f"{limits.max_phash} bits, dHash within {limits.max_dhash} bits, and "
            f"embeddings of a cosine of {limits.min_duplicate_cosine:g} or more).",
            "Faces unlike their character's reference (probability under "
            f"{limits.min_probability:g}) were dropped without being asked about.",
        ]
        if self.facts.dropped_pictures:
            dropped = _listed(self.facts.dropped_pictures, ImageReason)
            lines.append(f"Pictures dropped, by reason: {dropped}.")
        if self.facts.dropped_faces:
            dropped = _listed(self.facts.dropped_faces, FaceReason)
            lines.append(f"Faces dropped, by reason: {dropped}.")
        return tuple(lines)

    @property
    def changes(self) -> str:
        """What was done to the pictures."""
        return changes_of(self.summary)

    @property
    def annotation(self) -> tuple[str, ...]:
        """How labels and boxes came about."""
        rule = self.settings.annotate
        how = (
            f"{rule.votes} agreeing answers settle a question"
            if rule.decide == "votes" and rule.votes > 1
            else "one answer settles a question"
            if rule.decide == "votes"
            else f"a probability of {rule.certainty:g}, from the answers of all people "
            "weighed by how often each is right, settles a question"
        )
        asked = (
            "People were asked of a face and a reference picture: is this the same "
            f"character? {how[0].upper()}{how[1:]}."
        )
        return (
            *([asked] if self.facts.answers else []),
            *self.labelled,
            str(self.summary["detection_truth"]),
        )

    @property
    def labelled(self) -> tuple[str, ...]:
        """Who labelled how many faces."""
        return tuple(self._labelled())

    def _labelled(self) -> Iterator[str]:
        labels = self.summary["labels"]
        if not self.has_faces:
            yield "No face has the name of its character: there is detection alone."
            return
        yield from self.facts.origin.confirmed(labels["people"])
        if labels["unasked_references"]:
            yield (
                f"{labels['unasked_references']:,} are references that the program "
                "chose and nobody was asked about."
            )
        if labels["model"]:
            yield (
                f"{labels['model']:,} were accepted by the embedder at a probability "
                f"of {labels['accepted_at_probability']:g}; none is in the test."
            )
        if labels.get("followers"):
            yield (
                f"{labels['followers']:,} follow another face of their track through "
                "a video; none is in the test."
            )

    @property
    def platform(self) -> str:
        """Where people answered."""
        return _PLATFORM

    @property
    def per_item(self) -> str:
        """How many answers a label has."""
        votes, boxes = self.facts.votes, self.facts.box_people
        lines = [f"{self.facts.answers:,} answers of {_people(self.facts.people)}."]
        if votes:
            shown = "; ".join(f"{k}: {count:,}" for k, count in votes.items())
            lines.append(f"Confirmed faces by the number of their answers: {shown}.")
        if boxes:
            shown = "; ".join(f"{k}: {count:,}" for k, count in boxes.items())
            lines.append(
                f"Pictures by the number of people who verified them: {shown}."
            )
        return " ".join(lines)

    @property
    def analysis(self) -> tuple[str, ...]:
        """What is known of the error of labels."""
        audit = self.summary["audit"]
        disputed = "Questions that people contradict each other about, left out: "
        lines = [f"{disputed}{self.facts.disputed:,}."]
        if not audit["certified"]:
            return (*lines, f"{audit['note'][0].upper()}{audit['note'][1:]}.")
        here = audit["covers"]["all"]
        return (
            *lines,
            f"An audit certifies, at a confidence of {audit['confidence']:g}, that at "
            f"most {audit['bound']:.4f} of the labels are wrong that it drew from. "
            f"{here['audited']:,} of the {here['labels']:,} labels here are such; at "
            f"most {here['most_wrong']:,} of them are wrong, as all that are wrong may "
            "be here (certificate.json).",
        )

    @property
    def annotators(self) -> str:
        """Who the annotators are."""
        own = self.stated.annotators or (
            "Who they are, and how they were paid, is not stated."
        )
        if not self.facts.people:
            return f"Nobody answered in this catalogue. {own}"
        return f"{_people(self.facts.people)}. {own}"

    @property
    def machine_tools(self) -> tuple[str, ...]:
        """The models that took part."""
        models = self.summary["models"]
        return tuple(
            f"{task} {each['name'] or 'without a name'}, SHA-256 {each['sha256']}"
            for task, each in [
                *(("detector", one) for one in models["detectors"]),
                ("embedder", models["embedder"]),
            ]
            if each["sha256"]
        )

    @property
    def biases(self) -> tuple[str, ...]:
        """What the data lean to, counted."""
        regions = self.facts.identities_by_region
        genders = self.facts.identities_by_gender
        styles = self.facts.identities_by_style
        lines = [
            f"Identities by region of their cartoon: {_plain(regions)}.",
            *(
                [f"Identities by drawing style of their cartoon: {_plain(styles)}."]
                if self.facts.tells_styles
                else []
            ),
            f"Identities by gender, as sources state it: {_plain(genders)}.",
        ]
        if self.facts.answers:
            lines.append(
                "Only faces that the detector found, and that are like their "
                "character's reference, were shown to people: drawings unlike those "
                "are too few."
            )
        return (*lines, self.stated.biases) if self.stated.biases else tuple(lines)

    @property
    def limits(self) -> tuple[str, ...]:
        """What follows from how it was made."""
        if not self.has_faces:
            return ()
        return (
            "The embedder helped to choose the faces, so its own scores on them may be "
            "too high.",
            f"An identity has {self.settings.dataset.min_faces} faces or more, or is "
            "not in the test.",
        )

    @property
    def limitations(self) -> tuple[str, ...]:
        """Everything that the data are not good for."""
        return (
            *self.limits,
            *self.analysis,
            *(f"Licences: {each}." for each in self.licences.warnings),
        )

    @property
    def personal(self) -> tuple[str, ...]:
        """Personal and sensitive information."""
        photos = self.facts.dropped_pictures.get(ImageReason.PHOTOGRAPH.value, 0)
        humans = self.facts.dropped_faces.get(FaceReason.HUMAN.value, 0)
        lines = (
            "The faces are drawn. Photographs were dropped by a classifier "
            f"({photos:,} pictures) and a detector ({humans:,} faces), which may have "
            "missed some.",
            "Names of authors are in licences.csv and attribution.csv, as sources "
            "state them; annotators are counted and not named.",
        )
        own = self.stated.personal_information
        return (*lines, own) if own else lines

    @property
    def uses(self) -> tuple[str, ...]:
        """What it is meant for, and what not."""
        what = (
            "recognition of cartoon faces (identification among distractors) and their "
            "detection"
        )
        lines = [
            self.stated.uses
            or "Made in the form of a benchmark: "
            f"{what if self.has_faces else 'detection of cartoon faces'}. Its makers "
            "stated no intended use."
        ]
        if self.stated.misuses:
            lines.append(f"Not to be used: {self.stated.misuses}")
        return tuple(lines)

    @property
    def social_impact(self) -> str:
        """Whom it may help or harm."""
        return self.stated.social_impact or NOT_STATED

    @property
    def maintenance(self) -> str:
        """Who keeps it, and what happens on a takedown."""
        contact = self.stated.contact or "not stated"
        own = self.stated.maintenance or "No plan is stated."
        return (
            f"{own} Contact: {contact}. A release is never changed; a picture that is "
            "taken down is missing in every later one."
        )

    @property
    def citation(self) -> str:
        """How to cite it, as BibTeX."""
        if self.stated.citation:
            return self.stated.citation
        entry = {
            "title": self.stated.name,
            "author": " and ".join(self.creators),
            "year": (self.date or "")[:4],
            "version": self.stated.version,
            "url": self.stated.url,
            "note": f"inputs {self.summary['inputs'][:16]}",
        }
        fields = ", ".join(f"{k} = {{{v}}}" for k, v in entry.items() if v)
        return f"@misc{{cartoon_faces_{self.summary['inputs'][:8]}, {fields}}}"

    @property
    def creators(self) -> tuple[str, ...]:
        """The names of those who made it."""
        names = (each.strip() for each in self.stated.creator.split(";"))
        return tuple(each for each in names if each)

    @property
    def unstated(self) -> tuple[str, ...]:
        """Settings without which ``croissant.json`` lacks what Croissant requires."""
        return tuple(
            f"release.{name}"
            for name in ("url", "creator")
            if not getattr(self.stated, name)
        )


def _people(number: int) -> str:
    """A number of people in words.

    >>> _people(1), _people(1_200)
    ('1 person', '1,200 people')
    """
    return f"{number:,} {'person' if number == 1 else 'people'}"


def _listed(counts: Mapping[str, int], codes: Any) -> str:
    return "; ".join(
        f"{count:,} {code} ({meaning_of(codes, code)})"
        for code, count in counts.items()
    )


def _plain(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"
