"""The fields at the head of a Markdown card, between two lines of ``---``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]

_MARK = "---\n"


def split_card(text: str) -> tuple[Mapping[str, Any], str]:
    r"""Return the fields of a card, none where it has no head, and the rest.

    >>> split_card("---\nlicense: mit\n---\n# A\n"), split_card("# A\n")
    (({'license': 'mit'}, '# A\n'), ({}, '# A\n'))
    """
    if not text.startswith(_MARK):
        return {}, text
    head, _, rest = text.removeprefix(_MARK).partition(f"\n{_MARK}")
    return dict(yaml.safe_load(head) or {}), rest.lstrip("\n")


def join_card(fields: Mapping[str, Any], text: str) -> str:
    """Put fields at the head of a text."""
    head = yaml.safe_dump(dict(fields), sort_keys=False, allow_unicode=True)
    return f"{_MARK}{head}{_MARK}\n{text}"


def below(folder: str, configs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return configurations of the Hub with their files below a folder.

    >>> below("hf", [{"config_name": "a", "data_files": [{"path": "a.csv"}]}])
    [{'config_name': 'a', 'data_files': [{'path': 'hf/a.csv'}]}]
    """
    prefix = "" if folder == "." else f"{folder}/"
    return [
        {
            **each,
            "data_files": [
                {**file, "path": f"{prefix}{file['path']}"}
                for file in each["data_files"]
            ],
        }
        for each in configs
    ]
