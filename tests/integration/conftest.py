"""What the integration tests share: one real wiki."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.mediawiki import MediaWiki, mediawiki


@pytest.fixture(scope="session")
def wiki() -> Iterator[MediaWiki]:
    """A real MediaWiki on loopback; installing it takes a while."""
    with mediawiki() as served:
        yield served
