"""Metrics: which numbers the page draws, and where they come from."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import BooleanField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, page_zone, the_page
from statuspage.admin.forms import CountField, EditForm, LineField, NameField, ProseField, RowField
from statuspage.admin.marked_texts import _
from statuspage.configuration import editing
from statuspage.configuration import metrics as verbs
from statuspage.configuration.editing import MetricDetails
from statuspage.core.config import current_settings
from statuspage.core.db import current_session
from statuspage.core.languages import ENGLISH, N_
from statuspage.core.links import current_links
from statuspage.intake.prometheus import NOT_SET, NoNumber, ask
from statuspage.models import Component, ComponentGroup, Metric
from statuspage.models.metric import UNIT_LIMIT
from statuspage.public.metric_charts import globals_in
from statuspage.public.metric_views import MetricView
from statuspage.public.times import Times

_QUERY_LIMIT: Final = 2_000


class MetricForm(EditForm):
    """A metric."""

    name = NameField(N_("Name"), needed=N_("Enter a name"))
    unit = LineField(N_("Unit"), limit=UNIT_LIMIT)
    decimals = CountField(N_("Decimals"), most=verbs.MOST_DECIMALS)
    component_id = RowField(N_("Component"), none=N_("The whole page"))
    query = ProseField(N_("Prometheus query"), limit=_QUERY_LIMIT)
    is_shown = BooleanField(N_("Show it on the page"))
    because = LineField(N_("Show it anyway because"))

    def details(self) -> MetricDetails:
        """The metric as typed."""
        typed = self.typed()
        del typed["because"]
        return MetricDetails(**{**typed, "decimals": self.decimals.data or 0})


@admin.get("/metrics", endpoint="metrics")
def list_metrics() -> ResponseReturnValue:
    """All metrics."""
    found = verbs.metrics(current_session())
    return page(
        "admin/metrics.html",
        metrics=[(metric, _view(metric)) for metric in found],
        reads_prometheus=current_settings().prometheus_url is not None,
        not_set=NOT_SET,
        **globals_in(Times(ENGLISH, page_zone().key)),
    )


@admin.route("/metrics/new", methods=["GET", "POST"])
def new_metric() -> ResponseReturnValue:
    """Add one."""
    form = _form(MetricDetails(""))
    if form.is_accepted():
        if "try" in request.form:
            return _screen(form, None, tried=_try(form.query.data))
        with form.refusals():
            made = verbs.add_metric(form.details(), actor=actor(), because=form.because.data)
            return done(
                _("%(name)s is added.", name=form.name.data), "admin.metric", metric_id=made.id
            )
    return _screen(form, None)


@admin.route("/metrics/<int:metric_id>", methods=["GET", "POST"])
def metric(metric_id: int) -> ResponseReturnValue:
    """Change one; or try its query."""
    found = current_session().get_one(Metric, metric_id)
    form = _form(editing.read_as(MetricDetails, found))
    if form.is_accepted():
        if "try" in request.form:
            return _screen(form, found, tried=_try(form.query.data))
        with form.refusals():
            verbs.change_metric(
                metric_id,
                form.details(),
                actor=actor(),
                seen=form.seen.data,
                because=form.because.data,
            )
            return done(_("%(name)s is saved.", name=form.name.data), "admin.metrics")
    return _screen(form, found)


@admin.post("/metrics/<int:metric_id>/clear")
def clear_metric(metric_id: int) -> ResponseReturnValue:
    """Delete its numbers."""
    verbs.clear_metric(metric_id, actor=actor())
    return done(_("Its data is deleted."), "admin.metric", metric_id=metric_id)


@admin.post("/metrics/<int:metric_id>/remove")
def remove_metric(metric_id: int) -> ResponseReturnValue:
    """Delete it with its numbers."""
    verbs.remove_metric(metric_id, actor=actor())
    return done(_("The metric is removed."), "admin.metrics")


def _form(stored: MetricDetails) -> MetricForm:
    form = MetricForm.read(stored)
    present = current_session().execute(
        select(Component.id, Component.name, ComponentGroup.name)
        .outerjoin(ComponentGroup)
        .where(Component.removed_at.is_(None))
        .order_by(ComponentGroup.position, Component.position)
    )
    form.component_id.offer(
        (key, f"{group} - {name}" if group else name) for key, name, group in present
    )
    return form


def _screen(form: MetricForm, metric: Metric | None, *, tried: str = "") -> ResponseReturnValue:
    shown = the_page()
    code = metric.code if metric else ""
    return page(
        "admin/metric.html",
        form=form,
        metric=metric,
        view=_view(metric) if metric else None,
        tried=tried,
        reads_prometheus=current_settings().prometheus_url is not None,
        address=current_links().to(f"/v1/pages/{shown.code if shown else ''}/metrics/{code}/data"),
        **globals_in(Times(ENGLISH, page_zone().key)),
    )


def _view(metric: Metric) -> MetricView:
    component = metric.component
    return MetricView(
        metric.code, metric.name, metric.unit, metric.decimals,
        component.code if component else None, component.name if component else None,
        metric.series,
    )  # fmt: skip


def _try(query: str) -> str:
    """What a query gives now, as a sentence."""
    if not query:
        return _("Enter a query to try.")
    try:
        number = ask(current_settings(), query)
    except NoNumber as error:
        return _("No number: %(reason)s.", reason=error)
    if number is None:
        return _("The query gives no data now.")
    return _("The query gives %(number)s now.", number=f"{number:g}")
