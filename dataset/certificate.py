"""The certificate of a release: what an audit proved of the labels that it has.

The bound of an audit is about all labels that it was drawn from. Of a release it says:
of those of its labels that were audited, so many are wrong at most, since no part of
the labels has more wrong ones than all of them. Labels that came or changed after the
audit was planned are counted, and nothing is said of them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from icf.catalogue.annotation.audits import Certified
from icf.dataset.plan import Placed, Plan
from icf.pages.templates import html_templates
from icf.stores.files import hash_file

#: Its files in a release.
JSON, HTML = "certificate.json", "certificate.html"

#: What `release.json` says of labels without a certificate.
NOT_AUDITED = "no audit of these labels has a certificate; their error is not known"


@dataclass(frozen=True)
class Covered:
    """What an audit says of a part of a release.

    Attributes:
        labels: labelled faces.
        audited: those of them that have the label that was audited.
        most_wrong: so many of the audited ones are wrong at most.
        share: the same as a share of them; None where none was audited.
    """

    labels: int
    audited: int
    most_wrong: int
    share: float | None


def cover(certified: Certified, plan: Plan) -> dict[str, Covered]:
    """Say what an audit proves of the labels of a release, all and by split.

    The test is covered by the audit's own part for it where there is one, and else, as
    the rest is, by all audited labels.
    """
    parts = certified.certificate["parts"]
    accepts, of_test = certified.accepts(), certified.of_test()
    every = parts["accepts"]["most_wrong"]
    test = (of_test, parts["test"]["most_wrong"]) if of_test else (accepts, every)
    return {
        "all": _covered(plan, [*plan.train, *plan.test], accepts, every),
        "train": _covered(plan, plan.train, accepts, every),
        "test": _covered(plan, plan.test, *test),
    }


def summary(certified: Certified | None, plan: Plan) -> dict[str, Any]:
    """What `release.json` says of the audit of its labels."""
    if certified is None:
        return {"certified": False, "note": NOT_AUDITED}
    found = certified.certificate
    return {
        "certified": True,
        "audit": certified.audit_id,
        "labels_sha256": found["labels_sha256"],
        "bound": found["bound"],
        "confidence": found["confidence"],
        "covers": {name: asdict(each) for name, each in cover(certified, plan).items()},
        "later_audits": list(certified.later),
        "certificate": JSON,
    }


def with_certificate(inputs: str, certified: Certified | None) -> str:
    """The hash of a release's inputs, its certificate among them.

    Without one it is the same as before there were any.
    """
    if certified is None:
        return inputs
    later = [list(certified.later)] if certified.later else []
    text = json.dumps([inputs, certified.certificate, *later], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write_certificate(
    folder: Path, certified: Certified, plan: Plan, inputs: str, pictures: Iterable[str]
) -> None:
    """Write the certificate into a release whose other files are written.

    Args:
        folder: the release.
        certified: the audit.
        plan: what the release contains.
        inputs: the hash of what it was made from.
        pictures: the file of each picture, relative to the folder; files that hold one
            alone are not listed.
    """
    value = {
        "certificate": dict(certified.certificate),
        "certified_at": _date(certified.certified_at),
        "release": {
            "inputs": inputs,
            "covers": {k: asdict(v) for k, v in cover(certified, plan).items()},
            "later_audits": list(certified.later),
            "files": _hashes(folder, pictures),
        },
    }
    text = json.dumps(value, indent=2) + "\n"
    (folder / JSON).write_text(text, encoding="utf-8")
    (folder / HTML).write_text(render(value), encoding="utf-8")


def render(value: Mapping[str, Any]) -> str:
    """Return the page of a certificate: one file, without scripts, to be printed.

    Args:
        value: what `certificate.json` has.
    """
    environment = html_templates(Path(__file__).parent)
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["percent"] = percent
    audit = value["certificate"]
    return environment.get_template("certificate.html").render(
        audit=audit,
        planned_at=_date(audit["planned_at"]),
        certified_at=value["certified_at"],
        release=value["release"],
    )


def percent(share: float) -> str:
    """A share in words, never smaller than it is.

    >>> percent(0.00996), percent(0.01), percent(0.0), percent(0.012345)
    ('1.00%', '1.00%', '0%', '1.24%')
    """
    if not share:
        return "0%"
    hundredths = share * 10_000
    rounded = round(hundredths)
    return f"{(rounded if rounded >= hundredths - 1e-9 else rounded + 1) / 100:.2f}%"


def _covered(
    plan: Plan, placed: Sequence[Placed], audited: Mapping[int, int], most_wrong: int
) -> Covered:
    faces = plan.selection.faces
    rows = [each.face for each in placed]
    pairs = zip(faces.face[rows].tolist(), faces.identity[rows].tolist(), strict=True)
    count = sum(audited.get(face) == identity for face, identity in pairs)
    wrong = min(most_wrong, count)
    return Covered(len(rows), count, wrong, wrong / count if count else None)


def _hashes(folder: Path, pictures: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of every file but of single pictures, by name."""
    single = {name for name, count in Counter(pictures).items() if count == 1}
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )
    return {name: hash_file(folder / name) for name in names if name not in single}


def _date(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M UTC")
