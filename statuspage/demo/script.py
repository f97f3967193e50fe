"""What happened at ShopStack: the demo's stories, told from the moment of loading.

Public facts say what customers may know and nothing else; internal ones say the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from statuspage.demo.short_stories import days_ago, short_stories
from statuspage.demo.stage import Beat, IncidentScript, MaintenanceScript, Note
from statuspage.words import ComponentStatus, IncidentStatus, Role, Visibility

UTC_PLUS_5 = ZoneInfo("Asia/Karachi")

OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE

INVESTIGATING = IncidentStatus.INVESTIGATING
IDENTIFIED = IncidentStatus.IDENTIFIED
MONITORING = IncidentStatus.MONITORING
RESOLVED = IncidentStatus.RESOLVED
POSTMORTEM = IncidentStatus.POSTMORTEM


def incidents(now: datetime) -> Iterator[IncidentScript]:
    """Every incident of the demo."""
    yield _payments(now)
    yield _profiles(now)
    yield _sign_in(now)
    yield _staging(now)
    yield _back_office(now)
    yield from short_stories(now)


def maintenances(now: datetime) -> Iterator[MaintenanceScript]:
    """Every maintenance of the demo: one to come, two that are over."""
    yield MaintenanceScript(
        title="Database upgrade for orders and profiles",
        announced_at=days_ago(now, 3, "10:00"),
        begins_at=days_ago(now, -2, "22:00"),
        minutes=90,
        notice=(
            "The shop stays open. Order history and saved addresses can be read but not changed, "
            "and a new order may take up to ten minutes to show in your account."
        ),
        components=("Profiles", "Infrastructure"),
    )
    yield MaintenanceScript(
        title="Larger machines for product search",
        announced_at=days_ago(now, 31, "09:30"),
        begins_at=days_ago(now, 26, "21:00"),
        minutes=45,
        notice="Product search may answer a little slower than usual for a few minutes.",
        components=("Catalog",),
        resolution="Search now runs on the new machines and answers about a third faster.",
        is_over=True,
    )
    yield MaintenanceScript(
        title="Yearly renewal of network equipment",
        announced_at=days_ago(now, 62, "11:00"),
        begins_at=days_ago(now, 54, "23:00"),
        minutes=60,
        notice="Connections may drop once, for less than a minute, and can be made again at once.",
        components=("Infrastructure", "API"),
        resolution="All equipment was renewed; connections dropped once, for eleven seconds.",
        is_over=True,
    )


def _payments(now: datetime) -> IncidentScript:
    return IncidentScript(
        title="Card payments fail at checkout",
        rank=1,
        begins_at=days_ago(now, 4, "14:30"),
        notice=(
            "Most card payments at checkout end in an error message. Baskets are kept, and no "
            "card is charged for an order that was not placed."
        ),
        roles={
            Role.COMMANDER: "alice",
            Role.TECHNICAL_LEAD: "bob",
            Role.COMMS_LEAD: "charlie",
            Role.SCRIBE: "dana",
        },
        chat_channel="#incident-payments",
        war_room="https://meet.example.com/incident",
        beats=(
            Beat(
                6,
                INVESTIGATING,
                {"Checkout": MAJOR},
                promise=24,
                facts={"workaround": "Gift cards and bank transfer work."},
                internal={
                    "progress": "The payment endpoint answers 500 for four requests in five.",
                    "current_actions": "Comparing today's changes with the start of the errors.",
                    "next_steps": "Decide by 14:55 whether to roll back.",
                    "users_affected": "Everybody who pays by card",
                },
            ),
            Beat(
                30,
                IDENTIFIED,
                promise=30,
                expected_back=60,
                facts={
                    "cause": "A change to our payment settings makes our shop turn valid cards "
                    "away.",
                    "cause_confirmed": True,
                    "action": "We are going back to the settings that worked before today's "
                    "change.",
                },
                internal={
                    "progress": "Cause found: the settings that went out at 14:28.",
                    "technical_cause": "The new payment configuration names an acquirer profile "
                    "that exists in the test environment only.",
                    "current_actions": "Rolling the configuration back.",
                    "next_steps": "Check the error rate on every node.",
                    "references": "Change 4127",
                },
            ),
            Beat(
                62,
                IDENTIFIED,
                {"Checkout": PARTIAL},
                promise=30,
                expected_back=120,
                facts={
                    "cause": "",
                    "action": "About half of all card payments go through again. Going back to "
                    "the earlier settings takes longer than we expected, because each part of "
                    "the checkout has to be restarted in turn.",
                },
                internal={
                    "progress": "Half of the nodes took the old configuration over.",
                    "current_actions": "Restarting the other half, one at a time.",
                },
            ),
            Beat(
                91,
                IDENTIFIED,
                promise=30,
                expected_back=120,
                facts={
                    "action": "Four out of five card payments go through again. The last parts of "
                    "the checkout are being restarted.",
                },
                internal={"progress": "All but three nodes took the old configuration over."},
            ),
            Beat(
                114,
                MONITORING,
                {"Checkout": DEGRADED},
                promise=40,
                facts={
                    "resolution": "The earlier settings are back everywhere, and card payments "
                    "go through again.",
                    "watch_minutes": 30,
                },
                internal={
                    "progress": "Error rate back to its usual 0.1 percent since 16:20.",
                    "current_actions": "Watching error rate and the time payments take.",
                    "next_steps": "Close at 17:00 if nothing comes back.",
                },
            ),
            Beat(
                150,
                RESOLVED,
                notice="Most card payments at checkout ended in an error message. Baskets were "
                "kept, and no card was charged for an order that was not placed.",
                facts={
                    "cause": "A change to our payment settings made our shop turn valid cards "
                    "away.",
                    "resolution": "We went back to the earlier settings and checked that card "
                    "payments go through everywhere.",
                    "prevention": "A change to payment settings now reaches a small share of "
                    "payments first, with a test payment after each step, and an alarm tells us "
                    "within two minutes when payments begin to fail.",
                },
                internal={
                    "users_affected": "About 3,100 people whose payment failed at least once",
                },
            ),
            Beat(
                20 * 60,
                POSTMORTEM,
                facts={
                    "cause": "At 14:28 Pacific time we changed the settings that our checkout "
                    "uses to talk to our payment partners. One value was right for our test shop "
                    "and wrong for the real one, and our checks before the change did not compare "
                    "the two. Valid cards were turned away from 14:30 on.",
                    "resolution": "We saw the errors within minutes and had found the change half "
                    "an hour later. Taking it back was slow, because every part of the checkout "
                    "had to be restarted in turn; that is why it took until 17:00.",
                    "prevention": "Changes to payment settings now reach a small share of payments "
                    "first, followed by a test payment with each way to pay. Going back takes one "
                    "step and less than a minute. An alarm tells us within two minutes when "
                    "payments begin to fail.",
                },
            ),
        ),
    )


def _profiles(now: datetime) -> IncidentScript:
    return IncidentScript(
        title="Profile pages and order history do not load",
        rank=1,
        begins_at=days_ago(now, 11, "14:25"),
        notice=(
            "Profile pages and order history take very long to open or end in an error message. "
            "Signing in and paying are slower than usual."
        ),
        roles={
            Role.COMMANDER: "alice",
            Role.TECHNICAL_LEAD: "emre",
            Role.COMMS_LEAD: "charlie",
            Role.SCRIBE: "dana",
        },
        chat_channel="#incident-profile-slowdown",
        war_room="https://meet.example.com/incident",
        notes=(
            Note(5, "First alert: high error rate, database connection pool more than 90% full."),
            Note(8, "On-call engineer paged; acknowledged after one minute."),
            Note(20, "High count of database connections. Reviewing the slowest queries."),
            Note(
                27,
                "Root cause found: the new profile page runs one query for the user and one more "
                "for each order and address (N+1), and holds its connection meanwhile.",
            ),
            Note(44, "Fix reviewed: one joined query instead of N+1. Deploying to one node."),
            Note(65, "Connection pool at 22%, response times back to normal."),
        ),
        beats=(
            Beat(
                10,
                INVESTIGATING,
                {"Profiles": MAJOR, "Auth": DEGRADED, "Checkout": DEGRADED},
                promise=30,
                internal={
                    "progress": "The database has run out of connections.",
                    "current_actions": "Looking for what holds them.",
                    "users_affected": "About 15% of active users",
                },
            ),
            Beat(
                35,
                IDENTIFIED,
                promise=25,
                expected_back=55,
                facts={
                    "cause": "A new part of the profile page asks our database for far more than "
                    "it needs, and other pages have to wait their turn.",
                    "cause_confirmed": True,
                    "action": "We are putting a corrected version of the page in place.",
                },
                internal={
                    "progress": "N+1 query in the profile endpoint exhausts the connection pool.",
                    "technical_cause": "One query for the user, then one for each order and each "
                    "address, all on one connection.",
                    "current_actions": "Hotfix in review.",
                    "next_steps": "Deploy by 15:20.",
                    "references": "Hotfix 1234",
                },
            ),
            Beat(
                60,
                MONITORING,
                {"Profiles": DEGRADED, "Auth": OPERATIONAL, "Checkout": OPERATIONAL},
                promise=35,
                facts={
                    "resolution": "With the corrected profile page, all pages open at their usual "
                    "speed again.",
                    "watch_minutes": 30,
                },
                internal={
                    "progress": "Hotfix deployed at 15:20; connections and error rate normal.",
                    "current_actions": "Watching connections and response times.",
                    "next_steps": "Watch for 30 minutes, then close.",
                },
            ),
            Beat(
                95,
                RESOLVED,
                notice="Profile pages and order history took very long to open or ended in an "
                "error message. Signing in and paying were slower than usual.",
                facts={
                    "cause": "A new part of the profile page asked our database for far more than "
                    "it needed, and other pages had to wait their turn.",
                    "resolution": "The page now asks for everything it shows at once, and all "
                    "pages open at their usual speed.",
                    "prevention": "We now try out such pages with as much data as our largest "
                    "accounts hold, before customers see them, and an alarm tells us when the "
                    "database comes near its limits.",
                },
                internal={
                    "users_affected": "About 10,000 users, 15% of those active; 47 support tickets",
                },
            ),
        ),
    )


def _sign_in(now: datetime) -> IncidentScript:
    return IncidentScript(
        title="Signing in fails for some customers",
        rank=2,
        begins_at=now - timedelta(minutes=190),
        notice=(
            "Some customers see an error message when they sign in. Whoever is signed in already "
            "stays signed in, and guests can order as usual."
        ),
        roles={
            Role.COMMANDER: "dana",
            Role.TECHNICAL_LEAD: "emre",
            Role.COMMS_LEAD: "charlie",
        },
        chat_channel="#incident-sign-in",
        beats=(
            Beat(
                12,
                INVESTIGATING,
                {"Auth": PARTIAL},
                promise=60,
                facts={"workaround": "You can order as a guest without signing in."},
                internal={
                    "progress": "The login endpoint answers 500 for about one request in six.",
                    "current_actions": "Reading the stack traces, looking for what they share.",
                    "users_affected": "About one sign-in in six",
                },
            ),
            Beat(
                48,
                IDENTIFIED,
                promise=60,
                facts={
                    "cause": "Accounts with capital letters in their mail address are hit.",
                    "cause_confirmed": False,
                    "action": "We are taking back a change to the sign-in page that was made "
                    "earlier today.",
                },
                internal={
                    "progress": "All failures are accounts with upper-case mail addresses.",
                    "technical_cause": "The new lookup compares addresses case-sensitively and "
                    "raises where it finds none.",
                    "current_actions": "Reverting the change, test for mixed case added.",
                },
            ),
            Beat(
                105,
                IDENTIFIED,
                {"Auth": DEGRADED},
                promise=60,
                facts={
                    "action": "The change has been taken back for most customers, and most "
                    "sign-ins that failed before now work. The rest follows within the hour.",
                },
                internal={
                    "progress": "Revert deployed to two of three regions.",
                    "next_steps": "Watch all three for an hour.",
                    "current_actions": "Waiting for the third region.",
                },
            ),
            Beat(
                165,
                MONITORING,
                promise=60,
                facts={
                    "resolution": "The change has been taken back everywhere, and signing in "
                    "works again.",
                    "watch_minutes": 60,
                },
                internal={
                    "progress": "No 500 from the login endpoint since the last region took it.",
                    "current_actions": "Watching the error rate for an hour.",
                    "next_steps": "Resolve if it stays at zero.",
                },
            ),
        ),
    )


def _staging(now: datetime) -> IncidentScript:
    return IncidentScript(
        title="Staging database refuses connections",
        rank=3,
        begins_at=days_ago(now, 6, "09:12"),
        notice="Releases cannot be tried out on staging. Nothing that customers use is touched.",
        roles={Role.COMMANDER: "dana", Role.TECHNICAL_LEAD: "hiro"},
        visibility=Visibility.INTERNAL,
        beats=(
            Beat(
                9,
                INVESTIGATING,
                {"Infrastructure": DEGRADED},
                internal={
                    "progress": "Every service on staging fails to connect to its database.",
                    "current_actions": "Checking what changed since yesterday's last good build.",
                },
            ),
            Beat(
                33,
                IDENTIFIED,
                internal={
                    "progress": "The connection string on staging still names yesterday's host.",
                    "technical_cause": "The move to the new host updated production's settings "
                    "but not staging's.",
                    "current_actions": "Correcting the setting and restarting.",
                },
            ),
            Beat(
                58,
                RESOLVED,
                facts={"resolution": "The setting was corrected; all services connect again."},
                internal={"users_affected": "No customers; two teams could not release"},
            ),
        ),
    )


def _back_office(now: datetime) -> IncidentScript:
    return IncidentScript(
        title="Back office unavailable",
        rank=2,
        begins_at=days_ago(now, 17, "16:10", UTC_PLUS_5),
        notice=(
            "The back office cannot be opened. The shop itself takes orders as usual, and no "
            "order is lost."
        ),
        roles={Role.COMMANDER: "dana", Role.TECHNICAL_LEAD: "hiro", Role.COMMS_LEAD: "charlie"},
        chat_channel="#incidents",
        notes=(Note(0, "Prometheus: TargetDown for the app of the back office."),),
        beats=(
            Beat(
                7,
                INVESTIGATING,
                {"Admin": MAJOR},
                promise=60,
                internal={
                    "progress": "The app's container has stopped.",
                    "current_actions": "Reading its last log lines.",
                },
            ),
            Beat(
                18,
                IDENTIFIED,
                promise=60,
                expected_back=45,
                facts={
                    "cause": "A report over an impossible span of dates stopped the back office.",
                    "cause_confirmed": True,
                    "action": "We are correcting the fault and starting the back office again.",
                },
                internal={
                    "progress": "Unhandled exception in a request handler; the container exited.",
                    "technical_cause": "A span of dates that ends before it begins is not handled.",
                },
            ),
            Beat(
                36,
                MONITORING,
                {"Admin": OPERATIONAL},
                facts={
                    "resolution": "The back office runs again with the fault corrected.",
                    "watch_minutes": 30,
                },
                internal={"progress": "Alert resolved at 16:46 (UTC+5); container healthy."},
            ),
            Beat(
                66,
                RESOLVED,
                facts={
                    "cause": "A report over an impossible span of dates stopped the back office.",
                    "resolution": "We corrected the fault; such a report can no longer stop "
                    "anything else.",
                },
                internal={"users_affected": "All shop owners, for 36 minutes"},
            ),
        ),
    )
