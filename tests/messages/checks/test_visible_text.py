"""The visible text of a source, and where each part of it was written."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from statuspage.core.enums import Step
from statuspage.messages.checks.visible_text import read
from statuspage.messages.facts import Facts
from tests.checking import INCIDENT, INTERNAL, check
from tests.factories import NOON
from tests.guards.leaks import planted

WRITTEN = st.text(
    st.one_of(
        st.sampled_from("aAbB019.:/-_@#\\*`[]()&;<>! \n"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=200,
)


LEAKY = st.sampled_from([leak.text for leak in planted(110, seed=7)])


@given(st.lists(st.one_of(WRITTEN, LEAKY), max_size=4).map("".join))
def test_a_place_lies_inside_the_text_that_was_written(text: str) -> None:
    known = Facts(replace(INCIDENT, ended=NOON, next_update=NOON), INTERNAL)
    for finding in check(text, subject=text[:80], known=known, step=Step.RESOLVED):
        written = text if finding.field == "body" else text[:80]
        assert 0 <= finding.start <= finding.end <= len(written)
        assert (finding.start < finding.end) == bool(finding.excerpt)


@given(WRITTEN)
def test_a_reading_knows_where_each_character_came_from(text: str) -> None:
    reading = read(text)
    assert len(reading.places) == len(reading.text) + 1
    assert list(reading.places) == sorted(reading.places)
    assert reading.places[-1] == len(text)
