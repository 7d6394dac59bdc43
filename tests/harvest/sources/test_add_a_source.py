"""The source of the how-to, installed as a package, harvests a site on loopback."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from icf.catalogue.schema import album, character, discovery, image_source, url
from icf.workspace import Workspace, find, init
from tests.app.program import within
from tests.harvest.rows import all_of, fates
from tests.harvest.wire import Site, answer

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[3] / "docs" / "harvest" / "add-a-source.md"


def blocks(language: str) -> list[str]:
    """The page's blocks of one language."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder that the package of the page is installed into, as pip does it."""
    project, _ = blocks("toml")
    (code,) = blocks("python")
    named = re.search(
        r'^\[project\.entry-points\."(.+)"\]\n(\w+) = "(.+)"$', project, re.M
    )
    assert named is not None
    group, kind, target = named.groups()
    folder = tmp_path / "packages"
    info = folder / "icf_toonbase-1.dist-info"
    info.mkdir(parents=True)
    about = "Metadata-Version: 2.1\nName: icf-toonbase\nVersion: 1\n"
    (info / "METADATA").write_text(about)
    (info / "entry_points.txt").write_text(f"[{group}]\n{kind} = {target}\n")
    (folder / "toonbase.py").write_text(code)
    return folder


@pytest.fixture
def made(tmp_path: Path, site: Site) -> Workspace:
    """A workspace with the table of the page, for the site of the test."""
    _, table = blocks("toml")
    root = tmp_path / "work"
    init(root)
    (root / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{site.host}"]\nbackoff = 0.0\n'
        + table.replace("https://toonbase.example/", site.url("/"))
    )
    return find(root)


def serve(site: Site) -> None:
    """Two pages of shows; the answers of the page's table are among them."""
    rows = re.findall(r"^\| `(/\S+)` \| `(\{.+\})` \|$", PAGE.read_text(), re.MULTILINE)
    for path, body in rows:
        site.route(path, answer(body.encode()))
    more = {
        "/shows.json?page=2": {"shows": [{"id": 8, "title": "Sun"}]},
        "/shows/8/cast.json": {"cast": [{"id": 40, "name": "Sol"}]},
        "/cast/40/pictures.json": {
            "pictures": [{"file": "b.png"}, {"file": "/no.png"}]
        },
    }
    for path, found in more.items():
        site.route(path, answer(json.dumps(found).encode()))
    for number, path in enumerate(("/a.png", "/cast/40/b.png")):
        site.route(path, answer(b"GIF89a%d" % number + bytes(20)))


def run(made: Workspace, packages: Path, *words: str, code: int = 0) -> str:
    """Run icf-harvest where the package is installed; return stdout."""
    line = "-C", made.root, *words
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(packages)
        try:
            done = within("icf-harvest", *line, folder=packages, code=code)
        finally:
            sys.modules.pop("toonbase", None)
    return done.stdout if code == 0 else done.stderr


def test_the_source_of_the_page_lists_and_fetches_a_site(
    site: Site, made: Workspace, packages: Path
) -> None:
    serve(site)
    out = json.loads(run(made, packages, "run", "--source", "toons", "--json"))
    assert out["fates"] == {"stored": 2, "not_found": 1}
    catalogue = made.catalogue
    assert [(row["name"], row["rank"]) for row in all_of(catalogue, album)] == [
        ("Moon", 1),
        ("Sun", None),
    ]
    assert {row["name"]: row["gender"] for row in all_of(catalogue, character)} == {
        "Luna": "female",
        "Sol": None,
    }
    found = {row["page_url"]: row for row in all_of(catalogue, image_source)}
    luna = found[site.url("/cast/31/pictures.json")]
    assert (luna["licence"], luna["author"]) == ("CC0", "Ann")
    assert found[site.url("/cast/40/pictures.json")]["licence"] == "unknown"


def test_a_listing_that_fails_is_stored_as_failed_and_can_be_retried(
    site: Site, made: Workspace, packages: Path
) -> None:
    serve(site)
    site.route("/shows/8/cast.json", answer(b'{"cast": [{"id": "x"}]}'))
    run(made, packages, "run", code=3)
    [failed] = [row for row in all_of(made.catalogue, discovery) if row["message"]]
    assert failed["status"] == "failed"
    assert "not the expected JSON: cast.0.id" in failed["message"]
    assert len(all_of(made.catalogue, url)) == 1
    serve(site)
    run(made, packages, "retry")
    run(made, packages, "run")
    assert sorted(fates(made.catalogue).values()) == ["not_found", "stored", "stored"]


def test_a_key_that_the_table_does_not_have_is_wrong_use(
    site: Site, made: Workspace, packages: Path
) -> None:
    table = made.root / "icf.toml"
    table.write_text(table.read_text() + "most_show = 3\n")
    said = run(made, packages, "run", code=2)
    assert "unknown key 'most_show'; the nearest known one is 'most_shows'" in said


def test_the_page_counts_its_steps() -> None:
    steps = re.findall(r"^## Step (\d+):", PAGE.read_text(), re.MULTILINE)
    assert steps == [str(number) for number in range(1, 7)]
    assert "in six steps" in PAGE.read_text()
