"""Customers: keep one, remove one, find some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from babel import Locale, UnknownLocaleError
from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy import text as sql
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.address import Address, read_address
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.models import Customer, CustomerComponent, Subscriber
from statuspage.recipients import suppression

Entry = TypeVar("Entry", Customer, Subscriber)

KEY_LIMIT = 200
LINE_LIMIT = 500
TAG_LIMIT = 50
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class CustomerValues:
    """What is known about a customer; no components means all of them.

    ``tags`` are words to find them by, as :func:`check_tags` writes them; they route no mail.
    """

    email: str
    name: str = ""
    company: str = ""
    components: frozenset[int] = frozenset()
    language: str = "en"
    time_zone: str | None = None
    key: str | None = None
    contractual: bool = False
    tags: str = ""


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page of a search, by address.

    ``before`` and ``after`` are the addresses that the pages next to it begin from; None where
    there is no such page.
    """

    customers: Sequence[Customer]
    before: str | None
    after: str | None


def check_line(field: str, text: str, *, limit: int = LINE_LIMIT) -> str:
    """``text`` as one clean line; :class:`Invalid` over the limit of characters."""
    # Plain ASCII, which most lines are, has nothing to clean but its spaces.
    plain = text.isascii() and text.isprintable()
    line = " ".join(text.split()) if plain else clean_line(text)
    if len(line) > limit:
        raise Invalid(field, f"It has {len(line)} characters; {limit} are the most")
    return line


def check_email(text: str) -> Address:
    """The mail address in ``text``; :class:`Invalid` where it is none."""
    try:
        return read_address(text)
    except ValueError as error:
        raise Invalid("email", str(error).rstrip(".")) from None


