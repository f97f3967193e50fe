"""The one table of permissions: which role may do what, asked by every verb and every view.

A verb says what it needs::

    @needs(Permission.SETTINGS)
    def change_page(details: PageDetails, *, actor: Actor) -> None: ...

It is refused to an actor who lacks it, before anything else is looked at.  What says nothing is
refused to everybody: a view by :func:`~statuspage.admin.auth.require`, a verb by
:func:`~.audit.record`, which takes entries only from a verb that was let through.
``docs/permissions.md`` is this table as people read it, with every address and every verb.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Final, ParamSpec, Protocol, TypeVar, cast

from statuspage.core.enums import AccountRole, KeyScope, Term

P = ParamSpec("P")
T = TypeVar("T")


class Permission(Term):
    """What somebody may do."""

    READ = "read"
    OWN_ACCOUNT = "own_account"
    NOTE = "note"
    DRAFT = "draft"
    PUBLISH = "publish"
    SEND = "send"
    COMPONENT_STATUS = "component_status"
    COMPONENTS = "components"
    SETTINGS = "settings"
    TEMPLATES = "templates"
    CUSTOMERS = "customers"
    SUBSCRIBERS = "subscribers"
    PERSONAL_DATA = "personal_data"
    IMPORT = "import"
    PEOPLE = "people"
    KEYS = "keys"
    ALERT = "alert"
    MEASURE = "measure"
    AUDIT = "audit"


MEANINGS: Final[Mapping[Permission, str]] = {
    Permission.READ: "read incidents, maintenance and what is being published",
    Permission.OWN_ACCOUNT: "change your own account",
    Permission.NOTE: "write internal notes",
    Permission.DRAFT: "draft updates, and run internal incidents and drills",
    Permission.PUBLISH: "publish, resolve and correct updates, and schedule maintenance",
    Permission.SEND: "see recipients, and hold, release and resend emails",
    Permission.COMPONENT_STATUS: "set a component's status by hand",
    Permission.COMPONENTS: "add, change and remove components",
    Permission.SETTINGS: "change settings",
    Permission.TEMPLATES: "change templates",
    Permission.CUSTOMERS: "read, change and export the customer list",
    Permission.SUBSCRIBERS: "read, export and remove subscribers",
    Permission.PERSONAL_DATA: "look up and erase personal data",
    Permission.IMPORT: "import a history",
    Permission.PEOPLE: "invite people and change their roles",
    Permission.KEYS: "make and revoke API keys",
    Permission.ALERT: "send alerts, as tools do",
    Permission.MEASURE: "send the numbers of metrics, as tools do",
    Permission.AUDIT: "read and export the audit trail",
}

EVERYTHING: Final = frozenset(Permission)

_VIEWER: Final = frozenset({Permission.READ, Permission.OWN_ACCOUNT, Permission.NOTE})
_RESPONDER: Final = _VIEWER | {Permission.DRAFT}
_COMMS_LEAD: Final = _RESPONDER | {
    Permission.PUBLISH,
    Permission.SEND,
    Permission.COMPONENT_STATUS,
}

ROLES: Final[Mapping[AccountRole, frozenset[Permission]]] = {
    AccountRole.VIEWER: _VIEWER,
    AccountRole.RESPONDER: _RESPONDER,
    AccountRole.COMMS_LEAD: _COMMS_LEAD,
    AccountRole.ADMIN: EVERYTHING,
}
"""The table: what each role may do."""

ROLE_MEANINGS: Final[Mapping[AccountRole, str]] = {
    AccountRole.VIEWER: "Reads incidents and maintenance, and writes internal notes.",
    AccountRole.RESPONDER: "Also drafts updates, and runs internal incidents and drills.",
    AccountRole.COMMS_LEAD: "Also publishes, sends, resolves and schedules maintenance.",
    AccountRole.ADMIN: "Everything: people, settings, templates, customers and keys.",
}

SCOPES: Final[Mapping[KeyScope, frozenset[Permission]]] = {
    KeyScope.READ: frozenset({Permission.READ}),
    KeyScope.DRAFT: frozenset({Permission.READ, Permission.NOTE, Permission.DRAFT}),
    KeyScope.PUBLISH: _COMMS_LEAD - {Permission.OWN_ACCOUNT},
    KeyScope.CUSTOMERS: frozenset({Permission.CUSTOMERS}),
    KeyScope.SUBSCRIBERS: frozenset({Permission.SUBSCRIBERS}),
    KeyScope.COMPONENTS: frozenset({Permission.COMPONENTS, Permission.COMPONENT_STATUS}),
    KeyScope.ALERTS: frozenset({Permission.ALERT}),
    KeyScope.METRICS: frozenset({Permission.MEASURE}),
    KeyScope.ADMIN: EVERYTHING,
}
"""The same for the scopes of API keys."""

VERBS: Final[dict[str, Permission | None]] = {}
"""What each verb needs, by its module and name; None where it is open to everybody."""


class Forbidden(Exception):
    """The actor lacks a permission; None for what nobody may do, because nothing says who may."""

    def __init__(self, permission: Permission | None) -> None:
        super().__init__(f"lacks {permission.value}" if permission else "nothing says who may")
        self.permission = permission


class Acting(Protocol):
    """Whoever acts: an :class:`~.audit.Actor`."""

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do."""


