import itertools

from hypothesis import given
from hypothesis import strategies as st

from icf.harvest.sources.video.pick import APART, Candidate, Pick

FRAMES = st.lists(
    st.tuples(st.floats(0.01, 1.0), st.floats(0, 1000)), min_size=1, max_size=60
)


@given(FRAMES, st.integers(1, 5))
def test_the_sharpest_frame_is_kept_and_no_two_are_near(
    steps: list[tuple[float, float]], most: int
) -> None:
    pick: Pick[int] = Pick(most)
    seconds, offered = 0.0, []
    for number, (step, sharpness) in enumerate(steps):
        seconds += step
        offered.append(Candidate(seconds, sharpness, number))
        pick.offer(offered[-1])
    best = pick.best()
    assert 1 <= len(best) <= most
    assert max(one.sharpness for one in best) == max(o.sharpness for o in offered)
    times = [one.seconds for one in best]
    assert times == sorted(times)
    assert all(b - a >= APART for a, b in itertools.pairwise(times))
