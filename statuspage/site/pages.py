"""A snapshot as HTML pages, through a Jinja environment of their own: no request, no database.

The same views give the same bytes, on any host and at any time: nothing here asks for the time.
Every string that a visitor reads passes gettext; what people wrote is escaped by Jinja, or has
become safe HTML in :mod:`statuspage.richtext`.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from statuspage import clock, richtext
from statuspage.links import Links
from statuspage.site.assets import asset
from statuspage.site.bars import draw_bar
from statuspage.site.snapshot import (
    ComponentPageView,
    ComponentView,
    Frame,
    GroupView,
    MonthView,
    PostView,
    Snapshot,
    StoryView,
)
from statuspage.site.uptime import Uptime
from statuspage.words import ComponentStatus, Impact, Word

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"

MOST_POSTS_ON_HOME: Final = 5
MOST_NAMES_AT_A_GLANCE: Final = 4
# With more components than this, a group in which all is well starts folded.
MOST_UNFOLDED_COMPONENTS: Final = 15

# Where `mark_unconfirmed` writes: at the start of <main>, and of the headline.
NOTICE_MARKER: Final = Markup("<!--unconfirmed-->")
HEADLINE_MARKER: Final = Markup("<!--last-known-->")

# A state's tone: the name of its colour in static/tokens.css, of its icon and of its favicon.
TONES: Final[dict[Word, str]] = {
    ComponentStatus.OPERATIONAL: "fine",
    ComponentStatus.UNDER_MAINTENANCE: "planned",
    ComponentStatus.DEGRADED_PERFORMANCE: "minor",
    ComponentStatus.PARTIAL_OUTAGE: "major",
    ComponentStatus.MAJOR_OUTAGE: "critical",
    Impact.NONE: "notice",
    Impact.MAINTENANCE: "planned",
    Impact.MINOR: "minor",
    Impact.MAJOR: "major",
    Impact.CRITICAL: "critical",
}


@dataclass(frozen=True, slots=True)
class Feed:
    """An address at which the page can be followed without giving one's own."""

    name: str
    path: str
    content_type: str


Tree = tuple[GroupView | ComponentView, ...]

FEEDS: Final = (
    Feed("RSS", "/updates.rss", "application/rss+xml"),
    Feed("Atom", "/updates.atom", "application/atom+xml"),
    Feed("JSON Feed", "/updates.json", "application/feed+json"),
)


def render_home(snapshot: Snapshot, links: Links) -> str:
    """The page at ``/``: the state at a glance, what is open and planned, and the last days."""
    shown = [component for component in snapshot.components if component.is_shown]
    troubled = [item.name for item in shown if item.status is not ComponentStatus.OPERATIONAL]
    return _render(
        "public/home.html",
        snapshot.frame,
        links,
        changes_at=snapshot.next_change_at,
        updated_at=snapshot.updated_at,
        snapshot=snapshot,
        open_incidents=sorted(snapshot.open_incidents, key=_gravity, reverse=True),
        board=list(_board(snapshot.tree, unfold=len(shown) <= MOST_UNFOLDED_COMPONENTS)),
        troubled=troubled[:MOST_NAMES_AT_A_GLANCE],
        more_troubled=max(0, len(troubled) - MOST_NAMES_AT_A_GLANCE),
    )


def render_incident(frame: Frame, story: StoryView, links: Links) -> str:
    """The page at ``/incidents/<code>``: the whole story of one incident or maintenance."""
    is_promised = story.is_open and not story.is_overdue
    return _render(
        "public/incident.html",
        frame,
        links,
        changes_at=story.next_update_at if is_promised else None,
        story=story,
        month=story.begins_at.astimezone(frame.page.zone).date(),
    )


def render_component(frame: Frame, view: ComponentPageView, links: Links) -> str:
    """The page at ``/components/<code>``: its state, its days, its stories."""
    return _render("public/component.html", frame, links, view=view, component=view.component)


def render_history(frame: Frame, month: MonthView, links: Links) -> str:
    """The page at :func:`history_path`: the stories of one month, newest first."""
    days = groupby(month.stories, lambda story: story.begins_at.astimezone(frame.page.zone).date())
    by_day = [(day, list(stories)) for day, stories in days]
    return _render("public/history.html", frame, links, month=month, days=by_day)


def render_error(code: int, *, frame: Frame | None = None, links: Links | None = None) -> str:
    """A page for an HTTP status such as 404, with a way onwards.

    Without ``frame`` and ``links`` it needs neither database nor settings.
    """
    name = code if code in {404, 405, 410, 503} else 500
    return _render(f"errors/{name}.html", frame, links or Links(""), code=code)


