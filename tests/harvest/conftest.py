from collections.abc import Iterator

import pytest

from tests.harvest.wire import Site, serving


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as one:
        yield one
