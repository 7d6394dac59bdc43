"""NumPy's quicksort of indices before 1.24, one comparison after the other."""

from __future__ import annotations

from collections.abc import Sequence

#: Rows up to this many more than one are sorted by insertion.
SMALL = 15


def argsort(values: Sequence[float]) -> list[int]:
    """Sort by a median of three, by a heap where that is too unlucky."""
    order = list(range(len(values)))
    depth = 2 * (len(values).bit_length() - 1)
    waiting = [(0, len(values) - 1, depth)]
    while waiting:
        first, last, depth = waiting.pop()
        if depth < 0:
            _by_heap(values, order, first, last)
            continue
        while last - first > SMALL:
            middle = _partitioned(values, order, first, last)
            depth -= 1
            if middle - first < last - middle:
                waiting.append((middle + 1, last, depth))
                last = middle - 1
            else:
                waiting.append((first, middle - 1, depth))
                first = middle + 1
        _by_insertion(values, order, first, last)
    return order


def _partitioned(
    values: Sequence[float], order: list[int], first: int, last: int
) -> int:
    middle = first + ((last - first) >> 1)
    for low, high in ((first, middle), (middle, last), (first, middle)):
        if values[order[high]] < values[order[low]]:
            _swap(order, low, high)
    pivot = values[order[middle]]
    _swap(order, middle, last - 1)
    left, right = first, last - 1
    while True:
        left += 1
        while values[order[left]] < pivot:
            left += 1
        right -= 1
        while pivot < values[order[right]]:
            right -= 1
        if left >= right:
            break
        _swap(order, left, right)
    _swap(order, left, last - 1)
    return left


def _by_insertion(
    values: Sequence[float], order: list[int], first: int, last: int
) -> None:
    for place in range(first + 1, last + 1):
        row = order[place]
        while place > first and values[row] < values[order[place - 1]]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = row


def _by_heap(values: Sequence[float], order: list[int], first: int, last: int) -> None:
    heap = [0, *order[first : last + 1]]
    size = len(heap) - 1
    for top in range(size >> 1, 0, -1):
        _sift(values, heap, heap[top], top, size)
    while size > 1:
        row, heap[size] = heap[size], heap[1]
        size -= 1
        _sift(values, heap, row, 1, size)
    order[first : last + 1] = heap[1:]


def _sift(
    values: Sequence[float], heap: list[int], row: int, place: int, size: int
) -> None:
    while (child := 2 * place) <= size:
        if child < size and values[heap[child]] < values[heap[child + 1]]:
            child += 1
        if not values[row] < values[heap[child]]:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = row


def _swap(order: list[int], one: int, other: int) -> None:
    order[one], order[other] = order[other], order[one]
