"""Answers of a real MediaWiki's ``api.php``, by the request that each belongs to.

``answers.json.gz`` was recorded by ``tests/integration/record_demo_site.py``: a JSON
object of answers by the canonical query. Where an answer names the wiki's address, it
has the placeholder `BASE`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from icf.errors import BadInput

ANSWERS = "answers.json.gz"
#: Placeholder in answers for the wiki's scheme, host and port.
BASE = "http://demo.invalid"


def shipped_answers() -> Path:
    """Find the recorded answers that come with the program."""
    return Path(str(resources.files("icf.app.demo.site").joinpath(ANSWERS)))


def key_of(query: str) -> tuple[str, dict[str, str]]:
    """Return the canonical form of a query, and its parameters.

    How much replication lag a client tolerates changes no answer.

    >>> key_of("titles=A_b&maxlag=5&action=query")
    ('action=query&titles=A_b', {'titles': 'A_b', 'maxlag': '5', 'action': 'query'})
    """
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    kept = {name: value for name, value in parameters.items() if name != "maxlag"}
    return urlencode(sorted(kept.items())), parameters


def write_answers(path: Path, answers: Mapping[str, str]) -> None:
    """Write recorded answers; the same answers give the same bytes."""
    text = json.dumps(answers, sort_keys=True, ensure_ascii=False)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def read_answers(path: Path) -> dict[str, str]:
    """Read what `write_answers` wrote.

    Raises:
        BadInput: the file is missing or damaged.
    """
    try:
        found = json.loads(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError) as error:
        raise BadInput(
            f"the recorded answers of the demo's site cannot be read from {path}: "
            f"{error}; reinstall the program"
        ) from error
    return {str(key): str(text) for key, text in found.items()}
