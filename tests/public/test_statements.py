"""What the statements of the public side let through: nothing internal, whoever asks."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.enums import Kind, Visibility
from statuspage.models import Incident, IncidentUpdate
from statuspage.public import statements
from tests.factories import NOON, add_update, make_incident, make_page


def test_only_public_incidents_and_posts_pass_the_gate(session: Session) -> None:
    make_page(session)
    shown = make_incident(session, "Shown")
    add_update(session, shown, body="For colleagues.", visibility=Visibility.INTERNAL)
    hidden = make_incident(session, "Hidden", visibility=Visibility.INTERNAL)
    session.flush()
    titles = session.scalars(select(Incident.title).where(statements.gate(Incident)))
    posts = session.scalars(
        select(IncidentUpdate.body).where(
            IncidentUpdate.incident_id == shown.id, statements.gate(IncidentUpdate)
        )
    )
    assert (titles.all(), posts.all()) == (["Shown"], ["This is investigating."])
    assert hidden.id not in session.scalars(statements.RECENT, {"kind": Kind.INCIDENT}).all()


def test_what_is_over_is_not_open_and_what_is_hidden_is_sorted_out_when_rows_are_read(
    session: Session,
) -> None:
    make_page(session)
    going_on = make_incident(session, "Open")
    make_incident(session, "Over", updates=("investigating", "resolved"), resolved_at=NOON)
    session.flush()
    assert session.scalars(statements.OPEN).all() == [going_on.id]
