"""The component of a provider's status page that one of ours follows."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from wtforms import SelectField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.components import present_component
from statuspage.admin.forms import Form, LineField
from statuspage.admin.marked_texts import _
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.intake import provider_pages as verbs
from statuspage.models import FollowedComponent


class ProviderForm(Form):
    """Whose component is followed."""

    url = LineField(N_("Address"), needed=N_("Enter the address of their status page"))
    code = SelectField(N_("Their component"), validate_choice=False)


@admin.route("/components/<int:component_id>/provider", methods=["GET", "POST"])
def follow_provider(component_id: int) -> ResponseReturnValue:
    """Have a component follow one of a provider's page: read the page, then choose."""
    component = present_component(component_id)
    row = verbs.followed(current_session(), component_id)
    form = ProviderForm.read(**_stored(row))
    summary = None
    if form.is_accepted():
        with form.refusals():
            url = verbs.read_url(form.url.data)
            summary = verbs.look(url)
            if "look" not in request.form:
                verbs.follow(component_id, url, form.code.data or "", summary, actor=actor())
                return done(
                    _("%(name)s follows it.", name=component.name),
                    "admin.component", component_id=component_id,
                )  # fmt: skip
    shown = summary.components if summary else verbs.components_of(row.page) if row else ()
    form.code.choices = [(one.code, f"{one.name}: {one.status.label}") for one in shown]
    return page(
        "admin/provider.html", form=form, component=component, followed=row, summary=summary
    )


@admin.post("/components/<int:component_id>/unfollow")
def unfollow_provider(component_id: int) -> ResponseReturnValue:
    """Have a component follow nothing."""
    verbs.unfollow(component_id, actor=actor())
    return done(_("It follows nothing any more."), "admin.component", component_id=component_id)


def _stored(row: FollowedComponent | None) -> dict[str, Any]:
    return {"url": row.page.url, "code": row.code} if row else {}
