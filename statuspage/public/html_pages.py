"""A snapshot as HTML pages, through a Jinja environment of their own: no request, no database.

The same views give the same bytes, on any host and at any time: nothing here asks for the time.
Every string that a visitor reads passes gettext; what people wrote is escaped by Jinja, or has
become safe HTML in :mod:`statuspage.core.richtext`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from gettext import NullTranslations
from itertools import groupby
from types import CodeType
from typing import Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from statuspage.core import clock, richtext
from statuspage.core.enums import ComponentStatus, Impact, Term, indicator_of
from statuspage.core.languages import ENGLISH, OFFERED, Language, prefix
from statuspage.core.links import Links
from statuspage.core.paths import TEMPLATES
from statuspage.public import metric_charts, template_rows
from statuspage.public.assets import asset
from statuspage.public.choices import draw_choices
from statuspage.public.mail_form import MailForm, Tree, wishes
from statuspage.public.search import MOST_CHARACTERS, MOST_WORDS, Asked, Search, SearchResult
from statuspage.public.snapshot import (
    ComponentPageView,
    ComponentView,
    Frame,
    IncidentView,
    MonthView,
    NoticeView,
    Snapshot,
    UpdateView,
)
from statuspage.public.times import Times, iso, mark_times
from statuspage.public.uptime import Uptime
from statuspage.public.uptime_bars import draw_bar

MOST_POSTS_ON_HOME: Final = 5
MOST_NAMES_AT_A_GLANCE: Final = 4
# With more components than this, a group in which all is well starts folded.
MOST_UNFOLDED_COMPONENTS: Final = 15

# Where `mark_unconfirmed` writes: at the start of <main>, and of the headline.
NOTICE_MARKER: Final = Markup("<!--unconfirmed-->")
HEADLINE_MARKER: Final = Markup("<!--last-known-->")

# A state's tone: the name of its colour in static/tokens.css, of its icon and of its favicon.
TONES: Final[dict[Term, str]] = {
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
class FeedLink:
    """An address at which the page can be followed without giving one's own."""

    name: str
    path: str
    content_type: str


FEEDS: Final = (
    FeedLink("RSS", "/updates.rss", "application/rss+xml"),
    FeedLink("Atom", "/updates.atom", "application/atom+xml"),
    FeedLink("JSON Feed", "/updates.json", "application/feed+json"),
)


def render_home(snapshot: Snapshot, links: Links, *, sheet: str = "") -> str:
    """The page at ``/``: the state at a glance, what is open and planned, and the last days.

    ``sheet`` is the address of a style sheet to show it with instead, for a preview: no script
    runs then.
    """
    shown = [component for component in snapshot.components if component.is_shown]
    troubled = _troubled(shown, snapshot)
    return _render(
        "public/home.html",
        snapshot.frame,
        links,
        path="/",
        sheet=sheet,
        changes_at=snapshot.next_change_at,
        updated_at=snapshot.updated_at,
        snapshot=snapshot,
        days=list(template_rows.runs(snapshot.days)),
        open_incidents=sorted(snapshot.open_incidents, key=_gravity, reverse=True),
        board=template_rows.board(
            snapshot.tree, unfold=len(shown) <= MOST_UNFOLDED_COMPONENTS, cut=True
        ),
        troubled=troubled[:MOST_NAMES_AT_A_GLANCE],
        more_troubled=max(0, len(troubled) - MOST_NAMES_AT_A_GLANCE),
    )


def _troubled(shown: Iterable[ComponentView], snapshot: Snapshot) -> list[str]:
    """What stands under the headline: the parts that make it so grave, and no others.

    Else a large outage whose parts nobody knows yet would be told of a small one's parts.
    """
    level = snapshot.frame.indicator
    gravest = [incident for incident in snapshot.open_incidents if incident.impact is level]
    named = {part.code for incident in gravest for part in incident.components}
    return [
        one.name
        for one in shown
        if one.status is not ComponentStatus.OPERATIONAL
        and (one.code in named or indicator_of(one.status) is level)
    ]


def render_incident(frame: Frame, incident: IncidentView, links: Links) -> str:
    """The page at ``/incidents/<code>``: the whole incident of one incident or maintenance."""
    is_promised = incident.is_open and not incident.is_overdue
    return _render(
        "public/incident.html",
        frame,
        links,
        path=incident_path(incident.code),
        changes_at=incident.next_update_at if is_promised else None,
        incident=incident,
        month=incident.begins_at.astimezone(frame.page.zone).date(),
    )


