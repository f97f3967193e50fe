"""What the public may see, as plain views that pages, feeds and JSON are made of.

Views are frozen and hashable, so that what is made of them can be kept for as long as they are
equal.  Times are aware and UTC; days and months are the page's, in its zone.  They are read in
:mod:`statuspage.public.queries`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from markupsafe import Markup

from statuspage.core import clock, richtext
from statuspage.core.colours import Branding, read_branding
from statuspage.core.enums import (
    CLOSED,
    RUNNING,
    ComponentStatus,
    Impact,
    Kind,
    MaintenanceStatus,
    Status,
)
from statuspage.public.metric_views import MetricView
from statuspage.public.times import mark_times
from statuspage.public.uptime import Day, Uptime

_rendered = lru_cache(maxsize=4096)(richtext.to_html)


@lru_cache(maxsize=4096)
def _marked(body: str, times: tuple[tuple[str, str], ...]) -> Markup:
    return mark_times(_rendered(body), times)


@dataclass(frozen=True, slots=True)
class PageView:
    """The page's own settings; ``look`` holds the keys and values of its appearance."""

    code: str
    name: str
    about: str
    time_zone: str
    language: str
    support_email: str
    support_url: str
    look: tuple[tuple[str, str], ...]
    is_set_up: bool
    created_at: datetime
    updated_at: datetime
    takes_reports: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The page's zone."""
        return ZoneInfo(self.time_zone)

    @property
    def about_html(self) -> Markup:
        """What the page says about itself, as safe HTML; empty where it says nothing."""
        return _rendered(self.about, top=3)

    @property
    def own_look(self) -> Branding:
        """The company's colours, logo, links and footer."""
        return read_branding(self.look)

    @property
    def footer_html(self) -> Markup:
        """The company's footer, as safe HTML."""
        return _rendered(self.own_look.footer, top=2)


@dataclass(frozen=True, slots=True)
class ComponentView:
    """A component; ``position`` counts from 1 within its group, or among what has none.

    ``is_automatic``: alerts have set its state, by a rule.
    """

    code: str
    name: str
    description: str
    status: ComponentStatus
    position: int
    only_show_if_degraded: bool
    group_code: str | None
    group_name: str | None
    is_removed: bool
    created_at: datetime
    updated_at: datetime
    is_automatic: bool = False

    def __hash__(self) -> int:
        """Cheap: a component is looked up far more often than it changes."""
        return hash((self.code, self.status, self.updated_at))

    @property
    def is_shown(self) -> bool:
        """Whether the page lists it at present."""
        if self.is_removed:
            return False
        return not self.only_show_if_degraded or self.status is not ComponentStatus.OPERATIONAL

    @property
    def full_name(self) -> str:
        """The name with its group before it, as feeds and JSON write it: ``Shop - Checkout``."""
        return f"{self.group_name} - {self.name}" if self.group_name else self.name


@dataclass(frozen=True, slots=True)
class GroupView:
    """A heading and its components; its state is the worst of theirs."""

    code: str
    name: str
    description: str
    position: int
    components: tuple[ComponentView, ...]
    created_at: datetime
    updated_at: datetime

    @property
    def status(self) -> ComponentStatus:
        """The gravest state of its components."""
        return ComponentStatus.worst(
            (component.status for component in self.components), ComponentStatus.OPERATIONAL
        )


@dataclass(frozen=True, slots=True)
class Affected:
    """What one post did to one component."""

    code: str
    name: str
    old_status: ComponentStatus
    new_status: ComponentStatus


@dataclass(frozen=True, slots=True)
class EarlierText:
    """What a post said until it was corrected at ``replaced_at``; empty where it was taken off."""

    body: str
    replaced_at: datetime

    @property
    def html(self) -> Markup:
        """The body as safe HTML."""
        return _rendered(self.body)


@dataclass(frozen=True, slots=True)
class UpdateView:
    """One public post.  ``happened_at`` is the time it tells of, ``posted_at`` when it was made.

    ``earlier`` is what it said before each correction, newest first; ``translations`` are language,
    the incident's title and the body in further languages.  ``times`` are those that stand in its
    texts, ISO 8601, by how they stand there; a span is two with ``/`` between them.
    """

    code: str
    status: Status
    body: str
    happened_at: datetime
    posted_at: datetime
    edited_at: datetime | None
    reopens: bool
    next_update_at: datetime | None
    affected: tuple[Affected, ...]
    entry_id: str
    notifies: bool = True
    earlier: tuple[EarlierText, ...] = ()
    translations: tuple[tuple[str, str, str], ...] = ()
    times: tuple[tuple[str, str], ...] = ()

    def __hash__(self) -> int:
        """Cheap: a post is looked up far more often than it changes."""
        return hash((self.code, self.posted_at, self.edited_at))

    def is_in(self, language: str) -> bool:
        """Whether it has a text in a language other than the page's."""
        return any(code == language for code, *_ in self.translations)

    def html_in(self, language: str) -> Markup:
        """The body for a page, in a language where it has a text in it, else in the page's own.

        Safe HTML, in which the times that it says are elements.
        """
        bodies = (body for code, _, body in self.translations if code == language)
        body = next(bodies, self.body)
        return _marked(body, self.times) if self.times else _rendered(body)

    @property
    def html(self) -> Markup:
        """The body as safe HTML."""
        return _rendered(self.body)

    def html_below(self, home: str) -> Markup:
        """The same for outside of the page: links to its own paths are absolute below ``home``."""
        return _rendered(self.body, home=home)

    def text_below(self, home: str) -> str:
        """The body as plain text, with such links."""
        return richtext.to_text(self.body, home=home)

    @property
    def changed_at(self) -> datetime:
        """When it was last corrected, or else posted."""
        return self.edited_at or self.posted_at


