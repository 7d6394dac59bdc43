from __future__ import annotations

from pathlib import Path

import click
import pytest

from icf.app.command_reference import Listed, described, main, reference
from icf.command import example, shared_options

PAGE = Path(__file__).parent.parent.parent / "docs" / "commands.md"


def test_the_page_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "run python -m icf.app.command_reference docs/commands.md"
    )


def test_a_command_is_described_by_usage_words_options_and_example() -> None:
    @click.command()
    @click.argument("files", metavar="FILE...", nargs=-1, required=True)
    @click.argument("again", required=False)
    @click.option("--out", metavar="F.npy", required=True, help="Where it goes.")
    @click.option("--kind", type=click.Choice(["a", "b"]), multiple=True, help="Which.")
    @click.option("--rate", default=2, show_default=True, help="How much.")
    @click.option("--dry-run", is_flag=True, help="Only count.")
    @shared_options
    @example("count FILE")
    def count() -> None:
        """Count something.

        In more words,
        on two lines.
        """

    assert "\n".join(described(Listed("count", count), heading=True)) == (
        "### count\n\n"
        "    count FILE... [AGAIN] --out F.npy [OPTIONS]\n\n"
        "Count something.\n\nIn more words, on two lines.\n\n"
        "| option | meaning |\n| --- | --- |\n"
        "| `--out F.npy` | Where it goes. Required. |\n"
        "| `--kind a\\|b` | Which. May be repeated. |\n"
        "| `--rate INTEGER` | How much. Default: 2. |\n"
        "| `--dry-run` | Only count. |\n\n"
        "Example:\n\n    count FILE\n"
    )


def test_it_is_printed_or_written_to_a_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["command_reference"])
    main()
    assert capsys.readouterr().out == reference()
    target = tmp_path / "commands.md"
    monkeypatch.setattr("sys.argv", ["command_reference", str(target)])
    main()
    assert target.read_text(encoding="utf-8") == reference()
