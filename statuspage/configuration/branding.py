"""The company's own look, as people choose it: refused with the reason where it would not do."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from io import BytesIO
from typing import Final

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import record
from statuspage.configuration.style_sheet import check_css
from statuspage.core import clock
from statuspage.core.colours import (
    COLOUR,
    DARK_GROUNDS,
    LIGHT_GROUNDS,
    fits,
    fitting,
    picture_type,
    read_links,
)
from statuspage.core.conflict import check_unchanged, fingerprint
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import Page, revision

MOST_LINKS: Final = 6
MOST_LOGO_BYTES: Final = 100 * 1024
# A few bytes can name a picture that takes gigabytes to draw.
MOST_LOGO_PIXELS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class BrandingChoices:
    """What is typed: colours as ``#rrggbb`` or empty, links one per line, a footer in Markdown.

    ``css`` is a style sheet of the company's own, after the page's.
    """

    accent: str = ""
    accent_dark: str = ""
    links: str = ""
    footer: str = ""
    css: str = ""


def branding_choices(session: Session) -> BrandingChoices:
    """The choices as they stand."""
    stored = session.scalar(select(Page.look).order_by(Page.id).limit(1)) or {}
    return BrandingChoices(
        **{name: str(stored.get(name, "")) for name in asdict(BrandingChoices())}
    )


@needs(Permission.SETTINGS)
def change_branding(choices: BrandingChoices, *, actor: Actor, seen: str | None = None) -> None:
    """Take the choices over.

    Raises :class:`Invalid` with what would fit, and :class:`~statuspage.core.conflict.Conflict`.
    """
    wanted = _cleaned(choices)
    for refused in _refusals(wanted):
        raise refused
    with writing() as session:
        page = _locked_page(session)
        saved = branding_choices(session)
        check_unchanged(seen, fingerprint(saved), saved)
        page.look = {**page.look, **wanted}
        _keep(session, page, actor, "look.change", before=asdict(saved), after=wanted)


def sort_choices(choices: BrandingChoices) -> tuple[BrandingChoices, dict[str, str]]:
    """The choices with what cannot be taken left empty, and the reasons by field."""
    wanted = _cleaned(choices)
    refused: dict[str, str] = {}
    for refusal in _refusals(wanted):
        refused.setdefault(refusal.field, refusal.reason)
    return BrandingChoices(**{**wanted, **dict.fromkeys(refused, "")}), refused


@needs(Permission.SETTINGS)
def set_logo(pictures: Mapping[str, bytes], *, actor: Actor) -> None:
    """Show pictures in place of the name: ``logo``, and ``logo_dark`` where the page is dark.

    A picture that is not handed over stays.  Raises :class:`Invalid` for content that is no
    picture, and for a dark logo beside none.
    """
    for name, content in pictures.items():
        _check_picture(name, content)
    with writing() as session:
        page = _locked_page(session)
        encoded = {name: b64encode(content).decode() for name, content in pictures.items()}
        look = {**page.look, **encoded}
        if not look.get("logo"):
            raise Invalid("logo", "Choose this one first: it is shown wherever the other is not.")
        page.look = look
        digests = {
            name.replace("logo", "sha256"): sha256(content).hexdigest()
            for name, content in pictures.items()
        }
        _keep(session, page, actor, "look.set_logo", after=digests)


def _check_picture(name: str, content: bytes) -> None:
    """Raise :class:`Invalid` for content that is no picture, or that cannot be drawn whole."""
    if len(content) > MOST_LOGO_BYTES:
        raise Invalid(name, f"Use a picture of at most {MOST_LOGO_BYTES // 1024} KB.")
    if b"<svg" in content[:4096].lower():
        raise Invalid(name, "An SVG can carry scripts. Save it as PNG or WebP, and choose that.")
    if not picture_type(content):
        raise Invalid(name, "Choose a PNG, JPEG or WebP picture.")
    try:
        with Image.open(BytesIO(content), formats=["PNG", "JPEG", "WEBP"]) as picture:
            width, height = picture.size
            if width * height > MOST_LOGO_PIXELS:
                raise Invalid(name, f"Use a picture of at most {MOST_LOGO_PIXELS:,} pixels.")
            picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid(name, "This picture is damaged or cut off. Save it again.") from None


@needs(Permission.SETTINGS)
def remove_logo(*, actor: Actor, only_dark: bool = False) -> None:
    """Show the name again; or, with ``only_dark``, the one logo on every background."""
    removed = {"logo_dark"} if only_dark else {"logo", "logo_dark"}
    with writing() as session:
        page = _locked_page(session)
        if removed & set(page.look):
            page.look = {name: value for name, value in page.look.items() if name not in removed}
            after = {"removed": "logo_dark"} if only_dark else None
            _keep(session, page, actor, "look.remove_logo", after=after)


def _cleaned(choices: BrandingChoices) -> dict[str, str]:
    wanted = {name: value.strip() for name, value in asdict(choices).items()}
    for name in ("accent", "accent_dark"):
        wanted[name] = wanted[name].lower()
    return wanted


def _refusals(wanted: dict[str, str]) -> Iterator[Invalid]:
    yield from _colour_refusals("accent", wanted["accent"], LIGHT_GROUNDS)
    yield from _colour_refusals("accent_dark", wanted["accent_dark"], DARK_GROUNDS)
    if wanted["accent_dark"] and not wanted["accent"]:
        yield Invalid("accent", "Choose one for the light scheme too, or none at all.")
    yield from _link_refusals(wanted["links"])
    try:
        check_css(wanted["css"])
    except Invalid as refused:
        yield refused


def _colour_refusals(name: str, colour: str, grounds: tuple[str, ...]) -> Iterator[Invalid]:
    if colour and not COLOUR.fullmatch(colour):
        yield Invalid(name, "Enter the color as # and six digits, like #1d5fc4.")
    elif colour and not fits(colour, grounds):
        scheme = "light" if grounds is LIGHT_GROUNDS else "dark"
        yield Invalid(
            name,
            f"{colour} is hard to read on the {scheme} page: its contrast is under 4.5 to 1. "
            f"{fitting(colour, grounds)} is the nearest that fits.",
        )


def _link_refusals(text: str) -> Iterator[Invalid]:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINKS:
        yield Invalid("links", f"At most {MOST_LINKS} links.")
    for line in lines:
        if not read_links(line):
            yield Invalid(
                "links", f"“{line.strip()[:60]}” is not a name and then an address with https://."
            )


def _locked_page(session: Session) -> Page:
    return session.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()


def _keep(
    session: Session,
    page: Page,
    actor: Actor,
    action: str,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    page.updated_at = clock.now()
    record(session, actor, action, page.name, before=before, after=after)
    revision.bump(session)
