"""``docs/permissions.md``, made of the code: which role may do what, by permission, address, verb.

``python -m tests.permission_tables`` writes it.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import tempfile
from collections.abc import Iterator

from flask import Flask

import statuspage
from statuspage.access import permissions
from statuspage.access.permissions import MEANINGS, ROLE_MEANINGS, SCOPES, VERBS, Permission
from statuspage.admin import auth
from statuspage.admin.permissions import needed
from statuspage.core.config import load_settings
from statuspage.core.enums import AccountRole
from statuspage.core.paths import ROOT
from statuspage.runtime.application import create_app
from tests.guards.source import Source, sources

FILE = ROOT / "docs" / "permissions.md"
BEGINNING = """# Permissions

Each account has one role. This page is generated from the code (`python -m
tests.permission_tables`), and a test compares the two: the roles are a table in
`access/permissions.py`, the addresses a table in `admin/permissions.py`, and each verb names what
it needs where it is defined. An address or a verb that names nothing is refused to everybody.

Publishing an update of an internal incident or of a drill needs only “draft”; of any other
incident it needs “publish”.
"""


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Method, address and endpoint of everything in the admin that needs a sign-in."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        if not rule.endpoint.startswith("admin.") or auth.is_open_to_strangers(view):
            continue
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield method, rule.rule, rule.endpoint


def verbs() -> set[str]:
    """The names of all verbs: public functions that are told who acts, and begin a transaction."""
    return {
        f"{_module(source)}.{name}"
        for source in sources()
        if source.path.startswith("statuspage/")
        for name in _verbs_in(source)
    }


def _module(source: Source) -> str:
    path = source.path.removeprefix("statuspage/").removesuffix(".py").removesuffix("/__init__")
    return path.replace("/", ".")


def _verbs_in(source: Source) -> Iterator[str]:
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        parameters = [*node.args.args, *node.args.kwonlyargs]
        kinds = {ast.unparse(one.annotation) for one in parameters if one.annotation}
        # What joins its caller's transaction is a part of the caller.
        if {"Actor", "Submission"} & kinds and not {"Session", "Announcement"} & kinds:
            yield node.name


def load_all() -> None:
    """Import every module, so that each verb has said what it needs."""
    for module in pkgutil.walk_packages(statuspage.__path__, "statuspage."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def document(app: Flask) -> str:
    """The whole page."""
    load_all()
    parts = [
        BEGINNING,
        "## Roles\n\n| role | |\n|---|---|",
        *(f"| {role.label} | {ROLE_MEANINGS[role]} |" for role in AccountRole),
        f"\n## Permissions\n\n| permission | to |{_heads()}\n|---|---|{_rule()}",
        *(f"| {one.value} | {MEANINGS[one]} |{_marks(one)}" for one in Permission),
        "\n## Scopes of API keys\n\n| scope | permissions |\n|---|---|",
        *(f"| `{scope.value}` | {_listed(granted)} |" for scope, granted in SCOPES.items()),
        f"\n## Addresses\n\n| address | needs |{_heads()}\n|---|---|{_rule()}",
        *(
            f"| {method} `{rule}` | {one.value if one else 'nobody'} |{_marks(one)}"
            for method, rule, endpoint in routes(app)
            for one in [needed(endpoint, method)]
        ),
        f"\n## Verbs\n\n| verb | needs |{_heads()}\n|---|---|{_rule()}",
        *(
            f"| `{name}` | {one.value} |{_marks(one)}"
            for name, one in sorted(VERBS.items())
            if one is not None
        ),
        "\n## Open to everybody\n\nTheir proof is a password or a link.\n",
        *(
            f"- `{name}`"
            for name, one in sorted(VERBS.items())
            if one is None and not name.startswith("tests.")
        ),
    ]
    return "\n".join(parts) + "\n"


def _heads() -> str:
    return "".join(f" {role.label} |" for role in AccountRole)


def _rule() -> str:
    return "---|" * len(AccountRole)


def _marks(permission: Permission | None) -> str:
    allowed = permissions.roles_with(permission) if permission else []
    return "".join(f" {'yes' if role in allowed else '–'} |" for role in AccountRole)


def _listed(granted: frozenset[Permission]) -> str:
    return (
        "all"
        if granted == permissions.EVERYTHING
        else ", ".join(one.value for one in Permission if one in granted)
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"DATA_DIR": folder, "SECRET_KEY": "k" * 32})
        FILE.write_text(document(create_app(settings)))