@dataclass(frozen=True, slots=True)
class IncidentView:
    """A public incident or maintenance with its public posts, newest first.

    ``begins_at`` is when it started, for a maintenance when it is to start: its day in the history.
    ``components`` are all that it affected at any time, removed ones included.  ``updated_at`` is
    the newest change that the public can see.  ``is_overdue``: the promised next update's time had
    passed when this was read.  ``begun_at`` is when a maintenance really began, given where not
    all posts are.
    """

    code: str
    kind: Kind
    title: str
    status: Status
    impact: Impact
    begins_at: datetime
    started_at: datetime
    monitoring_at: datetime | None
    resolved_at: datetime | None
    scheduled_for: datetime | None
    scheduled_until: datetime | None
    cancelled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    next_update_at: datetime | None
    is_overdue: bool
    is_pinned: bool
    entry_id: str
    components: tuple[ComponentView, ...]
    updates: tuple[UpdateView, ...]
    merged_into: str | None = None
    begun_at: datetime | None = None

    def __post_init__(self) -> None:
        """Have nothing shown that ends before it begins, whatever the rows say.

        What is shown as a span is ``started_at``, or for a page :attr:`ran_from`, to
        ``resolved_at``, and ``scheduled_for`` to ``scheduled_until``.
        """
        if self.resolved_at:
            started_at, _ = clock.in_order(self.started_at, self.resolved_at)
            object.__setattr__(self, "started_at", started_at)
            if not self.is_maintenance:
                begins_at, _ = clock.in_order(self.begins_at, self.resolved_at)
                object.__setattr__(self, "begins_at", begins_at)
        planned, until = self.scheduled_for, self.scheduled_until
        if planned and until and until < planned:
            object.__setattr__(self, "scheduled_until", None)

    def __hash__(self) -> int:
        """Cheap: an incident is looked up far more often than it changes."""
        return hash((self.code, self.status, self.updated_at, len(self.updates)))

    @property
    def is_open(self) -> bool:
        """Whether it still goes on, or is still to come."""
        return self.status not in CLOSED

    def title_in(self, language: str) -> str:
        """The title, in a language where its newest text in it has one, else in the page's own."""
        return self._translated_title(language) or self.title

    def has_title_in(self, language: str) -> bool:
        """Whether it has a title in a language other than the page's."""
        return bool(self._translated_title(language))

    def _translated_title(self, language: str) -> str:
        titles = (
            title
            for update in self.updates
            for code, title, _ in update.translations
            if code == language and title
        )
        return next(titles, "")

    @property
    def is_maintenance(self) -> bool:
        """Whether it is planned work."""
        return self.kind is Kind.MAINTENANCE

    @property
    def is_upcoming(self) -> bool:
        """Whether it is a maintenance that has not begun."""
        return self.status is MaintenanceStatus.SCHEDULED

    @property
    def is_cancelled(self) -> bool:
        """Whether it is a maintenance that was cancelled."""
        return self.cancelled_at is not None

    @property
    def ran_from(self) -> datetime:
        """When it really began: a maintenance may begin earlier or later than it was planned to."""
        posted = (update.happened_at for update in self.updates if update.status in RUNNING)
        begun = self.begun_at or min(posted, default=self.begins_at)
        return clock.in_order(begun, self.resolved_at)[0] if self.resolved_at else begun

    @property
    def told_at(self) -> datetime:
        """When it was first told of: the date of its entry in the feeds."""
        return min((update.posted_at for update in self.updates), default=self.created_at)

    @property
    def latest(self) -> UpdateView | None:
        """Its newest post."""
        return self.updates[0] if self.updates else None


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice that has begun; ``is_over``: it had ended when this was read.

    ``translations`` are language, title and body in further languages.
    """

    code: str
    title: str
    body: str
    begins_at: datetime
    ends_at: datetime | None
    is_pinned: bool
    in_feeds: bool
    is_over: bool
    entry_id: str
    created_at: datetime
    updated_at: datetime
    translations: tuple[tuple[str, str, str], ...] = ()

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"/notices/{self.code}"

    def is_in(self, language: str) -> bool:
        """Whether it has a text in a language other than the page's."""
        return any(code == language for code, *_ in self.translations)

    def title_in(self, language: str) -> str:
        """The title, in a language where it has one in it, else in the page's own."""
        return next((title for code, title, _ in self.translations if code == language), self.title)

    def body_in(self, language: str) -> str:
        """The same of the body, as it was typed."""
        return next((body for code, _, body in self.translations if code == language), self.body)

    def html_in(self, language: str) -> Markup:
        """The same of the body, as safe HTML."""
        return _rendered(self.body_in(language), top=4)

    def html_below(self, home: str) -> Markup:
        """The body for outside of the page: links to its own paths are absolute below ``home``."""
        return _rendered(self.body, home=home)

    @property
    def told_at(self) -> datetime:
        """When it could first be read: the date of its entry in the feeds."""
        return max(self.begins_at, self.created_at)

    @property
    def changed_at(self) -> datetime:
        """When what it says last changed."""
        return max(self.told_at, self.updated_at)