def render_leaving(
    frame: Frame, links: Links, *, email: str, suppressed: str, is_owed: bool, acted: str
) -> str:
    """The page behind the link that ends a mail: asks, or says what was done.

    ``suppressed`` is why nothing is sent to ``email``, or empty; ``is_owed`` that notices owed by
    contract are; ``acted`` is ``leave``, ``stay`` or empty.
    """
    return _render(
        "public/leaving.html",
        frame,
        links,
        is_still=True,
        email=email,
        suppressed=suppressed,
        is_owed=is_owed,
        acted=acted,
    )


@dataclass(frozen=True, slots=True)
class FollowedStory:
    """A story of which somebody hears every update, or may."""

    code: str
    title: str
    is_ticked: bool = True


@dataclass(frozen=True, slots=True)
class MailForm:
    """What a form about mail holds: as it was sent, or as it is kept; components by their codes.

    ``removed`` are components that were chosen and are listed no more.  ``reason`` is what is wrong
    with ``field``, empty where nothing is.
    """

    email: str = ""
    incidents: bool = True
    maintenance: bool = True
    resolved_only: bool = False
    components: frozenset[str] = frozenset()
    removed: tuple[ComponentView, ...] = ()
    followed: tuple[FollowedStory, ...] = ()
    time_zone: str = ""
    field: str = ""
    reason: str = ""


def render_subscribe(
    frame: Frame, tree: Tree, links: Links, *, form: MailForm | None = None
) -> str:
    """The page at ``/subscribe``: by mail, or without an address; ``form`` where it was refused."""
    form = form or MailForm()
    return _render("public/subscribe.html", frame, links, is_still=True, tree=tree, form=form)


def render_sign_up_sent(frame: Frame, links: Links) -> str:
    """The page that answers whoever asked for mail, the same for everybody."""
    return _render("public/subscribe_sent.html", frame, links)


def render_subscription(
    frame: Frame,
    tree: Tree,
    links: Links,
    *,
    stage: str,
    form: MailForm,
    suppressed: str = "",
    acted: str = "",
) -> str:
    """The page behind the links in a subscriber's mail.

    ``stage`` is ``to_confirm``, ``confirmed``, ``left`` or ``over``; ``acted`` what the visitor
    just did, or empty.
    """
    return _render(
        "public/subscription.html",
        frame,
        links,
        is_still=True,
        tree=tree,
        stage=stage,
        form=form,
        suppressed=suppressed,
        acted=acted,
        wishes=_wishes(frame, tree, form),
        zones=_zones_by_area(),
    )


def _wishes(frame: Frame, tree: Tree, form: MailForm) -> list[str]:
    """What a form asks for, as lines of a list."""
    words = translations(frame.page.language)
    lines = []
    if form.incidents:
        text = "incidents, only that they are over" if form.resolved_only else "incidents"
        lines.append(words.gettext(text))
    if form.maintenance:
        lines.append(words.gettext("scheduled maintenance"))
    listed = [
        each
        for item in tree
        for each in (item.components if isinstance(item, GroupView) else (item,))
    ]
    names = [each.full_name for each in listed if each.code in form.components]
    if lines and names:
        lines = [words.gettext("%(what)s of %(names)s") % {
            "what": words.gettext(" and ").join(lines), "names": ", ".join(names),
        }]  # fmt: skip
    every = words.gettext("every update on “%(title)s”")
    return lines + [every % {"title": story.title} for story in form.followed]


@lru_cache(maxsize=1)
def _zones_by_area() -> list[tuple[str, list[str]]]:
    areas = groupby(clock.zone_names(), lambda name: name.partition("/")[0])
    return [(area, list(names)) for area, names in areas]


def component_path(code: str) -> str:
    """Where a component's own page is."""
    return f"/components/{code}"


def history_path(month: date, number: int = 1) -> str:
    """Where a month's stories are; ``number`` counts its pages from 1."""
    return f"/history/{month:%Y-%m}" + (f"/{number}" if number > 1 else "")


def mark_unconfirmed(html: str, *, since: datetime) -> str:
    """A page made here, saying that it could not be confirmed ``since`` then, and not in green.

    Needs the page alone: zone and language are read from it.  What holds no marker comes back as
    it is.
    """
    if NOTICE_MARKER not in html:
        return html
    found = _ROOT_TAG.search(html)
    book = _book(found[1], found[2]) if found else _book()
    words = _when_of(book).words
    notice = book.get_template("public/unconfirmed.html").render(since=since)
    html = html.replace(NOTICE_MARKER, notice, 1)
    html = html.replace(HEADLINE_MARKER, f"<span>{escape(words.gettext('Last known:'))}</span> ", 1)
    html = html.replace("<title>", f"<title>{escape(words.gettext('Not confirmed'))} · ", 1)
    return _ICON_LINK.sub(lambda link: link[1] + asset("favicon-unknown.svg"), html, count=1)


