"""Make ``site.tar`` and ``truth.json``; needed only to change the demo's pictures.

    python -m icf.tools.demo_pictures.make_site --out src/icf/app/demo/site

The same seed gives the same pictures. Needs node, npm and ``resvg-py``.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from icf.app.demo.site import archive, truth
from icf.app.demo.site.truth import Noise, TrueCharacter, TrueFile, Truth
from icf.app.demo.site.wiki import Licence, Wiki, WikiFile, WikiPage
from icf.tools.demo_pictures.anime import Anime
from icf.tools.demo_pictures.cast import ALBUMS, Character, Comicgen, OpenPeeps
from icf.tools.demo_pictures.drafts import Draft, SiteArtist
from icf.tools.demo_pictures.painted import Painted
from icf.tools.demo_pictures.sources import ArtCache

SEED = 1302
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
PUBLIC_DOMAIN = "https://creativecommons.org/publicdomain/mark/1.0/"
_MIME = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True)
class Named:
    """A draft with its name in URLs."""

    name: str
    draft: Draft


def main() -> None:
    """Make the site in the folder ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    cache = Path.home() / ".cache" / "icf-art"
    parser.add_argument("--cache", type=Path, default=cache)
    parser.add_argument("--seed", type=int, default=SEED)
    wanted = parser.parse_args()
    art = ArtCache(wanted.cache)
    art.fill()
    drafts = SiteArtist(art, wanted.seed).draw()
    made = named(drafts, random.Random(wanted.seed))
    members = [
        (file.path, one.draft.picture.data)
        for one, file in ((one, _file(one, 0, None)) for one in made)
        if one.draft.picture and one.draft.noise is not Noise.DEAD
    ]
    wiki = tables(made, random.Random(wanted.seed + 1))
    archive.write(wanted.out / "site.tar", wiki, members)
    facts = truth.to_json(the_truth(made))
    (wanted.out / "truth.json").write_text(facts, "utf-8")
    counts = Counter(one.draft.noise.value for one in made)
    print(len(made), "files:", dict(counts))


def named(drafts: list[Draft], rng: random.Random) -> list[Named]:
    """Shuffle the drafts and number them; the lead picture of a page stays first."""
    order = list(drafts)
    rng.shuffle(order)
    order.sort(key=lambda draft: not draft.lead)
    counts: Counter[str] = Counter()
    made = []
    for draft in order:
        counts[draft.filed_under[0]] += 1
        stem = f"{draft.filed_under[0]} {counts[draft.filed_under[0]]:02d}"
        suffix = draft.picture.suffix if draft.picture else "jpg"
        made.append(Named(f"{stem}.{suffix}".replace(" ", "_"), draft))
    return made


def _file(one: Named, pageid: int, licence: Licence | None) -> WikiFile:
    draft, kind = one.draft, one.draft.noise
    folder = "private/" if kind is Noise.DISALLOWED else ""
    if draft.picture is None:
        return WikiFile(pageid, one.name, known=False, stored=False)
    return WikiFile(
        pageid,
        one.name,
        folder,
        hashlib.sha1(draft.picture.data).hexdigest(),
        len(draft.picture.data),
        *draft.picture.size,
        _MIME[draft.picture.suffix],
        licence,
        stored=kind is not Noise.DEAD,
        opted_out=kind is Noise.OPTED_OUT,
        busy=kind is Noise.SLOW,
    )


def _artist(who: Character) -> str:
    if isinstance(who.look, Anime | Painted):
        return "the authors of icf"
    if isinstance(who.look, Comicgen):
        return "comicgen's contributors"
    return "Pablo Stanley" if isinstance(who.look, OpenPeeps) else "Zoish"


def _licence(one: Named, artists: dict[str, str], rng: random.Random) -> Licence | None:
    """Most files state a licence; some leave it to the site, some state Unknown."""
    roll = rng.random()
    if one.draft.author:
        return Licence("Public domain", PUBLIC_DOMAIN, one.draft.author)
    if roll < 0.25:
        return None
    if roll < 0.35:
        return Licence("Unknown", "", "")
    return Licence("CC0", CC0, artists[one.draft.filed_under[0]])


def tables(made: list[Named], rng: random.Random) -> Wiki:
    """Lay the site out as a wiki: pages, categories, redirects, files."""
    cast = [who for album in ALBUMS for who in album.characters]
    artists = {who.name: _artist(who) for who in cast}
    pages = _frame()
    for album in ALBUMS:
        category = f"{album.title} characters"
        pages.append(WikiPage(0, f"Category:{category}", categories=("Characters",)))
        names = [who.name for who in album.characters]
        # One character is linked by first name: a redirect, as on any wiki.
        short = names[1].split()[0]
        pages.append(WikiPage(0, short, links=(names[1],), redirect=True))
        links = (names[0], short, *names[2:])
        series = ("Animated series",)
        pages.append(WikiPage(0, album.title, links=links, categories=series))
        for name in names:
            shown = tuple(one.name for one in made if name in one.draft.filed_under)
            pages.append(WikiPage(0, name, shown, (album.title,), (category,)))
    first = len(pages) + 1
    files = tuple(
        _file(one, first + k, _licence(one, artists, rng))
        for k, one in enumerate(made)
        if one.draft.detail != "missing_file"
    )
    numbered = tuple(replace(page, pageid=k + 1) for k, page in enumerate(pages))
    rights = Licence("Creative Commons Zero", CC0, "")
    return Wiki("Toon Harbour Wiki", rights, numbered, files)


def _frame() -> list[WikiPage]:
    """Return the pages above the albums, with a cycle of categories."""
    return [
        WikiPage(0, "Main Page", links=tuple(album.title for album in ALBUMS)),
        WikiPage(0, "Category:Animated series", categories=("In production",)),
        WikiPage(0, "Category:In production", categories=("Animated series",)),
        WikiPage(0, "Category:Characters"),
    ]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def the_truth(made: list[Named]) -> Truth:
    """Return the ground truth of every file."""
    names = {id(one.draft): one.name for one in made}
    leads = {one.draft.filed_under[0]: one.name for one in made if one.draft.lead}
    characters = tuple(
        TrueCharacter(who.name, album.title, leads[who.name])
        for album in ALBUMS
        for who in album.characters
    )
    files = []
    for one in made:
        draft, picture = one.draft, one.draft.picture
        served = picture is not None and draft.noise is not Noise.DEAD
        files.append(
            TrueFile(
                one.name,
                hashlib.sha256(picture.data).hexdigest()
                if picture and served
                else None,
                draft.filed_under,
                picture.faces if picture else (),
                draft.noise,
                draft.detail,
                names[id(draft.of)] if draft.of else None,
            )
        )
    return Truth(characters, tuple(sorted(files, key=lambda file: file.name)))


if __name__ == "__main__":
    main()