@dataclass(frozen=True, slots=True)
class DayView:
    """One day in the page's zone: its incidents, newest first, and how many more there were.

    ``continued`` are incidents of earlier days that still went on, newest first.
    """

    day: date
    incidents: tuple[IncidentView, ...]
    more: int
    continued: tuple[IncidentView, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthView:
    """A page of the incidents of one month, newest first; ``number`` of ``pages`` counts from 1.

    Incidents here have their newest post alone.  ``earlier`` and ``later`` are the first days of
    the nearest months in which incidents began or went on, None where there are none; ``later`` has
    ``later_pages``.  ``asked`` is the page that was asked for where there is no such, and this the
    last.  ``continued`` are incidents of earlier months that still went on: the last page has them.
    """

    month: date
    incidents: tuple[IncidentView, ...]
    number: int
    pages: int
    earlier: date | None
    later: date | None
    later_pages: int = 1
    asked: int | None = None
    continued: tuple[IncidentView, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentLink:
    """An incident that a day of a component is due to, as a link: its address and its title."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class DayWithIncidents:
    """A day of one component with the incidents behind it, and how many more there were."""

    day: Day
    incidents: tuple[IncidentLink, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ComponentPageView:
    """What a component's own page tells: its days, today first, its most recent incidents, and
    its metrics.
    """

    component: ComponentView
    uptime: Uptime
    days: tuple[DayWithIncidents, ...]
    incidents: tuple[IncidentView, ...]
    metrics: tuple[MetricView, ...] = ()


@dataclass(frozen=True, slots=True)
class Pinned:
    """What the banner says of an open incident of the worst severity: little, for it is on all
    pages.

    Anything more would have every page made anew with each of the incident's posts.
    """

    code: str
    title: str
    status: Status
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What every public page shows around its own content.

    ``indicator`` is none, minor, major or critical; ``description`` the sentence that goes with
    it.  ``pinned`` are the open incidents of the worst severity, newest first.  ``read_in`` is the
    language that it is read in, where that is not the page's own.
    """

    page: PageView
    indicator: Impact
    description: str
    under_maintenance: bool
    pinned: tuple[Pinned, ...]
    read_in: str = ""

    @property
    def language(self) -> str:
        """The language of what stands around the company's own words."""
        return self.read_in or self.page.language


def frame_of(page: PageView) -> Frame:
    """A frame that says nothing but the page's own settings."""
    return Frame(page, Impact.NONE, "", under_maintenance=False, pinned=())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The public site at one moment.

    ``tree`` is groups and ungrouped components in the page's order.  ``open_incidents`` newest
    first; ``active`` and ``upcoming`` maintenances soonest first.  ``days`` are the last 15, today
    first.  ``incidents`` and ``maintenances`` are the 50 most recent, open or not; ``recent`` what
    the feeds of incidents tell.  ``notices`` are those that have begun, the ones that ended lately
    among them, newest first.  ``next_change_at`` is when time alone will make it read differently,
    ``last_change_at`` when it last did.
    """

    at: datetime
    frame: Frame
    tree: tuple[GroupView | ComponentView, ...]
    open_incidents: tuple[IncidentView, ...]
    active: tuple[IncidentView, ...]
    upcoming: tuple[IncidentView, ...]
    days: tuple[DayView, ...]
    incidents: tuple[IncidentView, ...]
    maintenances: tuple[IncidentView, ...]
    recent: tuple[IncidentView, ...]
    updates: tuple[tuple[IncidentView, UpdateView], ...]
    updated_at: datetime
    last_change_at: datetime
    next_change_at: datetime
    uptimes: Mapping[str, Uptime] = field(default_factory=dict, hash=False)
    notices: tuple[NoticeView, ...] = ()
    metrics: tuple[MetricView, ...] = ()

    @property
    def page(self) -> PageView:
        """The page's own settings."""
        return self.frame.page

    @property
    def current_notices(self) -> tuple[NoticeView, ...]:
        """Those that are not over."""
        return tuple(notice for notice in self.notices if not notice.is_over)

    @property
    def components(self) -> tuple[ComponentView, ...]:
        """All components in the page's order, whether listed at present or not."""
        return tuple(
            component
            for item in self.tree
            for component in (item.components if isinstance(item, GroupView) else (item,))
        )