def render_notice(frame: Frame, notice: NoticeView, links: Links) -> str:
    """The page at ``/notices/<code>``: one notice, which may be over."""
    changes_at = None if notice.is_over else notice.ends_at
    return _render(
        "public/notice.html", frame, links, path=notice.path, changes_at=changes_at, notice=notice
    )


def render_components(frame: Frame, tree: Tree, uptimes: Mapping[str, Uptime], links: Links) -> str:
    """The page at ``/components``: all of them, of which the front page may list only some."""
    board = template_rows.board(tree, unfold=True, cut=False)
    return _render(
        "public/components.html", frame, links, path="/components", board=board, uptimes=uptimes
    )


def render_component(frame: Frame, view: ComponentPageView, links: Links) -> str:
    """The page at ``/components/<code>``: its state, its days, its incidents."""
    path = component_path(view.component.code)
    return _render(
        "public/component.html", frame, links, path=path, view=view, component=view.component
    )


def render_history(frame: Frame, month: MonthView, links: Links) -> str:
    """The page at :func:`history_path`: the incidents of one month, newest first."""
    days = groupby(
        month.incidents, lambda incident: incident.begins_at.astimezone(frame.page.zone).date()
    )
    by_day = [(day, list(incidents)) for day, incidents in days]
    path = history_path(month.month, month.number)
    return _render("public/history.html", frame, links, path=path, month=month, days=by_day)


def render_search(
    frame: Frame, tree: Tree, links: Links, *, asked: Asked, found: SearchResult
) -> str:
    """The page at ``/search``: the form as it was sent, and what was found, by month."""
    zone = frame.page.zone
    months = groupby(
        found.incidents, lambda incident: incident.begins_at.astimezone(zone).date().replace(day=1)
    )
    return _render(
        "public/search.html",
        frame,
        links,
        here=search_path(asked.search),
        is_still=True,
        tree=tree,
        asked=asked,
        found=found,
        months=[(month, list(incidents)) for month, incidents in months],
        further=search_path(replace(asked.search, before=found.further)) if found.further else "",
        newest=search_path(replace(asked.search, before="")),
    )


def search_path(search: Search) -> str:
    """Where a search's results are."""
    fields = {
        "q": search.words,
        "component": search.component,
        "kind": search.kind.value if search.kind else "",
        "before": search.before,
    }
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"/search?{query}" if query else "/search"


def render_error(
    code: int,
    *,
    frame: Frame | None = None,
    links: Links | None = None,
    asked: str | None = None,
    own: str = ENGLISH,
) -> str:
    """A page for an HTTP status such as 404, with a way onwards.

    Without ``frame`` and ``links`` it needs neither database nor settings; it then stands in the
    language that the address ``asked`` for, or else in the page's ``own``.
    """
    name = code if code in {404, 405, 410, 503} else 500
    if frame is not None:
        return _render(f"errors/{name}.html", frame, links or Links(""), code=code)
    language = asked or own
    return _render(
        f"errors/{name}.html", None, links or Links(""), language=language, own=own, code=code
    )


def render_leaving(
    frame: Frame,
    links: Links,
    *,
    email: str,
    suppressed: str,
    is_owed: bool,
    acted: str,
    here: str = "",
) -> str:
    """The page behind the link that ends a mail: asks, or says what was done.

    ``suppressed`` is why nothing is sent to ``email``, or empty; ``is_owed`` that notices owed by
    contract are; ``acted`` is ``leave``, ``stay`` or empty; ``here`` its path in the page's own
    language.
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
        here=here,
    )


def render_subscribe(
    frame: Frame, tree: Tree, links: Links, *, form: MailForm | None = None
) -> str:
    """The page at ``/subscribe``: by mail, or without an address; ``form`` where it was refused."""
    return _render(
        "public/subscribe.html", frame, links, path="/subscribe", is_still=True, tree=tree,
        form=form or MailForm(),
    )  # fmt: skip


def render_sign_up_sent(frame: Frame, links: Links) -> str:
    """The page that answers whoever asked for mail, the same for everybody."""
    return _render("public/subscribe_sent.html", frame, links)


def render_unlisted(name: str, frame: Frame, links: Links, *, here: str, **values: Any) -> str:
    """A page that no edition has, at the path ``here``: a form, or what one customer reads."""
    return _render(name, frame, links, here=here, is_still=True, **values)


def render_subscription(
    frame: Frame,
    tree: Tree,
    links: Links,
    *,
    scenario: str,
    form: MailForm,
    suppressed: str = "",
    acted: str = "",
    here: str = "",
) -> str:
    """The page behind the links in a subscriber's mail.

    ``stage`` is ``to_confirm``, ``confirmed``, ``left`` or ``over``; ``acted`` what the visitor
    just did, or empty; ``here`` its path in the page's own language.
    """
    return _render(
        "public/subscription.html",
        frame,
        links,
        is_still=True,
        tree=tree,
        scenario=scenario,
        form=form,
        suppressed=suppressed,
        acted=acted,
        here=here,
        wishes=wishes(frame.language, tree, form),
        zones=clock.zones_by_area().items(),
        languages=OFFERED,
    )


def incident_path(code: str) -> str:
    """Where an incident's page is."""
    return f"/incidents/{code}"


