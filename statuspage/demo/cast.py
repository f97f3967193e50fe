"""Who and what the demo is about: the page, its components, colleagues and customers."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from statuspage.models import (
    Component,
    ComponentChange,
    ComponentGroup,
    Contact,
    Customer,
    CustomerComponent,
    Page,
)
from statuspage.policy import install_scheme
from statuspage.words import ComponentStatus

DAYS_OF_HISTORY = 90
CUSTOMERS = 200

COMPONENTS: Mapping[str, Mapping[str, str]] = {
    "Shop": {
        "Storefront": "Home page, landing pages and search engine previews",
        "Catalog": "Products, prices, stock and product search",
        "Checkout": "Basket, payment and order confirmation",
        "Auth": "Signing in, signing up and passwords",
        "Profiles": "Customer profiles, addresses and order history",
    },
    "Platform": {
        "Admin": "Back office for shop owners: products, orders and reports",
        "API": "Programming interface for apps and integrations",
        "Notifications": "Order mails, text messages and webhooks",
        "Infrastructure": "Hosting, network and databases behind all of it",
    },
}

COLLEAGUES: Mapping[str, tuple[str, str]] = {
    "alice": ("Alice Moreau", "Engineering manager, incident commander"),
    "bob": ("Bob Lindqvist", "Technical lead, Checkout"),
    "charlie": ("Charlie Okafor", "Communications lead"),
    "dana": ("Dana Weiss", "Site reliability engineer"),
    "emre": ("Emre Kaya", "Technical lead, Auth and Profiles"),
    "farah": ("Farah Nasser", "Head of customer support"),
    "grace": ("Grace Mbeki", "Technical lead, Catalog"),
    "hiro": ("Hiro Tanabe", "Engineer, Admin"),
}


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody by name, for the stories to refer to."""

    page: Page
    components: Mapping[str, Component]
    contacts: Mapping[str, Contact]


def add_cast(current: Session, *, now: datetime) -> Cast:
    """Add the page, its components, colleagues and customers, as if set up before its history."""
    since = now - timedelta(days=DAYS_OF_HISTORY + 30)
    page = Page(
        id=1,
        code="sh0pstackpge",
        name="ShopStack",
        about="How the ShopStack shop and everything behind it is doing, told by the people who "
        "run it.",
        time_zone="America/Los_Angeles",
        scheme="sev",
        support_email="support@shopstack.example",
        sign_off="The ShopStack team",
        incident_channel="#incidents",
        set_up_at=since,
        is_demo=True,
        created_at=since,
        updated_at=since,
    )
    current.add(page)
    install_scheme(current, "sev")
    components = dict(_add_components(current, since))
    contacts = {
        handle: Contact(
            name=name,
            role=role,
            email=f"{handle}@shopstack.example",
            chat_handle=f"@{handle}",
            created_at=since,
        )
        for handle, (name, role) in COLLEAGUES.items()
    }
    current.add_all(contacts.values())
    current.flush()
    current.add_all(_customers(components, since))
    current.flush()
    return Cast(page, components, contacts)


def _add_components(current: Session, since: datetime) -> Iterator[tuple[str, Component]]:
    for place, (group_name, parts) in enumerate(COMPONENTS.items()):
        group = ComponentGroup(
            code=f"gr0up{place:07d}", name=group_name, position=place,
            created_at=since, updated_at=since,
        )  # fmt: skip
        current.add(group)
        current.flush()
        for position, (name, description) in enumerate(parts.items()):
            component = Component(
                code=f"{name.lower():0<12}"[:12],
                group_id=group.id,
                name=name,
                description=description,
                position=position,
                created_at=since,
                updated_at=since,
            )
            current.add(component)
            current.flush()
            operational = ComponentStatus.OPERATIONAL
            current.add(ComponentChange(component_id=component.id, at=since, status=operational))
            yield name, component


@dataclass(frozen=True, slots=True)
class _Region:
    language: str
    zones: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


