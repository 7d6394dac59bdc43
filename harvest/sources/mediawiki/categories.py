"""List a category, batch by batch, and its subcategories down to a depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from icf.harvest.sources.base import Task
from icf.harvest.sources.mediawiki.api import objects_of
from icf.harvest.sources.mediawiki.site import ARTICLE, CATEGORY, Wiki
from icf.harvest.sources.mediawiki.tasks import cursor, moved_on, state_of

_BATCH = "50"


@dataclass(frozen=True)
class Members:
    """One batch of a category.

    Attributes:
        articles: titles of its pages.
        categories: titles of its subcategories.
        depth: of this category below the first one.
        cursor: where the next batch begins.
        done: there is none.
    """

    articles: list[str]
    categories: list[str]
    depth: int
    cursor: str
    done: bool

    def deeper(
        self, task: Task, deepest: int, subject_of: Callable[[str], str]
    ) -> Iterable[Task]:
        """Yield the listings of the subcategories, unless that is too deep.

        Each is listed once for its kind and subject, so circles end.
        """
        if self.depth < deepest:
            for title in self.categories:
                below = cursor(depth=self.depth + 1)
                yield Task(
                    task.kind, subject_of(title), task.album, None, below, task.level
                )


async def members(wiki: Wiki, task: Task, category: str) -> Members:
    """Ask for the next batch of a category.

    Raises:
        Fault: the site does not answer.
    """
    state = state_of(task)
    parameters = {
        "list": "categorymembers",
        "cmtitle": category,
        "cmprop": "ids|title",
        "cmtype": "page|subcat",
        "cmlimit": _BATCH,
    }
    batch = await wiki.api.batch(parameters, state.get("continue"))
    found = objects_of(batch.query.get("categorymembers"))
    titles = [str(one["title"]) for one in found]
    state = moved_on(wiki.api.endpoint, state, batch.rest, titles)
    depth = int(state.get("depth", 0))
    return Members(
        [str(one["title"]) for one in found if one.get("ns") == ARTICLE],
        [str(one["title"]) for one in found if one.get("ns") == CATEGORY],
        depth,
        cursor(**{**state, "depth": depth}),
        batch.rest is None,
    )
