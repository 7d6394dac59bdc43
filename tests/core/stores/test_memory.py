from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from icf.stores.memory import Memory


@given(st.integers(0, 20), st.lists(st.binary(max_size=9)), st.integers(0, 30))
def test_what_is_added_is_there_until_it_is_dropped(
    size: int, parts: list[bytes], dropped: int
) -> None:
    memory = Memory(size)
    places = [memory.add(part) for part in parts]
    whole = b"".join(parts)
    assert memory.content() == whole
    assert places == parts  # also where the memory got larger since
    memory.drop(min(dropped, len(whole)))
    assert memory.content() == whole[dropped:]
    memory.add(b"end")
    assert memory.content() == whole[dropped:] + b"end"
    memory.clear()
    assert memory.size == len(memory.content()) == 0


def test_room_is_written_by_who_asked_for_it() -> None:
    memory = Memory(1)
    memory.add(b"a")
    memory.room(2)[:] = b"bc"
    assert bytes(memory.content()) == b"abc"