_REGIONS = (
    _Region(
        "en",
        ("America/New_York", "America/Chicago", "America/Los_Angeles"),
        ("Olivia", "Marcus", "Grace", "Tyrell", "Hannah"),
        ("Bennett", "Castillo", "Doyle", "Freeman", "Hollis"),
    ),
    _Region(
        "en",
        ("Europe/London", "Europe/Dublin"),
        ("Imogen", "Callum", "Priya", "Rhys", "Niamh"),
        ("Ashworth", "Blackwood", "Fairfax", "O’Sullivan", "Trevelyan"),
    ),
    _Region(
        "de",
        ("Europe/Berlin", "Europe/Vienna", "Europe/Zurich"),
        ("Jürgen", "Anneliese", "Kerstin", "Matthias", "Sören"),
        ("Brückner", "Hofmann", "Köhler", "Vogelsang", "Weißbach"),
    ),
    _Region(
        "fr",
        ("Europe/Paris", "America/Montreal"),
        ("Amélie", "Benoît", "Camille", "Éloïse", "Thibault"),
        ("Charpentier", "Delacroix", "Fournier", "Lefèvre", "Rousselet"),
    ),
    _Region(
        "es",
        ("Europe/Madrid", "America/Mexico_City", "America/Bogota"),
        ("Álvaro", "Begoña", "Inés", "Joaquín", "Lucía"),
        ("Echeverría", "Fuentes", "Ibáñez", "Montoya", "Zúñiga"),
    ),
    _Region(
        "pt_BR",
        ("America/Sao_Paulo", "America/Manaus"),
        ("Beatriz", "Caetano", "Heloísa", "João", "Thaís"),
        ("Albuquerque", "Brandão", "Conceição", "Figueiredo", "Magalhães"),
    ),
    _Region(
        "ja",
        ("Asia/Tokyo",),
        ("Ayumi", "Daichi", "Haruka", "Kenji", "Sayuri"),
        ("Fujimoto", "Kobayashi", "Nakagawa", "Ōtani", "Yamashita"),
    ),
    _Region(
        "en",
        ("Asia/Kolkata", "Asia/Kathmandu"),
        ("Ananya", "Farhan", "Kavita", "Rohan", "Sunita"),
        ("Bhattacharya", "Chowdhury", "Iyer", "Malhotra", "Shrestha"),
    ),
)
_TRADES = (
    "Bikes", "Books", "Ceramics", "Coffee", "Garden", "Instruments", "Optics", "Outdoor", "Tea",
    "Toys",
)  # fmt: skip
_RESERVED = ("example.com", "example.org", "example.net")


def _customers(components: Mapping[str, Component], since: datetime) -> Iterator[Customer]:
    """The same two hundred each time, from eight regions in turn."""
    chance = random.Random("ShopStack")
    for number in range(CUSTOMERS):
        place, turn = number // len(_REGIONS), number % len(_REGIONS)
        region = _REGIONS[turn]
        first, last = region.first_names[place % 5], region.last_names[place // 5]
        company = f"{last} {_TRADES[(number * 7 + place) % len(_TRADES)]}"
        domain = f"{_slug(company)}.{_RESERVED[number % len(_RESERVED)]}"
        address = f"{_slug(first)}.{_slug(last)}@{domain}"
        uses_all = chance.random() < 0.35
        used = [] if uses_all else chance.sample(sorted(components), chance.randint(1, 4))
        yield Customer(
            key=f"S-{1000 + number}",
            email=address,
            address=address,
            name=f"{first} {last}",
            company=company,
            language=region.language,
            time_zone=chance.choice(region.zones),
            all_components=uses_all,
            contractual=number % 9 == 0,
            created_at=since,
            updated_at=since,
            components=[CustomerComponent(component_id=components[name].id) for name in used],
        )


def _slug(text: str) -> str:
    """``text`` in lower-case ASCII letters and hyphens, as an address can hold it."""
    plain = text.replace("ß", "ss").replace("’", "")
    ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")
