import pytest

from icf.harvest.http.opt_out import opted_out


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ([], None),
        (["all"], None),
        (["noarchive, nofollow"], None),
        (["noai"], "noai"),
        (["NoImageAI"], "noimageai"),
        (["noml"], "noml"),
        (["noindex, nofollow"], "noindex"),
        (["noimageindex"], "noimageindex"),
        (["none"], "none"),
        (["all", "noai"], "noai"),
        (["otherbot: noindex, noai"], None),
        (["otherbot: noindex", "noai"], "noai"),
        (["icf: noai"], "noai"),
        (["otherbot: all, icf: noai"], "noai"),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], "noai"),
        (["max-image-preview: none"], None),
    ],
)
def test_a_site_can_ask_that_its_pictures_be_left_alone(
    headers: list[str], word: str | None
) -> None:
    assert opted_out(headers) == word
