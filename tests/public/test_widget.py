"""The widget's script: whole, in the page's words, and the same bytes whatever happens."""

from __future__ import annotations

import json
import re
from typing import Any

from statuspage.core.enums import OVERALL, IncidentStatus, MaintenanceStatus
from statuspage.public.badges import COLOURS
from statuspage.public.widget import draw_widget


def known(script: str) -> dict[str, Any]:
    found = re.search(r"const KNOWN = (\{.*\});$", script, re.MULTILINE)
    assert found
    return dict(json.loads(found[1]))


def test_it_knows_every_word_that_the_json_says() -> None:
    words = known(draw_widget("en"))["words"]
    statuses = [word.value for word in (*IncidentStatus, *MaintenanceStatus)]
    assert {*OVERALL.values(), *statuses} < set(words)
    assert words["in_progress"] == "In progress"


def test_it_draws_a_sign_for_each_tone_in_the_badges_colours() -> None:
    script = draw_widget("en")
    assert known(script)["signs"].keys() == COLOURS.keys()
    assert all(f"--status-{tone}, {colour})" in script for tone, colour in COLOURS.items())


def test_it_says_which_way_its_language_is_read() -> None:
    assert known(draw_widget("ar"))["direction"] == "rtl"
    assert known(draw_widget("en"))["direction"] == "ltr"


def test_it_makes_no_markup_of_what_it_reads() -> None:
    script = draw_widget("en")
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in script
