"""Figures as bars: the drawing and its words say the same as the table."""

from fractions import Fraction
from itertools import pairwise

from authz.web.bars import HEIGHT, bars


def test_bars_stand_to_scale_beside_a_round_level() -> None:
    drawn = bars("Requests", ["before", "after"], [("May", [5, 10]), ("June", [0, 17])])

    assert drawn is not None
    assert [bar.height for bar in drawn.bars] == [round(Fraction(value, 20) * HEIGHT) for value in (5, 10, 0, 17)]
    assert {bar.y + bar.height for bar in drawn.bars} == {drawn.foot}
    assert [level.label for level in drawn.levels] == ["0", "10", "20"]
    assert drawn.description == "Before: at most 5, May. After: at most 17, June."


def test_labels_never_meet_and_nothing_is_drawn_of_nothing() -> None:
    weeks = [(f"Week {number}", [number]) for number in range(60)]
    drawn = bars("Requests", ["requests"], weeks)

    assert drawn is not None
    places = [label.at for label in drawn.labels]
    assert min(after - before for before, after in pairwise(places)) >= 60
    assert max(bar.x + bar.width for bar in drawn.bars) <= drawn.width
    assert bars("Requests", ["requests"], [("May", [0])]) is None
