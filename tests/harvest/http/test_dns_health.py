from icf.harvest.http.dns_health import PATIENCE, DnsHealth


def test_a_failure_after_an_answer_is_about_one_name() -> None:
    names = DnsHealth()
    assert not names.is_up(0.0)
    names.answered("a.org", 10.0)
    assert names.is_up(20.0)
    assert not names.is_up(1000.0)


def test_reaching_an_address_says_nothing_of_names() -> None:
    names = DnsHealth()
    for host in ("127.0.0.1:80", "10.0.0.1", "[::1]:80", ""):
        names.answered(host, 10.0)
    assert not names.is_up(10.0)


def test_pauses_grow_until_an_answer_comes() -> None:
    names = DnsHealth()
    assert names.failed(0.0)
    assert names.paused_until == 1.0
    assert not names.failed(0.5)
    assert names.failed(1.0)
    assert names.paused_until == 3.0
    names.answered("a.org", 3.0)
    assert names.failed(100.0)
    assert names.paused_until == 101.0


def test_a_long_silence_is_down() -> None:
    names = DnsHealth()
    names.failed(0.0)
    assert not names.is_down(PATIENCE)
    assert names.is_down(PATIENCE + 1)
