"""``README.md`` as the Hugging Face Hub reads it, and ``datasheet.md``.

The fields of the header are those of
https://github.com/huggingface/hub-docs/blob/main/datasetcard.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from icf.dataset.cards.about import NOT_STATED, About
from icf.dataset.cards.front_matter import join_card
from icf.dataset.cards.records import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    IDENTITIES,
    MEANINGS,
    TEST,
    TRAIN,
    file_of,
)
from icf.dataset.formats.registry import LISTS, RELINK
from icf.dataset.rights.domains import Domain

README, DATASHEET = "README.md", "datasheet.md"

#: Licences that the Hub has a name for, of those that pictures are under.
_HUB = frozenset(
    ["cc0-1.0", "gfdl"]
    + [f"cc-by-{version}" for version in ("2.0", "2.5", "3.0", "4.0")]
    + [f"cc-by-sa-{version}" for version in ("3.0", "4.0")]
    + [f"cc-by-nc-{version}" for version in ("2.0", "3.0", "4.0")]
    + [f"cc-by-nc-sa-{version}" for version in ("2.0", "3.0", "4.0")]
    + [f"cc-by-nc-nd-{version}" for version in ("3.0", "4.0")]
    + ["cc-by-nd-4.0"]
)
#: The configurations of the Hub's viewer: splits and their tables.
_CONFIGS = {
    "recognition": {"train": TRAIN, "test": TEST},
    "detection": {"train": DETECTION_TRAIN, "test": DETECTION_TEST},
    "identities": {"train": IDENTITIES},
}
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_HEADING = re.compile(r"^(#+ )", re.MULTILINE)
#: Hosts that the datasheet names; `domains.csv` has all.
_HOSTS = 20
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=False,  # Markdown, not HTML
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def header(
    about: About,
    tables: Mapping[str, int],
    configs: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the fields of the card's header.

    Args:
        about: what there is to say.
        tables: number of rows of each table that is there.
        configs: as `data_card`.
    """
    named = {each["config_name"] for each in configs}
    own = _configs(tables, _version(about))
    more = [each for each in own if each["config_name"] not in named]
    count = about.counts
    faces = count["train_faces"] + count["probes"] + count["distractors"]
    recognition = about.has_faces
    return {
        "pretty_name": about.stated.name,
        **_licence(about),
        "task_categories": [
            *(["image-classification"] if recognition else []),
            "object-detection",
        ],
        "size_categories": [_size(faces + _boxes(count))],
        "tags": [
            *("cartoon", "anime"),
            *(["face-recognition"] if recognition else []),
            *("face-detection", "croissant"),
        ],
        "configs": [*map(dict, configs), *more],
    }


def _version(about: About) -> str:
    """Which release it is, for `datasets`, which caches tables by the card's header."""
    rows = about.summary.get("cleaned", {}).get("rows", 0)
    cleaned = f", cleaned of {rows:,} pictures and faces" if rows else ""
    return f"Release {about.summary['inputs']}{cleaned}"


def _configs(tables: Mapping[str, int], version: str) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for name, splits in _CONFIGS.items():
        files = [
            {"split": split, "path": file_of(table)}
            for split, table in splits.items()
            if table in tables
        ]
        if files:
            made.append(
                {"config_name": name, "description": version, "data_files": files}
            )
    return made


def data_card(
    about: About,
    tables: Mapping[str, int],
    configs: Sequence[Mapping[str, Any]] = (),
    format_text: str = "",
) -> str:
    """Return the text of `README`.

    Args:
        about: what there is to say.
        tables: number of rows of each table that is there.
        configs: what a format has for the Hub's viewer, in place of the tables of the
            same names.
        format_text: what the only format says of its own files, in Markdown.
    """
    text = _render(
        "card.md",
        about=about,
        summary=about.summary,
        tables=tables,
        meanings=MEANINGS,
        file_of=file_of,
        folders=about.summary["formats"],
    )
    if format_text:
        text += "\n" + _HEADING.sub(r"#\1", format_text)
    return join_card(header(about, tables, configs), text)


def datasheet(about: About, domains: Sequence[Domain]) -> str:
    """Return the text of `DATASHEET`.

    Args:
        about: what there is to say.
        domains: the hosts of the pictures, most bytes first.
    """
    return _render(
        "datasheet.md",
        about=about,
        summary=about.summary,
        domains=domains[:_HOSTS],
        pictures=_where_pictures_are(set(about.summary["formats"])),
        not_stated=NOT_STATED,
    )


def _render(name: str, **values: object) -> str:
    return _TEMPLATES.get_template(name).render(values)


def _licence(about: About) -> dict[str, Any]:
    """One licence by the Hub's name; of several, where they are."""
    [first, *others] = list(about.licences.by_licence) or ["NOASSERTION"]
    if not others and first.lower() in _HUB:
        return {"license": first.lower()}
    if not others and first == "NOASSERTION":
        return {"license": "unknown"}
    return {
        "license": "other",
        "license_name": "each-picture-has-its-own",
        "license_link": "licences.csv",
    }


def _where_pictures_are(formats: Collection[str]) -> str:
    """Say whether a release has its pictures."""
    if set(formats) - {RELINK, LISTS}:
        return "Yes: the pictures are in it."
    if RELINK in formats:
        return "It has no pictures: these are downloaded again and checked by SHA-256."
    return "No: it has lists and features, and no pictures."


def _size(rows: int) -> str:
    """The Hub's category of a number of rows.

    >>> _size(999), _size(1000), _size(389_678)
    ('n<1K', '1K<n<10K', '100K<n<1M')
    """
    return next((name for limit, name in _SIZES if rows < limit), "10M<n<100M")


def _boxes(count: Mapping[str, int]) -> int:
    return count["detection_train_boxes"] + count["detection_test_boxes"]
