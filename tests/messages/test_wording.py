"""Wording: shipped, edited, restored, and never saved where it could fail."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.configuration.severity import PRESETS
from statuspage.core.db import writing
from statuspage.core.enums import Audience, Step
from statuspage.messages.template_language import TemplateProblem
from statuspage.messages.wording import (
    Source,
    Unfit,
    UnknownTemplate,
    check,
    current_wording,
    history,
    names,
    restore_wording,
    save_wording,
    shipped_wording,
    template_name,
)
from statuspage.models import AuditEntry, Page, Wording
from tests.actors import acting
from tests.factories import make_page

ALICE = acting("Alice")
NAME = "public/resolved"


def test_the_shipped_wording_counts_until_somebody_edits_it(session: Session) -> None:
    assert current_wording(session, NAME) == shipped_wording(NAME)
    assert history(session, NAME) == []


def test_the_newest_edit_counts(session: Session) -> None:
    save_wording(NAME, subject="One", body="First {{ title }}", actor=ALICE)
    save_wording(NAME, subject="Two", body="Second {{ title }}\r\n", actor=ALICE)

    assert current_wording(session, NAME) == Source("Two", "Second {{ title }}", edited=True)
    assert [version.subject for version in history(session, NAME)] == ["Two", "One"]


def test_an_edit_of_one_template_leaves_the_others(session: Session) -> None:
    save_wording(NAME, subject="One", body="First", actor=ALICE)

    assert current_wording(session, "customer/resolved") == shipped_wording("customer/resolved")


def test_restoring_brings_the_shipped_wording_back_and_keeps_the_edit(session: Session) -> None:
    save_wording(NAME, subject="One", body="First", actor=ALICE)
    restore_wording(NAME, actor=ALICE)

    assert current_wording(session, NAME) == shipped_wording(NAME)
    assert [version.restored for version in history(session, NAME)] == [True, False]


def test_restoring_what_was_never_edited_does_nothing(session: Session) -> None:
    restore_wording(NAME, actor=ALICE)

    assert session.scalars(select(Wording)).all() == []


def test_saving_the_same_again_adds_no_version(session: Session) -> None:
    save_wording(NAME, subject="One", body="First", actor=ALICE)
    save_wording(NAME, subject="One", body="First", actor=ALICE)

    assert len(history(session, NAME)) == 1


def test_each_change_leaves_an_audit_entry_with_before_and_after(session: Session) -> None:
    shipped = shipped_wording(NAME)
    save_wording(NAME, subject="One", body="First", actor=ALICE)
    restore_wording(NAME, actor=ALICE)

    edited = {"language": "en", "subject": "One", "body": "First"}
    original = {"language": "en", "subject": shipped.subject, "body": shipped.body}
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(e.actor, e.action, e.subject, e.before, e.after) for e in entries] == [
        ("Alice", "wording.save", NAME, original, edited),
        ("Alice", "wording.restore", NAME, edited, original),
    ]


def test_an_unfit_wording_is_not_saved_and_says_where(session: Session) -> None:
    with pytest.raises(Unfit) as refusal:
        save_wording(NAME, subject="One", body="First\n{{ titel }}", actor=ALICE)

    reason = "“titel” is no known word; did you mean “title”?"
    assert refusal.value.problems == (TemplateProblem(2, 4, reason),)
    assert history(session, NAME) == []


@pytest.mark.parametrize("name", ["public/declared", "customer/scheduled", "nobody/resolved", "x"])
def test_a_template_that_does_not_exist_is_said_to(name: str) -> None:
    with pytest.raises(UnknownTemplate):
        check(name, "Subject", "Body")
    with pytest.raises(UnknownTemplate):
        shipped_wording(name)


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("", "the subject is missing"),
        ("one\ntwo", "a subject is one line, without control characters"),
        ("one\x00", "a subject is one line, without control characters"),
        ("x" * 501, "longer than 500 characters"),
        ("{{ commander }}", "“commander” is an internal fact: it does not exist for this audience"),
        ("{% if again %}x{% endif %}", "nothing comes out of it"),
    ],
)
def test_a_subject_that_cannot_be_used_is_refused(subject: str, reason: str) -> None:
    problem = check(NAME, subject, "Body")[0]

    assert (problem.field, problem.reason) == ("subject", reason)


@pytest.mark.parametrize(
    ("name", "body", "problem"),
    [
        (
            "customer/resolved",
            "Over\n at [[end]]",
            TemplateProblem(2, 5, "nothing fills [[end]] here"),
        ),
        (
            "public/resolved",
            "Over at [[ended]]",
            TemplateProblem(1, 9, "nothing fills [[ended]] here"),
        ),
        (
            "customer/resolved",
            "{{ ended|upper }}",
            TemplateProblem(1, 1, "nothing fills [[ENDED]] here"),
        ),
        (
            "public/resolved",
            "{% if again %}x{% endif %}",
            TemplateProblem(1, 1, "nothing comes out of it"),
        ),
    ],
)
def test_a_body_that_would_leave_a_gap_is_refused(
    name: str, body: str, problem: TemplateProblem
) -> None:
    assert check(name, "Subject", body) == [problem]


@pytest.mark.parametrize("body", ["{{ ended }}", "[[ended]]", "Hello [[name]], {{ name }}"])
def test_tokens_may_be_written_either_way_in_customers_mail(body: str) -> None:
    assert check("customer/resolved", "Subject", body) == []


def test_every_template_is_listed_with_its_words_and_a_sample_of_each() -> None:
    listed = names()

    assert [info.name for info in listed][:2] == ["public/investigating", "public/identified"]
    assert len(listed) == 35
    by_name = {info.name: info for info in listed}
    declared = by_name[template_name(Audience.INTERNAL, Step.DECLARED)]
    samples = {word.name: word.sample for word in declared.variables}
    assert declared.title == "Internal message: declared"
    assert samples["commander"] == "Alice Moreau (@alice)"
    assert samples["components"] == "Checkout · Major outage; Payments · Partial outage"
    assert samples["still"] == "no"
    assert "commander" not in {word.name for word in by_name[NAME].variables}


def test_each_scheme_has_a_template_of_its_own_for_reviews(session: Session) -> None:
    with writing() as transaction:
        make_page(transaction)
    page = session.scalars(select(Page)).one()
    name = "internal/review"
    save_wording(name, subject="Ours", body="# Summary\nOurs", actor=ALICE)
    page.scheme = "p1"
    session.commit()
    assert current_wording(session, name).body.startswith("# Incident summary")
    assert history(session, name) == []
    save_wording(name, subject="Theirs", body="# Theirs\nA", actor=ALICE)
    restore_wording(name, actor=ALICE)
    assert current_wording(session, name) == shipped_wording(f"{name}/p1")
    page.scheme = "sev"
    session.commit()
    assert current_wording(session, name).subject == "Ours"


@pytest.mark.parametrize("scheme", PRESETS)
def test_the_template_of_each_scheme_could_be_saved_as_it_is(scheme: str) -> None:
    source = shipped_wording(f"internal/review/{scheme}")
    assert check("internal/review", source.subject, source.body) == []
