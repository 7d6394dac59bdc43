import socket

import pytest
from twisted.internet.address import IPv4Address

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.twisted_resolver import CheckedNames


class Receiver:
    """What Twisted hands to a resolver."""

    def __init__(self) -> None:
        self.found: list[object] = []
        self.complete = False

    def resolutionBegan(self, resolution: object) -> None:
        pass

    def addressResolved(self, address: object) -> None:
        self.found.append(address)

    def resolutionComplete(self) -> None:
        self.complete = True


def addresses(names: CheckedNames, host: str, port: int) -> list[object]:
    receiver = Receiver()
    names.resolveHostName(receiver, host, port)
    assert receiver.complete
    return receiver.found


def test_what_was_not_checked_has_no_address() -> None:
    names = CheckedNames(AllowList(()), lambda host, port: ["93.184.216.34"])
    assert addresses(names, "a.org", 80) == []
    names.check("a.org", 80)
    assert addresses(names, "a.org", 80) == [IPv4Address("TCP", "93.184.216.34", 80)]
    assert addresses(names, "a.org", 8080) == []


def test_a_name_that_answers_differently_later_gains_nothing() -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    names = CheckedNames(AllowList(()), lambda host, port: answers.pop(0))
    names.check("a.org", 80)
    with pytest.raises(Fault, match="not a public address"):
        names.check("a.org", 80)
    assert addresses(names, "a.org", 80) == [IPv4Address("TCP", "93.184.216.34", 80)]


def test_private_addresses_among_public_ones_are_left_out() -> None:
    found = ["10.0.0.1", "93.184.216.34", "::ffff:127.0.0.1"]
    names = CheckedNames(AllowList(()), lambda host, port: found)
    names.check("a.org", 80)
    assert addresses(names, "a.org", 80) == [IPv4Address("TCP", "93.184.216.34", 80)]


@pytest.mark.parametrize(
    ("number", "down"), [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False)]
)
def test_a_silent_name_service_is_told_from_a_name_that_is_not_there(
    number: int, down: bool
) -> None:
    def fail(host: str, port: int) -> list[str]:
        raise socket.gaierror(number, "no")

    with pytest.raises(Fault) as caught:
        CheckedNames(AllowList(()), fail).check("a.org", 80)
    assert (caught.value.fate, caught.value.names_down) == (
        FetchStatus.UNREACHABLE,
        down,
    )
