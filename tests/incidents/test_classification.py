"""Tags and cause categories: how they are written, and that nobody else has to read a change."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.incidents.classification import as_tag, classify, frequent_tags, known_tags
from statuspage.models import AuditEntry, Incident, Page
from statuspage.models.revision import current_number
from tests.announcing import ACTOR, Scenario, declare


@pytest.mark.parametrize(
    ("word", "tag"),
    [("#API", "api"), ("  Payment  gateway ", "payment-gateway"), ("db_pool", "db-pool"),
     ("Größe", "größe"), ("ﬁx", "fix"), ("-", ""), ("\x00a\u2028b", "a-b")],
)  # fmt: skip
def test_a_tag_is_written_one_way(word: str, tag: str) -> None:
    assert as_tag(word) == tag


def test_an_incident_has_the_tags_and_the_cause_that_it_was_given_last(
    scenario: Scenario, session: Session
) -> None:
    code = declare(scenario).code
    other = declare(scenario, title="Carts are slow").code
    classify(code, ["API", "timeout", "api"], "Deployment", actor=ACTOR)
    classify(other, ["timeout"], "", actor=ACTOR)
    assert known_tags(session) == {"timeout", "api"}
    assert frequent_tags(session, 1) == ["timeout"]
    found = classify(code, ["timeout"], "", actor=ACTOR)
    assert (found.tags, found.cause_category) == (["timeout"], "")
    assert known_tags(session) == {"timeout"}


def test_it_is_no_change_that_an_editor_or_the_page_would_have_to_read(
    scenario: Scenario, session: Session
) -> None:
    code = declare(scenario).code
    incident = session.scalars(select(Incident).filter_by(code=code)).one()
    before = (incident.version, incident.updated_at, current_number(session))
    session.rollback()
    classify(code, ["api"], "Network", actor=ACTOR)
    session.expire_all()
    assert (incident.version, incident.updated_at, current_number(session)) == before
    entry = session.scalars(select(AuditEntry).filter_by(action="incident.classify")).one()
    assert entry.after == {"tags": ["api"], "cause category": "Network"}


def test_a_category_stays_although_the_settings_lost_it_and_others_are_refused(
    scenario: Scenario,
) -> None:
    code = declare(scenario).code
    classify(code, [], "Network", actor=ACTOR)
    with writing() as session:
        session.get_one(Page, 1).cause_categories = "Deployment"
    classify(code, ["api"], "Network", actor=ACTOR)
    with pytest.raises(Invalid, match="from the list"):
        classify(code, [], "Gremlins", actor=ACTOR)
    with pytest.raises(Invalid, match="longer than 60"):
        classify(code, ["x" * 61], "", actor=ACTOR)
    with pytest.raises(Invalid, match="at most 20"):
        classify(code, map(str, range(21)), "", actor=ACTOR)