def component_path(code: str) -> str:
    """Where a component's own page is."""
    return f"/components/{code}"


def history_path(month: date, number: int = 1) -> str:
    """Where a month's incidents are; ``number`` counts its pages from 1."""
    return f"/history/{month:%Y-%m}" + (f"/{number}" if number > 1 else "")


def mark_unconfirmed(html: str, *, since: datetime) -> str:
    """A page made here, saying that it could not be confirmed ``since`` then, and not in green.

    Needs the page alone: zone and language are read from it.  What holds no marker comes back as
    it is.
    """
    if NOTICE_MARKER not in html:
        return html
    found = _ROOT_TAG.search(html)
    book = _environment(found[1], found[2]) if found else _environment()
    words = _when_of(book).words
    notice = book.get_template("public/unconfirmed.html").render(since=since)
    html = html.replace(NOTICE_MARKER, notice, 1)
    last_known = Markup("<span>{}</span> ").format(words.gettext("Last known:"))
    html = html.replace(HEADLINE_MARKER, last_known, 1)
    html = html.replace("<title>", f"<title>{escape(words.gettext('Not confirmed'))} · ", 1)
    return _ICON_LINK.sub(lambda link: link[1] + asset("favicon-unknown.svg"), html, count=1)


# What `mark_unconfirmed` reads back from the top of templates/layout.html.
_ROOT_TAG: Final = re.compile(r'<html lang="([^"]*)" dir="[^"]*" data-zone="([^"]*)">')
_ICON_LINK: Final = re.compile(r'(<link rel="icon"[^>]* href="[^"]*?)/static/favicon-[^"]*')


_first_line = lru_cache(maxsize=2048)(richtext.first_line)


def _render(
    name: str,
    frame: Frame | None,
    links: Links,
    *,
    path: str = "",
    here: str = "",
    language: str = ENGLISH,
    own: str = ENGLISH,
    **context: Any,
) -> str:
    """The page of one template.

    ``path`` is its address in the page's own language, where visitors and machines may be led to
    it, and ``here`` that of a page for a single visitor.  ``language`` and ``own`` are for a page
    without a frame.
    """
    if frame is not None:
        language, own = frame.language, frame.page.language
    book = _environment(language, frame.page.time_zone if frame else "UTC")
    root, before = urlsplit(links.base).path, prefix(language, own=own)
    return book.get_template(name).render(
        {
            "frame": frame,
            "links": links,
            "root": root,
            "home": root + before,
            "canonical": before + path if path else "",
            "ways": _ways(own, path or here or "/") if frame else (),
            "site": _title(frame, book),
            "tone": overall_tone(frame),
            "changes_at": None,
            "updated_at": None,
            "is_still": False,
            "sheet": "",
            # For what the company wrote, on a page that is read in another language.
            "foreign": Markup(' lang="{}"').format(own) if own != language else "",
            **context,
        }
    )


@lru_cache(maxsize=512)
def _ways(own: str, path: str) -> tuple[tuple[Language, str], ...]:
    """Each offered language, with where this page is in it."""
    return tuple((each, prefix(each.code, own=own) + path) for each in OFFERED)


def _gravity(incident: IncidentView) -> tuple[bool, int]:
    return incident.is_pinned, incident.impact.gravity


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


class CompiledTemplates(BytecodeCache):
    """Has each template compiled once for all languages and zones.

    The code is the same for all: what depends on either is a global or a filter, and no filter
    that does is used on a constant, which Jinja would work out as it compiles.
    """

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give out what was compiled of the same text."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED: Final = CompiledTemplates()


