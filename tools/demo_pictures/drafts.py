"""Draw the pictures of the demo site, good ones and noise."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from icf.app.demo.site.truth import Noise, TrueFace
from icf.tools.demo_pictures import noise, scenes
from icf.tools.demo_pictures.cast import ALBUMS, Album, Character
from icf.tools.demo_pictures.figures import Wardrobe
from icf.tools.demo_pictures.noise import Encoded
from icf.tools.demo_pictures.scenes import Scene
from icf.tools.demo_pictures.sources import PHOTOGRAPHS, ArtCache

SINGLES, GROUPS = 10, 8
# Numbers of pictures of each kind of noise: a quarter of the site.
WRONG, NEAR, EXACT, CROPS, BLURRED, TINY, EMPTY = 24, 26, 12, 14, 16, 14, 14
DISALLOWED, DEAD, MISSING = 6, 5, 4


@dataclass(frozen=True, eq=False)
class Draft:
    """A picture without a name.

    ``filed_under`` are the characters whose pages show it. ``picture`` is None where a
    page names a file that the site does not have.
    """

    filed_under: tuple[str, ...]
    picture: Encoded | None
    noise: Noise = Noise.CLEAN
    detail: str = ""
    of: Draft | None = None
    author: str = ""
    lead: bool = False


class SiteArtist:
    """Draws all pictures from a random seed."""

    def __init__(self, art: ArtCache, seed: int) -> None:
        """Prepare all avatars."""
        self._art, self._rng = art, random.Random(seed)
        self._wardrobe = Wardrobe(art, self._rng)
        self._cast = [who for album in ALBUMS for who in album.characters]
        self._wardrobe.prepare(self._cast, SINGLES + 9)

    def draw(self) -> list[Draft]:
        """Draw the whole site."""
        clean = [draft for album in ALBUMS for draft in self._clean(album)]
        drafts = [*clean, *self._wrong(), *self._copies(clean), *self._small()]
        return [*drafts, *self._photographs(), *self._broken(), *self._web()]

    def _clean(self, album: Album) -> list[Draft]:
        made = []
        for who in album.characters:
            scene = scenes.portrait(self._wardrobe, self._rng, who)
            made.append(Draft((who.name,), noise.encoded(scene), lead=True))
            made += [self._single(who) for _ in range(SINGLES - 1)]
        for k in range(GROUPS):
            members = self._rng.sample(album.characters, 3 if k % 3 == 2 else 2)
            scene = scenes.group(self._wardrobe, self._rng, members)
            names = tuple(who.name for who in members)
            made.append(Draft(names, self._encoded(scene)))
        return made

    def _scene(self, who: Character) -> Scene:
        return scenes.single(self._wardrobe, self._rng, who)

    def _encoded(self, scene: Scene) -> Encoded:
        suffix = self._rng.choices(("jpg", "webp", "png"), (82, 10, 8))[0]
        return noise.encoded(scene, suffix)

    def _single(self, who: Character) -> Draft:
        return Draft((who.name,), self._encoded(self._scene(who)))

    def _wrong(self) -> list[Draft]:
        made = []
        for k in range(WRONG):
            album = self._rng.choice(ALBUMS)
            filed = self._rng.choice(album.characters)
            pool: Sequence[Character] = self._cast if k % 3 == 0 else album.characters
            shown = self._rng.choice([who for who in pool if who is not filed])
            picture = self._encoded(self._scene(shown))
            made.append(Draft((filed.name,), picture, Noise.WRONG_CHARACTER))
        return made

    def _copies(self, clean: list[Draft]) -> list[Draft]:
        rng = self._rng
        alone = [d for d in clean if len(d.filed_under) == 1 and not d.lead]
        groups = [d for d in clean if len(d.filed_under) > 1]
        chosen = rng.sample(alone, NEAR + EXACT + CROPS)
        distort: list[tuple[Noise, Callable[[random.Random, Scene], Encoded]]] = [
            (Noise.NEAR_DUPLICATE, noise.near_duplicate)
        ] * NEAR
        distort += [(Noise.CROP, noise.close_up)] * CROPS
        made = [
            Draft(one.filed_under, change(rng, _decoded(one)), kind, of=one)
            for one, (kind, change) in zip(chosen, distort, strict=False)
        ]
        same = [*chosen[NEAR + CROPS : -3], *rng.sample(groups, 3)]
        for one in same:
            under = one.filed_under[-1:]
            copy = replace(one, filed_under=under, noise=Noise.EXACT_DUPLICATE, of=one)
            made.append(copy)
        return made

    def _small(self) -> list[Draft]:
        """Blurred, tiny and empty pictures."""
        rng, made = self._rng, []
        for _ in range(BLURRED):
            who = rng.choice(self._cast)
            picture = noise.blurred(rng, self._scene(who))
            made.append(Draft((who.name,), picture, Noise.BLURRED))
        for k in range(TINY):
            who = rng.choice(self._cast)
            if k % 2:
                picture = noise.thumbnail(rng, self._scene(who))
            else:
                picture = self._encoded(scenes.distant(self._wardrobe, rng, who))
            made.append(Draft((who.name,), picture, Noise.TINY))
        for _ in range(EMPTY):
            who = rng.choice(self._cast)
            picture = self._encoded(scenes.empty(rng))
            made.append(Draft((who.name,), picture, Noise.FACE_FREE))
        return made

    def _photographs(self) -> list[Draft]:
        rng, made = self._rng, []
        for one in PHOTOGRAPHS:
            photograph = self._art.photograph(one)
            faces = (TrueFace(one.human, None),) if one.human else ()
            whole = Scene(photograph, faces)
            whole = noise.resized(whole, min(1.0, 420 / max(photograph.size)))
            views = [whole, noise.resized(whole, 0.8)] if one.human else [whole]
            for view in views:
                under = (rng.choice(self._cast).name,)
                picture = noise.encoded(view)
                made.append(Draft(under, picture, Noise.PHOTOGRAPH, author=one.author))
        return made

    def _broken(self) -> list[Draft]:
        rng, made = self._rng, []
        kinds = ("truncated", "corrupt", "not_image", "empty")
        for detail in (*kinds, *kinds, "truncated"):
            who = rng.choice(self._cast)
            good = noise.encoded(self._scene(who))
            bad = {
                "truncated": lambda good=good: noise.truncated(rng, good),
                "corrupt": lambda good=good: noise.flipped_bits(rng, good),
                "not_image": lambda good=good: noise.web_page(good),
                "empty": lambda good=good: noise.nothing(good),
            }[detail]()
            made.append(Draft((who.name,), bad, Noise.BROKEN, detail))
        return made

    def _web(self) -> list[Draft]:
        """Good pictures that cannot be fetched, or not at once."""
        kinds = [Noise.DISALLOWED] * DISALLOWED + [Noise.DEAD] * DEAD
        made = []
        for kind in (*kinds, Noise.OPTED_OUT, Noise.SLOW):
            made.append(replace(self._single(self._rng.choice(self._cast)), noise=kind))
        for k in range(MISSING):
            detail = "no_imageinfo" if k % 2 else "missing_file"
            who = self._rng.choice(self._cast)
            made.append(Draft((who.name,), None, Noise.MISSING, detail))
        return made


def _decoded(draft: Draft) -> Scene:
    assert draft.picture is not None
    return noise.decoded(draft.picture)
