from __future__ import annotations

from pathlib import Path

import pytest

from icf.errors import WrongUse
from icf.models.cards import bundled_path
from icf.models.data.index import Source
from icf.models.training.config import read_config
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.mix import Trial, choose, decided, with_share
from icf.models.training.train import Silent
from tests.models.training.detector.drawn import DrawnReader, drawn_index

CARTOON = DrawnReader(Path("cartoon"), count=12)
MORE = DrawnReader(Path("more"), count=4)
HUMAN = DrawnReader(Path("human"), count=8, domain="human")


def trial(share: float, cartoon: float, human: float) -> Trial:
    return Trial(share, {"cartoon": {"ap50": cartoon}, "human": {"ap50": human}})


@pytest.mark.parametrize(
    ("trials", "share"),
    [
        ([trial(0, 0.90, 0.80), trial(0.25, 0.92, 0.80)], 0.25),  # mixing helps
        ([trial(0, 0.90, 0.80), trial(0.25, 0.82, 0.80)], 0),  # it costs drawn faces
        ([trial(0, 0.90, 0.40), trial(0.25, 0.88, 0.79)], 0.25),  # without: too much
        ([trial(0, 0.90, 0.785), trial(0.25, 0.88, 0.80)], 0),  # within the bound
        ([trial(0.5, 0.90, 0.80), trial(0.1, 0.90, 0.80)], 0.1),  # equal: the fewest
        ([Trial(0, {"cartoon": {"ap50": 0.5}}), trial(0.1, 0.4, 0.6)], 0.1),
    ],
)
def test_the_best_for_drawn_faces_that_costs_no_domain_too_much(
    trials: list[Trial], share: float
) -> None:
    assert choose(trials, bound=0.02).human == share


def test_a_share_is_divided_within_its_domain_by_size() -> None:
    index = drawn_index(CARTOON, MORE, HUMAN)
    shares = [source.share for source in with_share(index, 0.2).sources]
    assert shares == pytest.approx([0.6, 0.2, 0.2])
    assert index.shares().sum() == pytest.approx(1)
    nothing = with_share(index, 0.0)
    assert nothing.shares().tolist() == pytest.approx([0.75, 0.25, 0])


def run(
    out: Path, *sources: Source, said: list[str] | None = None
) -> tuple[list[Source], DetectorConfig]:
    config = read_config(
        DetectorConfig,
        "detector",
        changes={
            "loop.batch": 2,
            "loop.workers": 0,
            "pictures.sides": (64,),
            "pictures.chances": (1.0,),
            "held_out.side": 128,
            "held_out.resamples": 10,
            "mix.human": (0.0, 0.5),
            "mix.steps": 1,
        },
        from_model=True,
    )
    return decided(
        sources,
        config,
        out,
        start=bundled_path("detector"),
        cache=None,
        device="cpu",
        watcher=Silent(),
        say=(lambda line: None) if said is None else said.append,
    )


def test_shares_are_tried_measured_and_written_down(tmp_path: Path) -> None:
    said: list[str] = []
    data, config = run(tmp_path, Source(CARTOON), Source(HUMAN), said=said)
    assert len(said) == 3
    assert said[0].startswith("0% human: cartoon AP50 ")
    assert "2 shares tried for 1 steps" in config.mix.decided
    assert config.mix.tried.keys() == {"mix, 0% human", "mix, 50% human"}
    assert config.mix.tried["mix, 50% human"].keys() == {
        f"{domain} {name}"
        for domain in ("cartoon", "human")
        for name in ("ap50", "ap50_low", "ap50_high")
    }
    shares = [source.share for source in data]
    assert shares in ([1.0, 0.0], [0.5, 0.5])
    assert not list(tmp_path.rglob("checkpoint*"))
    # A second time they are read, not made again.
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("figures.json")}
    assert len(before) == 2
    assert run(tmp_path, Source(CARTOON), Source(HUMAN))[1] == config
    assert before == {p: p.stat().st_mtime_ns for p in before}


def test_data_of_one_domain_leaves_nothing_to_decide(tmp_path: Path) -> None:
    said: list[str] = []
    data, config = run(tmp_path, Source(CARTOON), said=said)
    assert data == [Source(CARTOON)]
    assert config.mix.decided == ""
    assert "nothing to decide" in said[0]


def test_shares_are_stated_or_decided_on_but_not_both(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="leave out those behind --data"):
        run(tmp_path, Source(CARTOON), Source(HUMAN, 0.25))
