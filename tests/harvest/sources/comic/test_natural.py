from hypothesis import given
from hypothesis import strategies as st

from icf.harvest.sources.comic.natural import natural_key
from icf.harvest.sources.comic.pages import page_id, unique

NAMES = st.text(alphabet="ab/019. \u0663\u0130", max_size=12)


@given(st.lists(st.integers(0, 10**9), unique=True))
def test_numbers_in_names_count_as_numbers(numbers: list[int]) -> None:
    names = [f"page{number}.jpg" for number in numbers]
    wanted = [f"page{number}.jpg" for number in sorted(numbers)]
    assert sorted(names, key=natural_key) == wanted


def test_a_number_may_have_more_digits_than_python_reads() -> None:
    names = ["1" * 5000 + ".png", "2.png", "0" * 6000 + "1.png", "10.png"]
    wanted = [names[2], "2.png", "10.png", names[0]]
    assert sorted(names, key=natural_key) == wanted


@given(NAMES, NAMES)
def test_two_names_have_one_order(one: str, other: str) -> None:
    first, second = natural_key(one), natural_key(other)
    assert (first < second) + (second < first) == (one != other)


@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "b"])))
def test_names_become_unique_and_the_first_of_each_keeps_its_own(
    names: list[str],
) -> None:
    found = unique(names)
    assert len(set(found)) == len(names)
    assert set(names) <= set(found)


def test_the_same_name_many_times_is_numbered_in_linear_time() -> None:
    found = unique(["a"] * 50_000)
    assert (found[0], found[1], found[-1]) == ("a", "a (2)", "a (50000)")


@given(st.text(), st.text())
def test_two_names_have_two_ids_that_fit_a_url(one: str, other: str) -> None:
    assert (page_id(one) == page_id(other)) == (one == other)
    assert page_id(one * 500).isascii()
    assert len(page_id(one * 500)) <= 900
