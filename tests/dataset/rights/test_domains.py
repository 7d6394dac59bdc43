from __future__ import annotations

from pathlib import Path

from icf.dataset.licences import Source
from icf.dataset.rights.domains import LOCAL, count_domains, host_of, write_domains


def found(url: str) -> list[Source]:
    return [Source(url, *[""] * 5), Source("https://second.test/x", *[""] * 5)]


def test_hosts_are_counted_by_pictures_and_bytes_of_the_first_source(
    tmp_path: Path,
) -> None:
    pictures = [
        (found("https://A.test:444/1"), 10),
        (found("http://a.test/2"), 20),
        (found("https://b.test/3"), 70),
        ([], 0),
    ]
    write_domains(tmp_path, count_domains(pictures))
    assert (tmp_path / "domains.csv").read_text().splitlines() == [
        "domain,pictures,bytes,share_of_bytes",
        "b.test,1,70,0.7",
        "a.test,2,30,0.3",
        "(own files),1,0,0.0",
    ]


def test_what_has_no_host_is_ones_own() -> None:
    assert host_of("file:///home/ann/a.png") == LOCAL
    assert host_of("http://[broken/") == LOCAL


def test_what_can_be_no_host_is_none() -> None:
    for bad in ("=cmd|calc", "-1.test", "<img src=x>", "a\x1b[2J", "a`b", "a" * 300):
        assert host_of(f"https://{bad}/a.png") == LOCAL
    assert host_of("http://münchen.test/a") == "münchen.test"
    assert host_of("http://[::1]:8080/a") == "::1"
