"""The keys of a source of kind ``mediawiki``: where a wiki keeps what is looked for."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import pydantic

from icf.codes import Region
from icf.harvest.sources.base import SourceTable
from icf.harvest.sources.rules import ListOrOne

_PLACE = re.compile(r"\{(album|character)(_name)?\}")
_SUFFIX = re.compile(r"\s*\([^()]*\)$")


def _check_places(templates: tuple[str, ...]) -> tuple[str, ...]:
    for template in templates:
        rest = _PLACE.sub("", template)
        if "{" in rest or "}" in rest:
            raise ValueError(
                f"{template!r}: only {{album}}, {{album_name}}, {{character}} and "
                "{character_name} are filled in"
            )
    return templates


#: One text, or a list of them.
Texts = Annotated[tuple[str, ...], ListOrOne]
#: Titles of pages, with places that are filled in.
Templates = Annotated[Texts, pydantic.AfterValidator(_check_places)]
#: A table's column: by its header, or by its number, from 1.
Column = str | Annotated[int, pydantic.Field(ge=1)]


def fill(template: str, album: str, character: str = "") -> str:
    """Put titles into a template; ``_name`` leaves out what stands in brackets.

    >>> fill("List of {album_name} characters", "Moon (TV series)")
    'List of Moon characters'
    """
    titles = {"album": album, "character": character}

    def title(place: re.Match[str]) -> str:
        whole = titles[place.group(1)]
        return _SUFFIX.sub("", whole) if place.group(2) else whole

    return _PLACE.sub(title, template)


class _Keys(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Albums(_Keys):
    """Where the albums are: a category, titles, or a page that lists them.

    Attributes:
        category: its pages are albums.
        depth: levels of subcategories that are followed.
        titles: of the albums' pages.
        page: the page whose links, or whose table's rows, are albums.
        section: only below this heading of the page.
        first_links: only the first link of each list item or row.
        column: the albums' column of the page's tables.
        rank_column: whose numbers are ranks.
        ranked: the order of the page, or of ``titles``, is the ranking.
        region: of all albums.
        region_column: that names a country or a nationality.
        region_heading: the heading above a link or row names it.
        region_parameter: the parameter of the album's infobox that names it.
    """

    category: str | None = None
    depth: int = pydantic.Field(default=0, ge=0)
    titles: tuple[str, ...] | None = None
    page: str | None = None
    section: str | None = None
    first_links: bool = False
    column: Column | None = None
    rank_column: Column | None = None
    ranked: bool = False
    region: Region | None = None
    region_column: Column | None = None
    region_heading: bool = False
    region_parameter: Texts = ()

    @pydantic.model_validator(mode="after")
    def _one_place(self) -> Albums:
        places = (self.category, self.titles, self.page)
        if sum(place is not None for place in places) != 1:
            raise ValueError("name one of category, titles and page")
        if self.page is None and (self.section or self.column is not None):
            raise ValueError("section and column are of a page: name it as page")
        if self.column is None and (self.rank_column or self.region_column):
            raise ValueError("rank_column and region_column go with column")
        return self


class Characters(_Keys):
    """Where an album's characters are: a category, a page's links or an infobox.

    Attributes:
        category: its pages are characters.
        depth: levels of subcategories that are followed.
        page: whose links are characters: the first of these that exists; without it,
            the album's own page.
        section: only below this heading of the page.
        first_links: only the first link of each list item or row.
        parameter: of the infobox on the album's page.
        gender: parameters of a character's infobox that name the gender; where they do
            not, the page's categories are asked.
    """

    category: Templates = ()
    depth: int = pydantic.Field(default=1, ge=0)
    page: Templates = ()
    section: str | None = None
    first_links: bool = False
    parameter: Texts = ()
    gender: Texts = ("gender", "sex")

    @pydantic.model_validator(mode="after")
    def _one_place(self) -> Characters:
        linked = bool(self.page or self.section)
        if sum((bool(self.category), linked, bool(self.parameter))) != 1:
            raise ValueError("name a category, a page or section, or a parameter")
        return self


class Images(_Keys):
    """Where a character's pictures are, and which of them are decoration.

    Attributes:
        page: "all" files of the character's page, those of its "galleries", or "none".
        gallery_page: pages whose galleries show the character.
        category: categories of files of the character.
        min_side: pixels; files with a shorter side are left out.
        max_uses: files that more pages show are left out; 0 counts none.
        leave_out: names of files, where "*" stands for anything; in any case.
    """

    page: Literal["all", "galleries", "none"] = "all"
    gallery_page: Templates = ()
    category: Templates = ()
    min_side: int = pydantic.Field(default=50, ge=0)
    max_uses: int = pydantic.Field(default=50, ge=0, le=400)
    leave_out: Texts = ()

    @pydantic.model_validator(mode="after")
    def _some_place(self) -> Images:
        if self.page == "none" and not self.gallery_page and not self.category:
            raise ValueError("page is 'none': name a gallery_page or a category")
        return self


class MediaWikiTable(SourceTable):
    """The keys of a source of kind ``mediawiki``."""

    api: str
    albums: Albums
    characters: Characters
    images: Images = Images()
