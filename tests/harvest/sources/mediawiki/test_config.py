import re
import sys
from pathlib import Path

import pytest

from icf.codes import Region
from icf.errors import WrongUse
from icf.harvest.sources.mediawiki.config import Albums, fill
from icf.harvest.sources.mediawiki.source import MediaWikiSource
from icf.settings import HarvestSettings, Settings
from tests.harvest.sources.mediawiki.asked import source

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = Path(__file__).parents[4] / "docs" / "harvest" / "mediawiki.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES[1:])
def test_every_example_of_the_page_is_understood(example: str) -> None:
    settings = Settings.model_validate(tomllib.loads(example))
    (table,) = settings.source
    assert list(MediaWikiSource(table, Path(), HarvestSettings()).first_tasks())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"albums": {"category": "A", "titles": ["B"]}}, "one of category, titles and"),
        ({"albums": {"category": "A", "section": "B"}}, "name it as page"),
        ({"albums": {"page": "A", "rank_column": "B"}}, "go with column"),
        ({"albums": {"page": "A", "column": 0}}, "greater than or equal to 1"),
        ({"albums": {"page": "A", "region": "moon"}}, "'japan', 'china'"),
        ({"characters": {}}, "name a category, a page or section, or a parameter"),
        ({"characters": {"category": "A", "section": "B"}}, "name a category, a page"),
        ({"characters": {"category": "{albums}"}}, r"'\{albums\}': only \{album\}"),
        ({"images": {"page": "some"}}, "'all', 'galleries' or 'none'"),
        ({"images": {"page": "none"}}, "name a gallery_page or a category"),
        ({"images": {"gallery": "x"}}, "nearest known one is 'gallery_page'"),
    ],
)
def test_keys_that_do_not_go_together_are_wrong_use(
    keys: dict[str, object], message: str
) -> None:
    with pytest.raises(WrongUse, match=message):
        source("http://w/api.php", **keys)


def test_a_region_is_written_as_its_code() -> None:
    assert Albums(category="A", region=Region.JAPAN) == Albums.model_validate(
        {"category": "A", "region": "japan"}
    )


def test_titles_are_put_in_with_and_without_what_stands_in_brackets() -> None:
    template = "{album} of {character_name}: {character}, {album_name}"
    filled = fill(template, "Moon (film)", "Luna (fox)")
    assert filled == "Moon (film) of Luna: Luna (fox), Moon"
