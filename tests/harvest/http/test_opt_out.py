import pytest

from icf.harvest.http.opt_out import opted_out, reserved


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


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TDM-Reservation", "1", "TDM-Reservation: 1"),
        ("tdm-reservation", " 1 ", "TDM-Reservation: 1"),
        ("TDM-Reservation", "0", None),
        ("Content-Usage", "train-ai=n", "Content-Usage: train-ai=n"),
        ("content-usage", "search=y, Train-AI=N;q=1", "Content-Usage: train-ai=n"),
        ("Content-Usage", "train-ai=y", None),
        ("Content-Usage", "bots=n", "Content-Usage: bots=n"),
        ("Content-Usage", "bots=n, train-ai=y", None),
        ("Content-Usage", "train-ai=y, train-ai=n", "Content-Usage: train-ai=n"),
        ("Content-Usage", "search=n", None),
        ("Content-Usage", "train-ai", None),
        ("Content-Signal", "search=yes,ai-train=no", "Content-Signal: ai-train=no"),
        ("Content-Signal", "ai-input=no", None),
        ("Server", "ai-train=no", None),
    ],
)
def test_a_site_can_keep_its_pictures_from_training(
    name: str, value: str, said: str | None
) -> None:
    assert reserved([("Date", "today"), (name, value)]) == said