@lru_cache(maxsize=16)
def _environment(language: str = ENGLISH, zone: str = "UTC") -> Environment:
    """The templates, bound to one language and zone."""
    when = Times(language, zone)
    book = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
        extensions=["jinja2.ext.i18n"],
    )
    book.policies["ext.i18n.trimmed"] = True
    book.install_gettext_translations(when.words, newstyle=True)  # type: ignore[attr-defined]
    book.globals.update(_gettext_in(when.words))
    book.globals.update(
        FEEDS=FEEDS,
        HEADLINE_MARKER=HEADLINE_MARKER,
        MOST_CHARACTERS=MOST_CHARACTERS,
        MOST_POSTS_ON_HOME=MOST_POSTS_ON_HOME,
        MOST_WORDS=MOST_WORDS,
        NOTICE_MARKER=NOTICE_MARKER,
        asset=asset,
        bar=_bar_in(when),
        choices=draw_choices,
        comma=when.words.gettext(", "),
        history_path=history_path,
        when=when,
        **metric_charts.globals_in(when),
    )
    # Filters, because Jinja calls them several times faster than methods.
    book.filters.update(
        by_state=template_rows.by_state,
        changes=template_rows.changes,
        day=when.day,
        first_line=_first_line,
        full=when.full,
        gist=_gist,
        icon=_icon,
        iso=iso,
        mail_address=_mail_address,
        month=when.month,
        near=when.near,
        percent=when.percent,
        state=_state_in(when.words),
        tone=_tone,
        web_address=_web_address,
    )
    return book


def _gettext_in(words: NullTranslations) -> dict[str, Callable[..., Markup]]:
    """What ``{% trans %}`` and ``_()`` call, for pages that all are escaped.

    Jinja's own ask each time whether they are, and a text without a variable is always the same.
    """

    @lru_cache(maxsize=1024)
    def ready(text: str) -> Markup:
        return Markup(words.gettext(text)) % {}

    def gettext(text: str, /, **variables: object) -> Markup:
        return Markup(words.gettext(text)) % variables if variables else ready(text)

    def ngettext(singular: str, plural: str, num: int, /, **variables: object) -> Markup:
        return Markup(words.ngettext(singular, plural, num)) % {"num": num, **variables}

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}


def _when_of(book: Environment) -> Times:
    return cast("Times", book.globals["when"])


def _tone(incident: IncidentView) -> str:
    if incident.is_maintenance:
        return "planned"
    return TONES[incident.impact] if incident.is_open else "over"


def _web_address(text: str) -> str:
    """The address if it is one of the web's: no other scheme gets into a link."""
    return quote(text, safe=_IN_ADDRESSES) if text.startswith(("https://", "http://")) else ""


def _mail_address(address: str) -> str:
    return "mailto:" + quote(address, safe="@!#$&'*+/=")


# What RFC 3986 lets stand in an address, and the percent sign of what is quoted already.
_IN_ADDRESSES: Final = ":/?#[]@!$&'()*+,;=%"


def _gist(update: UpdateView) -> Markup | str:
    """The first line of a post, with the times that it says as elements."""
    return _marked_line(update.body, update.times) if update.times else _first_line(update.body)


@lru_cache(maxsize=2048)
def _marked_line(body: str, times: tuple[tuple[str, str], ...]) -> Markup:
    return mark_times(escape(_first_line(body)), times)


@lru_cache(maxsize=64)
def _icon(tone: str) -> Markup:
    """A symbol of templates/public/icons.svg; what it means stands beside it in words."""
    mark = Markup('<svg class="icon {}" aria-hidden="true"><use href="#i-{}"/></svg>')
    return mark.format(tone, "fine" if tone == "over" else tone)


def _bar_in(when: Times) -> Callable[[Uptime], Markup]:
    """A component's days as an image with a sentence in one language."""
    words = when.words

    @lru_cache(maxsize=1024)
    def bar(uptime: Uptime) -> Markup:
        troubled = len(uptime.troubled_days)
        length = len(uptime.days)
        last = words.ngettext("Last %(num)s day", "Last %(num)s days", length)
        parts = [last % {"num": length}]
        if uptime.is_new:
            parts.append(words.gettext("data since today"))
        elif uptime.percent is None:
            parts.append(words.gettext("no data"))
        else:
            percent = when.percent(uptime.percent)
            parts.append(words.gettext("%(percent)s uptime") % {"percent": percent})
        if uptime.is_new or uptime.percent is not None:
            days = words.ngettext("problems on %(num)d day", "problems on %(num)d days", troubled)
            parts.append(days % {"num": troubled} if troubled else words.gettext("no problems"))
        return draw_bar(uptime, words.gettext(", ").join(parts))

    return bar


def _state_in(words: NullTranslations) -> Callable[[ComponentStatus], Markup]:
    """A component's state by shape, colour and word, in one language."""

    @lru_cache(maxsize=16)
    def state(status: ComponentStatus) -> Markup:
        tone = TONES[status]
        mark = Markup('<span class="state {}">{}{}</span>')
        return mark.format(tone, _icon(tone), words.gettext(status.label))

    return state
