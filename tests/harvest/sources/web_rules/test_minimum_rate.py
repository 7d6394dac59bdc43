import pytest
from scrapy import Request
from scrapy.exceptions import StopDownload

from icf.harvest.sources.web_rules.minimum_rate import MinimumRate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_body_that_trickles_is_given_up_after_the_grace() -> None:
    clock, request = Clock(), Request("http://a.org/")
    rate = MinimumRate(100.0, grace=10.0, clock=clock)
    rate.headers_came(request)
    clock.now = 10.0
    rate.bytes_came(b"x", request)
    clock.now = 11.0
    with pytest.raises(StopDownload):
        rate.bytes_came(b"x", request)


def test_a_body_at_the_rate_may_take_its_time() -> None:
    clock, request = Clock(), Request("http://a.org/")
    rate = MinimumRate(100.0, grace=10.0, clock=clock)
    rate.headers_came(request)
    for second in range(1, 60):
        clock.now = float(second)
        rate.bytes_came(b"x" * 100, request)
