"""What the forms of visitors hold, and what those about emails ask for in words."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations

from babel.lists import format_list
from markupsafe import Markup

from statuspage.core.enums import Impact, SubscribedUpdates
from statuspage.core.languages import locale_name, translations
from statuspage.public.snapshot import ComponentView, GroupView

Tree = tuple[GroupView | ComponentView, ...]


@dataclass(frozen=True, slots=True)
class FollowedIncidentChoice:
    """An incident of which somebody hears every update, or may."""

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
    updates: str = SubscribedUpdates.EVERY.value
    least_impact: str = Impact.NONE.value
    components: frozenset[str] = frozenset()
    removed: tuple[ComponentView, ...] = ()
    followed: tuple[FollowedIncidentChoice, ...] = ()
    time_zone: str = ""
    language: str = ""
    field: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReportForm:
    """What the form that reports a problem holds, as :class:`MailForm` does."""

    text: str = ""
    component: str = ""
    field: str = ""
    reason: str = ""


def listed(tree: Tree) -> list[ComponentView]:
    """The components of the page in its order."""
    return [
        each
        for item in tree
        for each in (item.components if isinstance(item, GroupView) else (item,))
    ]


def wishes(language: str, tree: Tree, form: MailForm) -> list[str | Markup]:
    """What a form asks for, as lines of a list."""
    words = translations(language)
    own = Markup("<bdi>{}</bdi>").format
    lines: list[str | Markup] = []
    if form.incidents:
        lines.append(_incidents_wished(words, form))
    if form.maintenance:
        lines.append(words.gettext("scheduled maintenance"))
    names = [own(each.full_name) for each in listed(tree) if each.code in form.components]
    if lines and names:
        lines = [Markup(words.gettext("%(what)s of %(names)s")) % {
            "what": format_list(lines, locale=locale_name(language)),
            "names": Markup(words.gettext(", ")).join(names),
        }]  # fmt: skip
    every = Markup(words.gettext("every update on “%(title)s”"))
    return lines + [every % {"title": own(incident.title)} for incident in form.followed]


def _incidents_wished(words: NullTranslations, form: MailForm) -> str:
    """Which incidents a form asks for, and which updates of them."""
    by_impact = {
        Impact.MINOR.value: words.gettext("incidents with minor impact or worse"),
        Impact.MAJOR.value: words.gettext("incidents with major impact or worse"),
        Impact.CRITICAL.value: words.gettext("incidents with critical impact"),
    }
    incidents = by_impact.get(form.least_impact) or words.gettext("incidents")
    if form.updates == SubscribedUpdates.FIRST_AND_LAST:
        line = words.gettext("%(incidents)s, only the first and the last update")
    elif form.updates == SubscribedUpdates.LAST:
        line = words.gettext("%(incidents)s, only when they’re resolved")
    else:
        return incidents
    return line % {"incidents": incidents}
