"""Reporting a problem: colleagues who are signed in, or have the link, and what becomes of it."""

from __future__ import annotations

from flask import abort
from flask.typing import ResponseReturnValue

from statuspage.access.api_keys import KeyThrottled
from statuspage.admin import auth
from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, zone
from statuspage.admin.forms import LineField, NameField, PostForm, ProseField, RowField
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import MomentField
from statuspage.configuration import components, severity
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.intake import problem_reports
from statuspage.intake.problem_reports import ProblemReport
from statuspage.public import http


class ProblemForm(PostForm):
    """What somebody has noticed."""

    title = NameField(N_("What is wrong?"), needed=N_("Say what is wrong"))
    component_id = RowField(N_("Component"), none=N_("I’m not sure"))
    severity_rank = RowField(N_("Severity"), none=N_("I’m not sure"))
    since = MomentField(N_("Since when?"), not_after_now=True)
    impact = ProseField(N_("Who notices, and how?"), render_kw={"rows": 3})
    details = ProseField(N_("Logs, error messages, links"), render_kw={"rows": 4})

    def report(self, reporter: str) -> ProblemReport:
        """The report as typed."""
        return ProblemReport(
            title=self.title.data,
            component_id=self.component_id.data,
            severity_rank=self.severity_rank.data,
            since=self.since.data,
            impact=self.impact.data,
            details=self.details.data,
            reporter=reporter,
        )


class ProblemByLinkForm(ProblemForm):
    """The same by somebody who is not signed in."""

    reporter = LineField(N_("Your name"), needed=N_("Enter your name"))


@admin.route("/report", methods=["GET", "POST"])
def report_problem() -> ResponseReturnValue:
    """Report a problem, signed in."""
    form = ProblemForm.read(zone=zone())
    _offer(form)
    if form.is_accepted():
        with form.refusals():
            report, key = form.report(actor().name), form.form_key.data or ""
            problem_reports.report_problem(report, form_key=key, actor=actor())
            return done(_("Reported. Colleagues are notified."), "admin.suggestions")
    return page("admin/report_problem.html", form=form)


@admin.route("/report/<token>", methods=["GET", "POST"])
@auth.open_to_strangers
def report_by_link(token: str) -> ResponseReturnValue:
    """Report a problem by the link that holds the secret."""
    address = http.present_address()
    try:
        holder = problem_reports.holder_of_link(token, address=address)
    except KeyThrottled:
        abort(429)
    if holder is None:
        abort(404)
    form = ProblemByLinkForm.read(zone=zone())
    _offer(form)
    if form.is_accepted():
        with form.refusals():
            report, key = form.report(form.reporter.data), form.form_key.data or ""
            problem_reports.report_by_link(holder, report, form_key=key, address=address)
            return page("admin/reported.html", form=None)
    return page("admin/report_by_link.html", form=form)


def _offer(form: ProblemForm) -> None:
    session = current_session()
    form.component_id.offer(components.component_names(session).items())
    levels = severity.severity_levels(session)
    form.severity_rank.offer([(one.rank, f"{one.name}: {one.description}") for one in levels])
    if not form.since.raw_data and form.since.data is None:
        form.since.data = clock.now().replace(second=0, microsecond=0)
