"""Sources of alerts: each with a key that is shown once, rules, and a way to try them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from flask import abort, request
from flask.typing import ResponseReturnValue
from wtforms import SelectField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.forms import Form, LineField, NameField, ProseField
from statuspage.admin.marked_texts import _
from statuspage.configuration import severity
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.core.links import current_links
from statuspage.intake import alert_mapping
from statuspage.intake import alert_sources as verbs
from statuspage.intake.alert_mapping import (
    GENERIC,
    PROVIDERS,
    TOOLS,
    AlertMapping,
    IncomingAlert,
)
from statuspage.intake.alert_sources import SIGNATURES, SourceDetails
from statuspage.models import AlertSource, Component

LAST_ALERTS: Final = 20
MOST_SAMPLE: Final = 200_000

_MAPPED: Final = tuple(part.name for part in fields(AlertMapping))


@dataclass(frozen=True, slots=True)
class Tried:
    """An alert, and what the rules propose for it."""

    alert: IncomingAlert
    severity: str
    component: str


class NewSourceForm(Form):
    """What sends alerts."""

    name = NameField(N_("Name"), needed=N_("Enter a name"))
    tool = SelectField(
        N_("Tool"), choices={key: tool.name for key, tool in TOOLS.items() if key != PROVIDERS}
    )


class SourceForm(Form):
    """How the alerts of a source are read, and what they propose."""

    name = NameField(N_("Name"), needed=N_("Enter a name"))
    signing_secret = LineField(N_("Signing secret"))
    severity_rules = ProseField(N_("Severity rules"))
    component_rules = ProseField(N_("Component rules"))
    alerts = LineField(N_("List of alerts"))
    fingerprint = LineField(N_("Identity"))
    group = LineField(N_("Group"))
    title = LineField(N_("Title"))
    text = LineField(N_("Text"))
    url = LineField(N_("Link"))
    state = LineField(N_("State"))
    resolved = LineField(N_("Resolved when"))
    only = LineField(N_("Only when"))
    started = LineField(N_("Started"))
    ended = LineField(N_("Ended"))
    labels = LineField(N_("Labels"))
    label_fields = ProseField(N_("More labels"))
    sample = ProseField(N_("Sample"), limit=MOST_SAMPLE)

    def mapping(self) -> AlertMapping:
        """The mapping as typed."""
        return AlertMapping(**{name: self[name].data for name in _MAPPED})

    def details(self, tool: str) -> SourceDetails:
        """The source as typed."""
        return SourceDetails(
            name=self.name.data,
            tool=tool,
            severity_rules=self.severity_rules.data,
            component_rules=self.component_rules.data,
            mapping=self.mapping(),
            signing_secret=self.signing_secret.data,
        )


@admin.get("/alert-sources", endpoint="alert_sources")
def list_alert_sources() -> ResponseReturnValue:
    """The tools that send alerts."""
    found = verbs.alert_sources(current_session())
    return page("admin/alert_sources.html", sources=found, tools=TOOLS)


@admin.route("/alert-sources/new", methods=["GET", "POST"])
def new_alert_source() -> ResponseReturnValue:
    """Add one; then its key is shown, this once."""
    form = NewSourceForm.read()
    if form.is_accepted():
        with form.refusals():
            details = SourceDetails(form.name.data, form.tool.data)
            source_id, token = verbs.add_source(details, actor=actor())
            return _screen(source_id, token=token)
    return page("admin/new_alert_source.html", form=form)


@admin.route("/alert-sources/<int:source_id>", methods=["GET", "POST"])
def alert_source(source_id: int) -> ResponseReturnValue:
    """Change one; or try its rules on a sample, or on its last alerts."""
    source = _found(source_id)
    form = SourceForm.read(None, **_shown(source))
    tried: list[Tried] | None = None
    if form.is_accepted():
        with form.refusals():
            if "try" in request.form:
                tried = _try(form, source)
            else:
                verbs.change_source(source_id, form.details(source.tool), actor=actor())
                return done(_("%(name)s is saved.", name=form.name.data), "admin.alert_sources")
    return _screen(source_id, form=form, tried=tried)


@admin.post("/alert-sources/<int:source_id>/key")
def renew_alert_source(source_id: int) -> ResponseReturnValue:
    """Give it another key; the one before works no more."""
    _found(source_id)
    return _screen(source_id, token=verbs.renew_key(source_id, actor=actor()))


@admin.post("/alert-sources/<int:source_id>/remove")
def remove_alert_source(source_id: int) -> ResponseReturnValue:
    """Take no more of its alerts."""
    verbs.remove_source(source_id, actor=actor())
    return done(_("The source is removed, and its key is revoked."), "admin.alert_sources")


def _found(source_id: int) -> AlertSource:
    source = current_session().get_one(AlertSource, source_id)
    return source if source.removed_at is None else abort(404)


def _shown(source: AlertSource) -> dict[str, Any]:
    mapping = verbs.mapping_of(source)
    return {
        "name": source.name,
        "severity_rules": source.severity_rules,
        "component_rules": source.component_rules,
        **{name: getattr(mapping, name) for name in _MAPPED},
    }


def _screen(
    source_id: int,
    *,
    token: str = "",
    form: SourceForm | None = None,
    tried: list[Tried] | None = None,
) -> ResponseReturnValue:
    source = _found(source_id)
    return page(
        "admin/alert_source.html",
        form=form or SourceForm(None, **_shown(source)),
        source=source,
        tool=TOOLS[source.tool].name,
        is_generic=source.tool == GENERIC,
        signature=SIGNATURES[source.tool][0] if source.tool in SIGNATURES else "",
        token=token,
        tried=tried,
        address=current_links().to(f"/hooks/{source.tool}"),
        report_link=current_links().to("/admin/report/"),
        levels=severity.severity_levels(current_session()),
    )


def _try(form: SourceForm, source: AlertSource) -> list[Tried]:
    """What the rules as typed propose; :class:`Invalid` for what cannot be read."""
    session = current_session()
    rules = verbs.rules_of(
        session, form.severity_rules.data, form.component_rules.data, strict=True
    )
    if form.sample.data:
        alerts = _read_sample(form, source)
    else:
        latest = verbs.latest_alerts(session, source, most=LAST_ALERTS)
        alerts = [verbs.as_incoming(alert) for alert in latest]
    names = {level.rank: level.name for level in severity.severity_levels(session)}
    found = []
    for alert in alerts[:LAST_ALERTS]:
        component = session.get(Component, rules.component_of(alert.labels) or 0)
        rank = rules.severity_of(alert.labels)
        found.append(Tried(alert, names.get(rank or 0, ""), component.name if component else ""))
    return found


def _read_sample(form: SourceForm, source: AlertSource) -> list[IncomingAlert]:
    mapping = form.mapping() if source.tool == GENERIC else verbs.mapping_of(source)
    alert_mapping.check_mapping(mapping)
    try:
        sent = alert_mapping.parse(form.sample.data.encode())
    except ValueError as error:
        raise Invalid("sample", _("This is not JSON: %(error)s", error=error)) from None
    alerts, _unread = alert_mapping.read_alerts(mapping, sent)
    if not alerts:
        raise Invalid("sample", _("No alerts found. Check the sample and the mapping"))
    return alerts