# What `mark_unconfirmed` reads back from the top of templates/layout.html.
_ROOT_TAG: Final = re.compile(r'<html lang="([^"]*)" dir="[^"]*" data-zone="([^"]*)">')
_ICON_LINK: Final = re.compile(r'(<link rel="icon"[^>]* href="[^"]*?)/static/favicon-[^"]*')


class When:
    """Times, days and lengths as the pages of one language and zone show them.

    A moment becomes a ``<time>`` element that static/page.js rewrites in the visitor's own zone.
    """

    def __init__(self, language: str, zone: str) -> None:
        locale = Locale.parse(language, sep="-")
        self.language = language
        self.direction = locale.text_direction
        self.zone = clock.read_zone(zone)
        self.words = translations(language)
        self._locale = str(locale)

    def full(self, moment: datetime) -> Markup:
        """``Mar 4, 2026, 12:00 UTC``."""
        return _full(moment, self.zone, self._locale)

    def near(self, moment: datetime) -> Markup:
        """The same, to which the script adds how long ago or how soon that is."""
        return _near(moment, self.zone, self._locale)

    def span(self, start: datetime, end: datetime) -> Markup:
        """``Mar 4, 2026, 12:00 – 13:30 UTC``."""
        return _span(start, end, self.zone, self._locale)

    def day(self, day: date) -> Markup:
        """``March 4, 2026``: a day of the page's zone, whatever the visitor's."""
        return _day(day, self._locale)

    def month(self, month: date) -> str:
        """``March 2026``."""
        return str(format_skeleton("yMMMM", month, locale=self._locale))

    def duration(self, start: datetime, end: datetime) -> str:
        """How long it took, in two units at most: ``2 hours 30 minutes``."""
        return self.length(int((end - start).total_seconds()))

    def length(self, seconds: int) -> str:
        """So many seconds, in two units at most."""
        minutes = seconds // 60
        if minutes < 1:
            return self.words.gettext("less than a minute")
        days, rest = divmod(minutes, 24 * 60)
        hours, minutes = divmod(rest, 60)
        count = self.words.ngettext
        parts = [
            (days, count("%(num)d day", "%(num)d days", days)),
            (hours, count("%(num)d hour", "%(num)d hours", hours)),
            (minutes, count("%(num)d minute", "%(num)d minutes", minutes)),
        ]
        while not parts[0][0]:
            del parts[0]
        return " ".join(text % {"num": number} for number, text in parts[:2] if number)


_first_line = lru_cache(maxsize=2048)(richtext.first_line)


# A moment reads the same for as long as there is a page, and formatting one costs more than the
# rest of its line.
@lru_cache(maxsize=8192)
def _full(moment: datetime, zone: ZoneInfo, locale: str) -> Markup:
    return _element(moment, clock.show(moment, zone, locale))


@lru_cache(maxsize=2048)
def _near(moment: datetime, zone: ZoneInfo, locale: str) -> Markup:
    return _element(moment, clock.show(moment, zone, locale), near=True)


@lru_cache(maxsize=4096)
def _span(start: datetime, end: datetime, zone: ZoneInfo, locale: str) -> Markup:
    first, _, last = clock.show_span(start, end, zone, locale).partition(" – ")
    parts = _element(start, first), _element(end, last)
    return Markup("<span data-span>{} – {}</span>").format(*parts)


@lru_cache(maxsize=1024)
def _day(day: date, locale: str) -> Markup:
    text = clock.show_date(day, locale)
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), text)


def iso(moment: datetime) -> str:
    """A moment as ``datetime`` attributes hold it, in UTC and to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _element(moment: datetime, text: str, *, near: bool = False) -> Markup:
    mark = Markup(" data-near" if near else "")
    return Markup('<time datetime="{}"{}>{}</time>').format(iso(moment), mark, text)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the list of components: one of them, or a group with those that are shown."""

    view: ComponentView | GroupView
    status: ComponentStatus
    components: tuple[ComponentView, ...] = ()
    is_unfolded: bool = True


def _board(tree: tuple[GroupView | ComponentView, ...], *, unfold: bool) -> Iterator[_Row]:
    for item in tree:
        if isinstance(item, ComponentView):
            if item.is_shown:
                yield _Row(item, item.status)
            continue
        shown = tuple(component for component in item.components if component.is_shown)
        if shown:
            status = ComponentStatus.worst((each.status for each in shown), item.status)
            is_troubled = status is not ComponentStatus.OPERATIONAL
            yield _Row(item, status, shown, is_unfolded=unfold or is_troubled)


def _render(name: str, frame: Frame | None, links: Links, **context: Any) -> str:
    book = _book(frame.page.language, frame.page.time_zone) if frame else _book()
    return book.get_template(name).render(
        {
            "frame": frame,
            "links": links,
            "root": urlsplit(links.base).path,
            "site": _title(frame, book),
            "tone": overall_tone(frame),
            "changes_at": None,
            "updated_at": None,
            "is_still": False,
            **context,
        }
    )


