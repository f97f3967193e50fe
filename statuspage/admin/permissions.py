"""What each address of the admin needs; one that is in neither table is refused to everybody.

The verbs behind them ask again: what a table here promises, a verb may still refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from statuspage.access.permissions import Permission

_READING: Final[Mapping[Permission, str]] = {
    Permission.READ: """
        action_items approval dashboard export_review incident incident_deliveries incident_live
        incident_notes incidents live mail_sheet maintenance_desk maintenance_series maintenances
        notices on_call report_problem review review_meeting_file review_versions suggestion
        suggestions trends
        export_report_csv export_report_json export_trends_csv export_trends_json
        monthly_report""",
    Permission.OWN_ACCOUNT: "confirm_identity me passkeys second_factor",
    Permission.DRAFT: """
        action_item classify_incident correct_post edit_review incident_details new_action_item
        review_meeting
        new_incident""",
    Permission.PUBLISH: """
        correct_message leave_out new_maintenance new_notice new_past_incident new_series notice""",
    Permission.SEND: """
        delivered_mail delivery delivery_channels export_deliveries message message_progress
        messages outbox written_mail written_mail_html""",
    Permission.COMPONENTS: """
        component components follow_provider group metric metrics new_component new_group new_metric
        state_rule""",
    Permission.SETTINGS: """
        choose_scheme contact contacts edit_blocked_terms edit_branding edit_closing_list
        edit_report_settings first_steps level new_contact page_settings preview_branding
        scheme try_text""",
    Permission.TEMPLATES: """
        incident_template incident_templates new_incident_template wording wording_preview
        wording_versions wordings""",
    Permission.CUSTOMERS: "customer customers export_customers import_customers new_customer",
    Permission.SUBSCRIBERS: "export_all_subscribers subscriber subscribers",
    Permission.PERSONAL_DATA: "personal_data",
    Permission.PEOPLE: "accounts open_work",
    Permission.KEYS: "alert_source alert_sources api_keys new_alert_source",
    Permission.AUDIT: "audit_trail export_audit_csv export_audit_json",
}
_SENDING: Final[Mapping[Permission, str]] = {
    Permission.READ: "incident_present report_problem",
    Permission.OWN_ACCOUNT: """
        add_passkey begin_second_factor change_password change_times confirm_identity
        confirm_with_passkey confirm_with_provider end_session me remove_passkey
        remove_second_factor rename_passkey renew_recovery_codes second_factor sign_out
        sign_out_everywhere""",
    Permission.NOTE: "acknowledge_incident escalate_incident incident_notes verify_incident",
    Permission.DRAFT: """
        action_item add_review_entries add_suggestion begin_review cancel_review_meeting
        cancel_scheduled review_meeting
        classify_incident close_incident correct_post discard_declaration discard_draft
        dismiss_suggestion edit_review incident incident_details incident_texts new_action_item
        new_incident new_incident_texts no_change reopen_review request_review_approval
        save_declaration save_draft settle_action_item""",
    Permission.PUBLISH: """
        approve approve_review cancel_mails changed_series_texts correct_message end_notice
        hide_incident leave_out maintenance_desk maintenance_series maintenance_texts merge_incident
        new_maintenance new_maintenance_texts new_notice new_past_incident new_series notice
        publish_review send_after_all series_texts stop_series take_back""",
    Permission.SEND: "hold_outbox release_outbox resend_failed send_again test_mail test_room",
    Permission.COMPONENT_STATUS: "hand_back_component set_component_status",
    Permission.COMPONENTS: """
        change_component_owners clear_metric component follow_provider group metric move_component
        move_group new_component new_group new_metric remove_component remove_group remove_metric
        restore_component state_rule unfollow_provider""",
    Permission.SETTINGS: """
        add_on_call_swap allow_term choose_scheme contact dismiss_checklist edit_blocked_terms
        edit_branding edit_closing_list edit_report_settings first_steps level new_contact
        page_settings plan_on_call preview_branding remove_contact remove_logo remove_on_call_swap
        set_logo try_text""",
    Permission.TEMPLATES: """
        incident_template new_incident_template remove_incident_template restore_incident_template
        restore_wording use_version wording wording_preview""",
    Permission.CUSTOMERS: """
        customer import_customers new_customer remove_customer take_customers write_again""",
    Permission.SUBSCRIBERS: "forget_subscriber write_to_subscriber_again",
    Permission.PERSONAL_DATA: "allow_person erase_person personal_data",
    Permission.PEOPLE: """
        accounts change_role disable_account enable_account request_new_password sign_out_account
        withdraw_invitation""",
    Permission.KEYS: """
        alert_source api_keys new_alert_source remove_alert_source renew_alert_source
        withdraw_api_key""",
}


def _by_endpoint(table: Mapping[Permission, str]) -> Mapping[str, Permission]:
    return {
        f"admin.{name}": permission for permission, names in table.items() for name in names.split()
    }


READING: Final = _by_endpoint(_READING)
"""By endpoint: what opening a screen or a file needs."""
SENDING: Final = _by_endpoint(_SENDING)
"""By endpoint: what sending a form needs."""


def needed(endpoint: str, method: str) -> Permission | None:
    """What a request of the admin needs; None where no table names it."""
    return (READING if method in {"GET", "HEAD", "OPTIONS"} else SENDING).get(endpoint)


_PROVED: Final = frozenset({Permission.PEOPLE, Permission.PERSONAL_DATA, Permission.KEYS})
_EXPORTS: Final = frozenset(
    {
        "admin.export_all_subscribers",
        "admin.export_audit_csv",
        "admin.export_audit_json",
        "admin.export_customers",
        "admin.export_deliveries",
    }
)

# One's own factors and sessions.
_OWN: Final = frozenset(
    {
        "admin.add_passkey",
        "admin.begin_second_factor",
        "admin.end_session",
        "admin.remove_passkey",
        "admin.remove_second_factor",
        "admin.renew_recovery_codes",
        "admin.sign_out_everywhere",
    }
)


def asks_for_proof(endpoint: str, method: str, *, publishing: bool) -> bool:
    """Whether a request of the admin asks for a fresh proof of who sits there.

    Exporting and erasing data, changing people and one's own factors, and ending sessions do;
    publishing only where it was switched on.
    """
    if method in {"GET", "HEAD", "OPTIONS"}:
        return endpoint in _EXPORTS
    permission = SENDING.get(endpoint)
    if endpoint in _OWN:
        return True
    return permission in _PROVED or (publishing and permission is Permission.PUBLISH)
