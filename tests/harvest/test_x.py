from tests.harvest.wire import X


def test_x() -> None:
    assert X == 1
