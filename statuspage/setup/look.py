"""The company's own look, as people choose it: refused with the reason where it would not do."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage import clock
from statuspage.audit import Actor
from statuspage.db import writing
from statuspage.models import Page
from statuspage.refusals import Refused, Stale
from statuspage.setup.editing import fingerprint, record
from statuspage.setup.own_css import check_css
from statuspage.site import revision
from statuspage.site.look import (
    COLOUR,
    DARK_GROUNDS,
    LIGHT_GROUNDS,
    fits,
    fitting,
    picture_type,
    read_links,
)

MOST_LINKS: Final = 6
MOST_LOGO_BYTES: Final = 100 * 1024


@dataclass(frozen=True, slots=True)
class LookChoices:
    """What is typed: colours as ``#rrggbb`` or empty, links one to a line, a footer in Markdown.

    ``css`` is a style sheet of the company's own, after the page's.
    """

    accent: str = ""
    accent_dark: str = ""
    links: str = ""
    footer: str = ""
    css: str = ""


def look_choices(current: Session) -> LookChoices:
    """The choices as they stand."""
    kept = current.scalar(select(Page.look).order_by(Page.id).limit(1)) or {}
    return LookChoices(**{name: str(kept.get(name, "")) for name in asdict(LookChoices())})


def change_look(choices: LookChoices, *, actor: Actor, seen: str | None = None) -> None:
    """Take the choices over; :class:`Refused` with what would fit, :class:`Stale` after others."""
    wanted = {name: value.strip() for name, value in asdict(choices).items()}
    for name, grounds in (("accent", LIGHT_GROUNDS), ("accent_dark", DARK_GROUNDS)):
        wanted[name] = wanted[name].lower()
        _check_colour(name, wanted[name], grounds)
    if wanted["accent_dark"] and not wanted["accent"]:
        raise Refused("accent", "Choose one for the light scheme too, or none at all.")
    _check_links(wanted["links"])
    check_css(wanted["css"])
    with writing() as current:
        page = _locked_page(current)
        standing = look_choices(current)
        if seen is not None and seen != fingerprint(standing):
            raise Stale(standing)
        page.look = {**page.look, **wanted}
        _keep(current, page, actor, "look.change", before=asdict(standing), after=wanted)


def set_logo(content: bytes, *, actor: Actor) -> None:
    """Show this picture in place of the name; raises :class:`Refused` for what is none."""
    if len(content) > MOST_LOGO_BYTES:
        raise Refused("logo", f"Use a picture of at most {MOST_LOGO_BYTES // 1024} KB.")
    if b"<svg" in content[:4096].lower():
        raise Refused("logo", "An SVG can carry scripts. Save it as PNG or WebP, and choose that.")
    if not picture_type(content):
        raise Refused("logo", "Choose a PNG, JPEG or WebP picture.")
    with writing() as current:
        page = _locked_page(current)
        page.look = {**page.look, "logo": b64encode(content).decode()}
        _keep(current, page, actor, "look.set_logo", after={"sha256": sha256(content).hexdigest()})


def remove_logo(*, actor: Actor) -> None:
    """Show the name again."""
    with writing() as current:
        page = _locked_page(current)
        if page.look.get("logo"):
            page.look = {name: value for name, value in page.look.items() if name != "logo"}
            _keep(current, page, actor, "look.remove_logo")


def _check_colour(name: str, colour: str, grounds: tuple[str, ...]) -> None:
    if not colour:
        return
    if not COLOUR.fullmatch(colour):
        raise Refused(name, "Write the colour as # and six digits, like #1d5fc4.")
    if not fits(colour, grounds):
        scheme = "light" if grounds is LIGHT_GROUNDS else "dark"
        raise Refused(
            name,
            f"{colour} is hard to read on the {scheme} page: its contrast is under 4.5 to 1. "
            f"{fitting(colour, grounds)} is the nearest that fits.",
        )


def _check_links(text: str) -> None:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINKS:
        raise Refused("links", f"At most {MOST_LINKS} links.")
    for line in lines:
        if not read_links(line):
            raise Refused(
                "links", f"“{line.strip()[:60]}” is not a name and then an address with https://."
            )


def _locked_page(current: Session) -> Page:
    return current.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()


def _keep(
    current: Session,
    page: Page,
    actor: Actor,
    action: str,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    page.updated_at = clock.now()
    record(current, actor, action, page.name, before=before, after=after)
    revision.bump(current)
