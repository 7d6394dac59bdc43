import time

import pytest

from icf.harvest.http.retry_after import DEFAULT_WAIT, wait_seconds

NOON = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        (" 20 ", 20.0),
        ("-5", 0.0),
        ("99999999", 600.0),
        ("inf", 600.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 21:00:00 GMT", 0.0),
        ("Tue, 14 Nov 2033 22:13:20 GMT", 600.0),
        (None, DEFAULT_WAIT),
        ("", DEFAULT_WAIT),
        ("nan", DEFAULT_WAIT),
        ("later", DEFAULT_WAIT),
        ("Tue, 99 Nov 2023 99:99:99 GMT", DEFAULT_WAIT),
    ],
)
def test_retry_after_is_seconds_or_a_date_under_a_cap(
    header: str | None, seconds: float
) -> None:
    assert wait_seconds(header, NOON, 600.0) == seconds


@pytest.mark.parametrize(
    "header", ["Tue Nov 14 22:13:50 2023", "Tue, 14 Nov 2023 22:13:50 -0000"]
)
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_a_date_without_a_zone_is_in_utc_wherever_this_machine_is(
    header: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        waited = wait_seconds(header, NOON, 600.0)
    time.tzset()
    assert waited == 30.0
