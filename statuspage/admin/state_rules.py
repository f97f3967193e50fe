"""The rule by which alerts set the state of one component."""

from __future__ import annotations

from typing import Final

from flask.typing import ResponseReturnValue

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.components import present_component
from statuspage.admin.forms import CountField, DurationField, Form, RowField, TermField
from statuspage.admin.marked_texts import _
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.intake import state_rules as verbs
from statuspage.intake.alert_mapping import PEOPLE
from statuspage.intake.alert_sources import alert_sources
from statuspage.intake.state_rules import LONGEST, RuleDetails

_MOST_PER_HOUR: Final = 12


class StateRuleForm(Form):
    """A rule."""

    source_id = RowField(N_("Alerts of"), none=N_("No rule: people set the status"))
    status = TermField(N_("Set it to"), verbs.STATES)
    delay_minutes = DurationField(N_("After an alert has fired for"), most=LONGEST)
    quiet_minutes = DurationField(N_("Take it back after no alerts for"), most=LONGEST)
    most_per_hour = CountField(N_("Times an hour at most"), least=1, most=_MOST_PER_HOUR)

    def details(self, source_id: int) -> RuleDetails:
        """The rule as typed."""
        return RuleDetails(
            source_id,
            self.status.data,
            self.delay_minutes.data or 0,
            self.quiet_minutes.data or 0,
            self.most_per_hour.data or 1,
        )


@admin.route("/components/<int:component_id>/rule", methods=["GET", "POST"])
def state_rule(component_id: int) -> ResponseReturnValue:
    """Switch the rule of a component on or off, or change it."""
    component = present_component(component_id)
    rule = verbs.rule_of(current_session(), component_id)
    form = StateRuleForm.read(rule or RuleDetails(0, verbs.STATES[0]))
    sources = alert_sources(current_session())
    form.source_id.offer((one.id, one.name) for one in sources if one.tool != PEOPLE)
    if form.is_accepted():
        source_id = form.source_id.data
        with form.refusals():
            if source_id is None:
                verbs.remove_rule(component_id, actor=actor())
                return _back(component_id, _("No rule sets the status."))
            verbs.save_rule(component_id, form.details(source_id), actor=actor())
            return _back(component_id, _("The rule is saved."))
    return page("admin/state_rule.html", form=form, component=component, rule=rule)


@admin.post("/components/<int:component_id>/hand-back")
def hand_back_component(component_id: int) -> ResponseReturnValue:
    """Have the rule set the status again."""
    verbs.hand_back(component_id, actor=actor())
    return _back(component_id, _("The rule sets the status again."))


def _back(component_id: int, message: str) -> ResponseReturnValue:
    return done(message, "admin.component", component_id=component_id)