@lru_cache(maxsize=256)
def check_language(text: str) -> str:
    """A language as Babel names it (``en``, ``pt_BR``); :class:`Invalid` where it knows none."""
    try:
        # Babel keeps whatever follows an "@", however long.
        if "@" in text:
            raise ValueError("a modifier means nothing here")
        return str(Locale.parse(text.strip().replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        raise Invalid(
            "language", f"{text!r} is not a language; write one like en or pt-BR"
        ) from None


@lru_cache(maxsize=1024)
def check_zone(text: str) -> str | None:
    """A time zone's name, None for none; :class:`Invalid` where there is no such zone."""
    name = text.strip()
    if not name:
        return None
    try:
        return clock.read_zone(name).key
    except ValueError as error:
        raise Invalid("time_zone", str(error)) from None


def check_tags(text: str) -> str:
    """Tags that are parted by ``;``, each once, in lower case and in order; :class:`Invalid`."""
    tags = {check_line("tags", part).lower() for part in text.split(";")} - {""}
    too_long = next((tag for tag in tags if len(tag) > TAG_LIMIT), None)
    if too_long is not None:
        raise Invalid("tags", f"A tag has at most {TAG_LIMIT} characters; {too_long!r} has more")
    return check_line("tags", "; ".join(sorted(tags)))


def keep_others_out(session: Session) -> None:
    """Let nobody else change customers until the end: two at once may bring the same new one."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sql("LOCK TABLE customers IN SHARE ROW EXCLUSIVE MODE"))


@needs(Permission.CUSTOMERS)
def save_customer(
    values: CustomerValues, *, actor: Actor, customer_id: int | None = None
) -> Customer:
    """Keep a customer: a new one, or the one with that id.

    Raises :class:`Invalid` for a value that cannot be kept, also where the address or the key
    belongs to somebody else, and ``LookupError`` where there is no customer with that id.
    """
    address = check_email(values.email)
    checked = replace(
        values,
        email=address.email,
        name=check_line("name", values.name),
        company=check_line("company", values.company),
        language=check_language(values.language),
        time_zone=check_zone(values.time_zone or ""),
        key=check_line("key", values.key or "", limit=KEY_LIMIT) or None,
        tags=check_tags(values.tags),
    )
    with writing() as session:
        keep_others_out(session)
        customer = session.get(Customer, customer_id) if customer_id is not None else Customer()
        if customer is None:
            raise LookupError(f"no customer {customer_id}")
        _refuse_taken(session, customer, address=address.identity, key=checked.key)
        suppression.refuse_erased(session, address.identity)
        before = None if customer_id is None else describe(customer)
        customer.email, customer.address = checked.email, address.identity
        customer.name, customer.company = checked.name, checked.company
        customer.language, customer.time_zone = checked.language, checked.time_zone
        customer.key, customer.contractual = checked.key, checked.contractual
        customer.tags = checked.tags
        customer.all_components = not checked.components
        customer.updated_at = clock.now()
        _set_components(customer, checked.components)
        session.add(customer)
        audit.record(
            session,
            actor,
            "customer.save",
            subject_kind="customer",
            subject=address.identity,
            before=before,
            after=describe(customer),
        )
    return customer


@needs(Permission.CUSTOMERS)
def remove_customer(customer_id: int, *, actor: Actor) -> None:
    """Forget a customer; what was sent to them stays on record.  ``LookupError`` for no such id."""
    with writing() as session:
        customer = session.get(Customer, customer_id)
        if customer is None:
            raise LookupError(f"no customer {customer_id}")
        audit.record(
            session,
            actor,
            "customer.remove",
            subject_kind="customer",
            subject=customer.address,
            before=describe(customer),
        )
        session.execute(delete(Customer).where(Customer.id == customer_id))


def search_customers(
    session: Session,
    *,
    text: str = "",
    component_id: int | None = None,
    tag: str = "",
    suppressed: bool = False,
    after: str = "",
    before: str = "",
    page_size: int = PAGE_SIZE,
) -> CustomerPage:
    """Customers in whose address, name, company, key or tags ``text`` occurs, by address.

    ``component_id`` keeps those whom an incident of that component concerns, ``tag`` those who have
    it, ``suppressed`` those whose address nothing is sent to.  The page begins ``after`` a
    normalised address or ends ``before`` one, so the last page costs as little as the first.
    """
    found = select(Customer)
    if text.strip():
        # All of it in one comparison: one for each column takes twice as long.
        key = func.coalesce(Customer.key, "")
        columns = (
            Customer.email, Customer.address, Customer.name, Customer.company, Customer.tags,
        )  # fmt: skip
        known = sum((column + "\n" for column in columns[1:]), columns[0] + "\n") + key
        found = found.where(known.icontains(" ".join(text.split()), autoescape=True))
    if component_id is not None:
        uses = Customer.components.any(CustomerComponent.component_id == component_id)
        found = found.where(or_(Customer.all_components, uses))
    if wanted := " ".join(tag.lower().split()):
        found = found.where(
            ("; " + Customer.tags + "; ").contains(f"; {wanted}; ", autoescape=True)
        )
    if suppressed:
        found = found.where(Customer.address.in_(suppression.suppressed_addresses()))
    found = found.options(selectinload(Customer.components))
    return CustomerPage(
        *page_by_address(
            session, found, Customer.address, after=after, before=before, page_size=page_size
        )
    )


def page_by_address(
    session: Session,
    found: Select[Entry],
    address: InstrumentedAttribute[str],
    *,
    after: str,
    before: str,
    page_size: int,
) -> tuple[list[Entry], str | None, str | None]:
    """One page of what was found, by address, and where the pages before and after it begin.

    The page begins ``after`` a normalised address or ends ``before`` one, so the last page costs as
    little as the first.
    """
    if before:
        found = found.where(address < before).order_by(address.desc())
    else:
        found = found.where(address > after).order_by(address)
    rows = list(session.scalars(found.limit(page_size + 1)))
    shown, is_more = rows[:page_size], len(rows) > page_size
    if before:
        shown.reverse()
    has_before, has_after = (is_more, True) if before else (bool(after), is_more)
    return (
        shown,
        shown[0].address if shown and has_before else None,
        shown[-1].address if shown and has_after else None,
    )


def describe(customer: Customer) -> dict[str, Any]:
    """A customer's values for the audit trail."""
    return {
        "email": customer.email,
        "key": customer.key,
        "name": customer.name,
        "company": customer.company,
        "language": customer.language,
        "time_zone": customer.time_zone,
        "contractual": customer.contractual,
        "tags": customer.tags,
        "components": sorted(link.component_id for link in customer.components),
    }


def _set_components(customer: Customer, wanted: Iterable[int]) -> None:
    unchanged = [link for link in customer.components if link.component_id in set(wanted)]
    new = set(wanted) - {link.component_id for link in unchanged}
    customer.components = [
        *unchanged,
        *(CustomerComponent(component_id=component_id) for component_id in sorted(new)),
    ]


def _refuse_taken(session: Session, customer: Customer, *, address: str, key: str | None) -> None:
    taken = session.scalar(select(Customer.id).where(Customer.address == address))
    if taken not in {None, customer.id}:
        raise Invalid("email", "This address belongs to another customer")
    if key is None:
        return
    taken = session.scalar(select(Customer.id).where(Customer.key == key))
    if taken not in {None, customer.id}:
        raise Invalid("key", "This key belongs to another customer")
