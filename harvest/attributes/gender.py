"""Read a character's gender from text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from icf.codes import Gender

_WORDS = {
    Gender.FEMALE: "female females woman women girl girls f ♀ she her heroine "
    "heroines femenino femenina mujer mujeres femme femmes féminin fille weiblich "
    "frau mädchen femmina donna 女 女性 女の子 여성 женский",
    Gender.MALE: "male males man men boy boys m ♂ he him hombre hombres masculino "
    "homme hommes masculin garçon männlich mann junge maschio uomo 男 男性 男の子 "
    "남성 мужской",
    Gender.OTHER: "other none genderless agender nonbinary non-binary androgynous "
    "hermaphrodite intersex genderfluid sexless neither both various they",
}
_BY_WORD = {word: gender for gender, words in _WORDS.items() for word in words.split()}
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|[♀♂]")

#: Words that may precede the gender in a category's name.
_KIND = frozenset({"fictional", "anime", "animated", "cartoon", "manga", "comics"})
_SHORTEST_IN_CATEGORY = 3


def read_gender(text: str) -> Gender | None:
    """Return the gender that a text names, or None where it names none.

    >>> read_gender("Female (Omega)"), read_gender("♂"), read_gender("male and female")
    (<Gender.FEMALE: 'female'>, <Gender.MALE: 'male'>, <Gender.OTHER: 'other'>)
    >>> read_gender("unknown") is None
    True
    """
    named = {_BY_WORD[word] for word in _words(text) if word in _BY_WORD}
    if len(named) > 1:
        return Gender.OTHER
    return next(iter(named), None)


def gender_of_categories(names: Iterable[str]) -> Gender | None:
    """Return the gender that the names of a page's categories agree on.

    A category counts where its name begins with the word ("Female characters"), after
    words such as "fictional"; so "Characters created by women" says nothing.

    >>> gender_of_categories(["Rabbits", "Fictional women", "Female pilots"])
    <Gender.FEMALE: 'female'>
    """
    named = set()
    for name in names:
        rest = [word for word in _words(name) if word not in _KIND]
        if rest and len(rest[0]) >= _SHORTEST_IN_CATEGORY and rest[0] in _BY_WORD:
            named.add(_BY_WORD[rest[0]])
    return named.pop() if len(named) == 1 else None


def _words(text: str) -> list[str]:
    return [found.group().casefold() for found in _WORD.finditer(text)]
