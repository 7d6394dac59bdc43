import json

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import image, image_source, url
from icf.codes import FetchStatus
from icf.harvest.download.frontier import Frontier, Leased
from icf.harvest.download.results import Ended, Postponed, Stored, write_results
from tests.harvest.rows import all_of, file_under, filed, put_urls

ONE, TWO = "1" * 64, "2" * 64


def leased(catalogue: Catalogue, *addresses: str) -> list[Leased]:
    put_urls(catalogue, *addresses, licence="CC0", licence_from="list", author="J")
    return Frontier(catalogue, 100.0, "me").lease(10)


def stored(row: Leased, sha256: str = ONE) -> Stored:
    return Stored(row, sha256, 7, {"ETag": '"x"'}, 200, "png", 30, 40)


def test_stored_bytes_are_an_image_with_its_source(catalogue: Catalogue) -> None:
    (row,) = leased(catalogue, "http://a.org/1")
    file_under(catalogue, "http://a.org/1", "Luna", "Sol")
    write_results(catalogue, "me", [stored(row)])
    (kept,) = all_of(catalogue, image)
    assert (kept["sha256"], kept["bytes"], kept["format"]) == (ONE, 7, "png")
    assert (kept["width"], kept["height"]) == (30, 40)
    assert (kept["awaits"], kept["verdict"]) == ("detect", "pending")
    (source,) = all_of(catalogue, image_source)
    assert (source["licence"], source["licence_from"]) == ("CC0", "list")
    assert json.loads(source["headers"]) == {"ETag": '"x"'}
    (entry,) = all_of(catalogue, url)
    assert (entry["fate"], entry["image_id"]) == ("stored", kept["id"])
    assert (entry["leased_by"], entry["http_status"]) == (None, 200)
    assert filed(catalogue) == [("1", "Luna", False), ("1", "Sol", False)]


def test_the_same_bytes_under_many_urls_are_one_image_with_many_sources(
    catalogue: Catalogue,
) -> None:
    rows = leased(catalogue, "http://a.org/1", "http://b.org/2", "http://b.org/3")
    write_results(catalogue, "me", [stored(rows[0]), stored(rows[1])])
    write_results(catalogue, "me", [stored(rows[2])])
    assert len(all_of(catalogue, image)) == 1
    assert len(all_of(catalogue, image_source)) == 3


def test_changed_bytes_under_one_url_are_a_new_image(catalogue: Catalogue) -> None:
    (row,) = leased(catalogue, "http://a.org/1")
    write_results(catalogue, "me", [stored(row, ONE)])
    write_results(catalogue, "me", [stored(row, TWO)])
    assert len(all_of(catalogue, image)) == 2
    assert len(all_of(catalogue, image_source)) == 2


def test_writing_the_same_result_twice_is_as_once(catalogue: Catalogue) -> None:
    (row,) = leased(catalogue, "http://a.org/1")
    write_results(catalogue, "me", [stored(row)])
    once = all_of(catalogue, url), all_of(catalogue, image_source)
    write_results(catalogue, "me", [stored(row)])
    assert (all_of(catalogue, url), all_of(catalogue, image_source)) == once


def test_a_url_that_ended_says_why(catalogue: Catalogue) -> None:
    (row,) = leased(catalogue, "http://a.org/1")
    write_results(catalogue, "me", [Ended(row, FetchStatus.GONE, "HTTP 410", 410)])
    (entry,) = all_of(catalogue, url)
    assert (entry["fate"], entry["message"]) == ("gone", "HTTP 410")
    assert (entry["attempts"], entry["http_status"]) == (1, 410)
    assert entry["finished_at"] is not None


def test_a_url_that_is_put_off_waits_for_its_time(catalogue: Catalogue) -> None:
    (row,) = leased(catalogue, "http://a.org/1")
    write_results(catalogue, "me", [Postponed(row, 5.0, 3, "HTTP 500", 500)])
    (entry,) = all_of(catalogue, url)
    assert (entry["fate"], entry["not_before"]) == ("pending", 5.0)
    assert (entry["attempts"], entry["leased_by"]) == (3, None)


def test_a_row_that_another_worker_holds_now_is_left_to_it(
    catalogue: Catalogue,
) -> None:
    (row,) = leased(catalogue, "http://a.org/1")
    write_results(catalogue, "someone else", [Ended(row, FetchStatus.GONE, None, 410)])
    (entry,) = all_of(catalogue, url)
    assert (entry["fate"], entry["leased_by"]) == ("pending", "me")