def _gravity(story: StoryView) -> tuple[bool, int]:
    return story.is_pinned, story.impact.gravity


def _title(frame: Frame | None, book: Environment) -> str:
    """What the whole page is called: ``Marigold Status``."""
    if frame is None or "status" in frame.page.name.casefold():
        return frame.page.name if frame else ""
    return _when_of(book).words.gettext("%(name)s Status") % {"name": frame.page.name}


def overall_tone(frame: Frame | None) -> str:
    """The tone of the overall state; ``unknown`` where nobody vouches for one."""
    if frame is None or not frame.page.is_set_up:
        return "unknown"
    if frame.indicator is not Impact.NONE:
        return TONES[frame.indicator]
    return "planned" if frame.under_maintenance else "fine"


@lru_cache(maxsize=16)
def _book(language: str = "en", zone: str = "UTC") -> Environment:
    """The templates, bound to one language and zone."""
    when = When(language, zone)
    book = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    book.policies["ext.i18n.trimmed"] = True
    book.install_gettext_translations(when.words, newstyle=True)  # type: ignore[attr-defined]
    book.globals.update(
        FEEDS=FEEDS,
        HEADLINE_MARKER=HEADLINE_MARKER,
        MOST_POSTS_ON_HOME=MOST_POSTS_ON_HOME,
        NOTICE_MARKER=NOTICE_MARKER,
        asset=asset,
        bar=_bar_in(when.words),
        history_path=history_path,
        when=when,
    )
    # Filters, because Jinja calls them several times faster than methods.
    book.filters.update(
        changes=_changes,
        day=when.day,
        first_line=_first_line,
        full=when.full,
        icon=_icon,
        iso=iso,
        mail_address=_mail_address,
        month=when.month,
        near=when.near,
        state=_state_in(when.words),
        tone=_tone,
        web_address=_web_address,
    )
    return book


def _when_of(book: Environment) -> When:
    return cast("When", book.globals["when"])


@lru_cache(maxsize=16)
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of a language; English needs none."""
    return gettext.NullTranslations()


@dataclass(frozen=True, slots=True)
class _Change:
    """What one post did to all components that went from one state to the same other."""

    old: ComponentStatus
    new: ComponentStatus
    names: tuple[str, ...]


def _changes(post: PostView) -> list[_Change]:
    names: dict[tuple[ComponentStatus, ComponentStatus], list[str]] = {}
    for each in post.affected:
        if each.old_status is not each.new_status:
            names.setdefault((each.old_status, each.new_status), []).append(each.name)
    return [_Change(old, new, tuple(named)) for (old, new), named in names.items()]


def _tone(story: StoryView) -> str:
    return "planned" if story.is_maintenance else TONES[story.impact]


def _web_address(text: str) -> str:
    """The address if it is one of the web's: no other scheme gets into a link."""
    return quote(text, safe=_IN_ADDRESSES) if text.startswith(("https://", "http://")) else ""


def _mail_address(address: str) -> str:
    return "mailto:" + quote(address, safe="@!#$&'*+/=")


# What RFC 3986 lets stand in an address, and the percent sign of what is quoted already.
_IN_ADDRESSES: Final = ":/?#[]@!$&'()*+,;=%"


@lru_cache(maxsize=64)
def _icon(tone: str) -> Markup:
    """A symbol of templates/public/icons.svg; what it means stands beside it in words."""
    mark = Markup('<svg class="icon {0}" aria-hidden="true"><use href="#i-{0}"/></svg>')
    return mark.format(tone)


def _bar_in(words: gettext.NullTranslations) -> Callable[[Uptime], Markup]:
    """A component's days as an image with a sentence in one language."""

    @lru_cache(maxsize=256)
    def bar(uptime: Uptime) -> Markup:
        troubled = len(uptime.troubled_days)
        parts = [words.gettext("Last %(num)d days") % {"num": len(uptime.days)}]
        if uptime.percent is None:
            parts.append(words.gettext("no data"))
        else:
            parts.append(words.gettext("%(percent)s%% uptime") % {"percent": uptime.percent})
            days = words.ngettext("trouble on %(num)d day", "trouble on %(num)d days", troubled)
            parts.append(days % {"num": troubled} if troubled else words.gettext("no trouble"))
        return draw_bar(uptime, ", ".join(parts))

    return bar


def _state_in(words: gettext.NullTranslations) -> Callable[[ComponentStatus], Markup]:
    """A component's state by shape, colour and word, in one language."""

    @lru_cache(maxsize=16)
    def state(status: ComponentStatus) -> Markup:
        tone = TONES[status]
        mark = Markup('<span class="state {}">{}{}</span>')
        return mark.format(tone, _icon(tone), words.gettext(status.label))

    return state