def of_role(role: AccountRole) -> frozenset[Permission]:
    """What an account of that role may do."""
    return ROLES[role]


def of_scopes(scopes: Iterable[KeyScope]) -> frozenset[Permission]:
    """What an API key with those scopes may do."""
    return frozenset().union(*(SCOPES[scope] for scope in scopes))


def roles_with(permission: Permission) -> list[AccountRole]:
    """The roles that have a permission, the least first."""
    return [role for role in AccountRole if permission in ROLES[role]]


def require(actor: Acting, permission: Permission) -> None:
    """Raise :class:`Forbidden` where the actor lacks the permission."""
    if permission not in actor.permissions:
        raise Forbidden(permission)


def needs(permission: Permission) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Mark a verb: its ``actor``, or its ``submission``'s, must have the permission."""

    def declare(verb: Callable[P, T]) -> Callable[P, T]:
        find = _finder(verb)

        @wraps(verb)
        def asked(*args: P.args, **kwargs: P.kwargs) -> T:
            require(find(args, kwargs), permission)
            with _let_through():
                return verb(*args, **kwargs)

        VERBS[_name(verb)] = permission
        return asked

    return declare


def open_to_everybody(verb: Callable[P, T]) -> Callable[P, T]:
    """Mark a verb that needs no permission: its proof is a link or a password."""

    @wraps(verb)
    def let_in(*args: P.args, **kwargs: P.kwargs) -> T:
        with _let_through():
            return verb(*args, **kwargs)

    VERBS[_name(verb)] = None
    return let_in


def is_let_through() -> bool:
    """Whether a verb runs that was asked what it needs."""
    return _inside.get()


_inside: ContextVar[bool] = ContextVar("inside a verb", default=False)


@contextmanager
def _let_through() -> Iterator[None]:
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def _finder(
    verb: Callable[..., object],
) -> Callable[[tuple[object, ...], Mapping[str, object]], Acting]:
    """How to find who acts among a verb's arguments."""
    parameters = inspect.signature(verb).parameters
    name = "actor" if "actor" in parameters else "submission"
    place, default = list(parameters).index(name), parameters[name].default

    def find(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Acting:
        found = args[place] if place < len(args) else kwargs.get(name, default)
        return cast(Acting, getattr(found, "actor", found))

    return find


def _name(verb: Callable[..., object]) -> str:
    return f"{verb.__module__.removeprefix('statuspage.')}.{verb.__name__}"
