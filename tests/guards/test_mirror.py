"""Every module that holds logic has its tests at the mirrored place.

``statuspage/delivery/claims.py`` is tested by ``tests/delivery/test_claims.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.guards.source import ROOT, Source, sources

# Tested beside those that use them; whoever writes the file takes its line away.
TESTED_ELSEWHERE = {
    "statuspage/access/passkey_proofs.py",
    "statuspage/access/passkeys.py",
    "statuspage/admin/api_keys.py",
    "statuspage/admin/fact_notes.py",
    "statuspage/admin/first_steps.py",
    "statuspage/admin/provider.py",
    "statuspage/api/mcp_server.py",
    "statuspage/api/problems.py",
    "statuspage/configuration/branding.py",
    "statuspage/configuration/editing.py",
    "statuspage/configuration/public_names.py",
    "statuspage/delivery/account_mail.py",
    "statuspage/delivery/channels/apprise_process.py",
    "statuspage/delivery/channels/refusal_runs.py",
    "statuspage/delivery/sent_copy.py",
    "statuspage/importers/demo/loading.py",
    "statuspage/incidents/apply_update.py",
    "statuspage/incidents/checklist.py",
    "statuspage/incidents/component_states.py",
    "statuspage/incidents/details.py",
    "statuspage/incidents/drill_score.py",
    "statuspage/incidents/escalation.py",
    "statuspage/incidents/inputs.py",
    "statuspage/incidents/mail_corrections.py",
    "statuspage/incidents/notify_staff.py",
    "statuspage/incidents/resolution/approval.py",
    "statuspage/incidents/resolution/cancel_window.py",
    "statuspage/incidents/resolution/gate.py",
    "statuspage/messages/checks/rule_types.py",
    "statuspage/messages/sample_incident.py",
    "statuspage/models/draft.py",
    "statuspage/public/archive.py",
    "statuspage/public/branding_preview.py",
    "statuspage/public/page_rows.py",
    "statuspage/public/snapshot.py",
    "statuspage/public/statements.py",
    "statuspage/recipients/customer_json.py",
    "statuspage/recipients/subscribers.py",
}


def mirrored(path: str) -> str:
    inside = Path(path).relative_to("statuspage")
    return f"tests/{inside.with_name(f'test_{inside.name}')}"


def untested(given: Iterable[Source]) -> set[str]:
    return {
        source.path
        for source in given
        if source.functions
        and not Path(source.path).name.startswith("__")
        and not (ROOT / mirrored(source.path)).exists()
    }


def test_every_module_with_logic_has_its_tests_at_the_mirrored_place() -> None:
    assert untested(sources()) - TESTED_ELSEWHERE == set()


def test_what_is_tested_elsewhere_is_still_there() -> None:
    assert {path for path in TESTED_ELSEWHERE if not (ROOT / path).exists()} == set()


def test_the_guard_sees_a_module_without_tests() -> None:
    planted = Source("statuspage/core/nowhere.py", "def f():\n    pass\n")
    assert untested([planted]) == {"statuspage/core/nowhere.py"}
    assert untested([Source("statuspage/core/nowhere.py", "X = 1\n")]) == set()
