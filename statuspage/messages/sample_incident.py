"""An incident for previews: payments fail at checkout for an afternoon, and a maintenance follows.

Every word of every template has a value in :func:`sample_facts`; :func:`bare_facts` has as few as
an incident can have.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from statuspage.core.enums import Audience, IncidentStatus, MaintenanceStatus, Step
from statuspage.messages.facts import Facts, InternalFacts, PublicFacts, TimelineEntry

_STARTED = datetime(2026, 2, 13, 22, 30, tzinfo=UTC)  # 14:30 in Los Angeles
_ENDED = _STARTED + timedelta(hours=2, minutes=30)
_WINDOW = datetime(2026, 2, 17, 10, 0, tzinfo=UTC)


def _after(minutes: int) -> datetime:
    return _STARTED + timedelta(minutes=minutes)


_INCIDENT = PublicFacts(
    service="ShopStack",
    page_url="https://status.shopstack.example/",
    title="Card payments fail at checkout",
    incident_url="https://status.shopstack.example/incidents/p4ym3nts0ut1",
    sign_off="The ShopStack team",
    support_email="support@shopstack.example",
    impact="Critical",
    components=(("Checkout", "Major outage"), ("Payments", "Partial outage")),
    users_notice=("Card payments at checkout end in an error message."),
    unaffected="Other ways to pay and orders already placed are not affected.",
    workaround="Choose bank transfer at checkout, or come back later. We’ll keep your basket.",
    action="We’re reverting to the payment settings that worked before today’s change.",
    cause="A change to our payment settings made our system decline valid card payments.",
    resolution="We reverted to the earlier settings and made sure that payments work again.",
    prevention=(
        "Changes to payment settings now go to a small share of payments first, and an alarm "
        "alerts us within minutes when payments start to fail."
    ),
    watch_minutes=30,
    watch_until=_after(140),
    started=_STARTED,
    expected_back=_after(120),
    next_update=_after(60),
    zone=ZoneInfo("America/Los_Angeles"),
)

_MAINTENANCE = PublicFacts(
    service="ShopStack",
    page_url="https://status.shopstack.example/",
    title="Database upgrade",
    incident_url="https://status.shopstack.example/incidents/db4upgr4d3x1",
    sign_off="The ShopStack team",
    support_email="support@shopstack.example",
    impact="Maintenance",
    components=(("Catalog", "Under maintenance"), ("Admin", "Under maintenance")),
    users_notice=(
        "Products can be viewed as usual. They can’t be changed, and new orders may take a few "
        "minutes to show in Admin."
    ),
    workaround="Please make urgent changes to products before it starts.",
    action="We’re moving the product data to the new database.",
    resolution="All product data is on the new database, and our checks found everything in order.",
    cause="The database we use now reaches the end of its support this spring.",
    prevention="With the new one, upgrades like this no longer need a pause.",
    watch_minutes=30,
    watch_until=_WINDOW + timedelta(hours=2),
    unaffected="Orders and payments are not affected.",
    started=_WINDOW,
    next_update=_WINDOW + timedelta(hours=1),
    expected_back=_WINDOW + timedelta(hours=2),
    scheduled_for=_WINDOW,
    scheduled_until=_WINDOW + timedelta(hours=2),
    verify_minutes=30,
    zone=ZoneInfo("America/Los_Angeles"),
)

_INTERNAL = InternalFacts(
    severity="SEV1",
    commander="Alice Moreau (@alice)",
    technical_lead="Bob Okafor (@bob)",
    comms_lead="Charlie Lindqvist (@charlie)",
    scribe="Dana Petrov (@dana)",
    chat_channel="#incident-payments",
    war_room="https://meet.shopstack.example/war-room",
    page_state="shown at https://status.shopstack.example/incidents/p4ym3nts0ut1",
    progress="Failures began with the 14:22 settings change; without it, one host works.",
    technical_cause="The change put the sandbox merchant key on the live payment gateway.",
    suspected_cause="The 14:22 settings change.",
    current_actions="- Bob rolls the change back everywhere\n- Dana checks orders held since 14:30",
    next_steps="- Watch the failure rate for 30 minutes\n- Retry the held orders",
    references="OPS-2291, dashboard “Payments / failures”",
    users_affected="About 4,200 failed card payments by 1,900 users.",
    recipients=1840,
    cadence_minutes=30,
    last_update=_after(15),
    review_due=_ENDED + timedelta(hours=48),
    review_owner="Alice Moreau (@alice)",
    detected=_after(3),
    revenue="About 31,000 USD of orders were not placed.",
    follow_ups="- Alice: limits on payment settings by Feb 20\n- Bob: alarm by Feb 18",
    noted_at=_after(15),
    admin_url="https://status.shopstack.example/admin/incidents/p4ym3nts0ut1",
    asked="Charlie Lindqvist (@charlie) and Alice Moreau (@alice)",
    late_by=timedelta(minutes=12),
    not_posted_because="The incident has changed since it was scheduled.",
    open_for=timedelta(minutes=30),
    timeline=(
        TimelineEntry(_STARTED, "Started", ""),
        TimelineEntry(_after(3), "Detected", ""),
        TimelineEntry(_after(5), "Declared", "500 on the payment endpoint since 14:30."),
        TimelineEntry(_after(30), "Identified", "A settings change is the cause. Rolling it back."),
        TimelineEntry(_after(110), "Monitoring", "Rolled back everywhere; payments go through."),
        TimelineEntry(_ENDED, "Resolved", "No failures for 40 minutes. Closed."),
    ),
)

_STATUS = {
    Step.DECLARED: IncidentStatus.INVESTIGATING,
    Step.UPDATE: IncidentStatus.IDENTIFIED,
    Step.REOPENED: IncidentStatus.INVESTIGATING,
    Step.CLOSED: IncidentStatus.RESOLVED,
    Step.FALSE_ALARM: IncidentStatus.RESOLVED,
    Step.NO_CHANGE: IncidentStatus.IDENTIFIED,
    Step.UPDATE_DUE: IncidentStatus.IDENTIFIED,
    Step.OVERDUE: IncidentStatus.IDENTIFIED,
    Step.ESCALATED: IncidentStatus.IDENTIFIED,
    Step.NOTE_DUE: IncidentStatus.IDENTIFIED,
    Step.APPROVAL: IncidentStatus.MONITORING,
    Step.NOT_POSTED: IncidentStatus.IDENTIFIED,
    Step.REVIEW: IncidentStatus.RESOLVED,
    Step.CONFIRM: IncidentStatus.INVESTIGATING,
    Step.SUBSCRIBED: IncidentStatus.INVESTIGATING,
}
_PLANNED = {Step(status.value): status for status in MaintenanceStatus} | {
    Step.REMINDER: MaintenanceStatus.SCHEDULED
}
_ENDS = {Step.RESOLVED, Step.FALSE_ALARM, Step.CLOSED, Step.REVIEW, Step.POSTMORTEM, Step.COMPLETED}


_NOTHING_WRONG = "A test of our alarms reached this page. We now keep such tests off it."


_PAST_NOTICE = "Card payments at checkout ended in an error message."


def _in_the_past(public: PublicFacts) -> PublicFacts:
    """What users noticed, once it is over."""
    return (
        public
        if public.scheduled_for
        else replace(public, users_notice=_PAST_NOTICE, unaffected="")
    )


def sample_facts(audience: Audience, step: Step) -> Facts:
    """The incident as it stands at that step, with every fact filled in."""
    public = _MAINTENANCE if step in _PLANNED else _INCIDENT
    status = _PLANNED.get(step) or _STATUS.get(step)
    public = replace(
        public,
        status=(status or IncidentStatus(step)).label,
        again=step is Step.REOPENED,
        monitoring=status is IncidentStatus.MONITORING or step is Step.MONITORING,
    )
    if audience is Audience.SUBSCRIBER:
        # They asked about the incident; what it affects is not part of that mail.
        public = replace(public, components=())
    if step in _ENDS:
        end = public.scheduled_until or _ENDED
        public = _in_the_past(
            replace(public, ended=end, next_update=None, expected_back=None, watch_until=None)
        )
        public = replace(
            public, components=tuple((name, "Operational") for name, _ in public.components)
        )
    if step is Step.FALSE_ALARM:
        public = replace(public, cause="", prevention="", resolution=_NOTHING_WRONG)
    internal = _INTERNAL
    if step is Step.DECLARED:
        internal = replace(_INTERNAL, last_update=None)
    return Facts(public, internal if audience.is_inside else InternalFacts())


def bare_facts(audience: Audience, step: Step) -> Facts:
    """The incident at that step with only what every incident has."""
    full = sample_facts(audience, step).public
    return Facts(
        PublicFacts(
            service=full.service,
            page_url=full.page_url,
            title=full.title,
            status=full.status,
            impact=full.impact,
            started=full.started,
            ended=full.ended,
            scheduled_for=full.scheduled_for,
            again=full.again,
            zone=full.zone,
        )
    )
