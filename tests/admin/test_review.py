"""The review of an incident on its screens: begun, edited, approved, exported, made public."""

from __future__ import annotations

import pytest

from tests.admin.conftest import Desk
from tests.browsing import fields, reasons, said


@pytest.fixture
def path(desk: Desk) -> str:
    """The review of an incident that is over, which was begun."""
    code = desk.declare()
    desk.resolve(code, resolution="Rolled back.", because_watched="A test.")
    path = f"/admin/incidents/{code}/review"
    desk.browser.send(path)
    return path


def test_it_is_begun_with_what_is_known_and_no_visitor_reads_it(desk: Desk) -> None:
    code = desk.declare()
    path = f"/admin/incidents/{code}/review"
    assert "It can start once the incident is resolved" in desk.get(path).text
    desk.resolve(code, resolution="Rolled back.", because_watched="A test.")
    assert "Start the review" in desk.get(path).text
    assert desk.browser.send(path).headers["Location"] == path
    shown = desk.get(path).text
    for text in ("Rolled back.", "Time to detect", "not recorded", "Declared as SEV1"):
        assert text in shown
    assert f'href="{path}"' in desk.get(f"/admin/incidents/{code}").text
    assert "Declared as SEV1" not in desk.get(f"/incidents/{code}").text


def test_sections_and_timeline_are_edited_and_previewed(desk: Desk, path: str) -> None:
    typed = {
        "section-2-body": "A **missing** index. <script>",
        "entry-0-text": "The deploy broke it",
        "entry-0-mark": "detected",
        "entry-1-dropped": "y",
    }
    new = max(int(name.split("-")[1]) for name in fields(desk.get(f"{path}/edit").text)
              if name.startswith("entry-") and name.endswith("-text"))  # fmt: skip
    typed |= {f"entry-{new}-at": "2026-03-04T11:58", f"entry-{new}-text": "Kim was paged"}
    looked = desk.browser.send_shown(f"{path}/edit", {**typed, "preview": "1"})
    assert "<strong>missing</strong> index. &lt;script&gt;" in looked.text
    assert "Kim was paged" in looked.text
    assert "missing" not in desk.get(path).text
    assert desk.browser.send_shown(f"{path}/edit", typed).headers["Location"] == path
    shown = desk.get(path).text
    assert "<strong>missing</strong>" in shown
    assert "Kim was paged" in shown
    assert "Declared as SEV1" not in shown
    assert "Kim was paged" in desk.get(f"{path}/versions").text


def test_what_is_wrong_stands_in_its_row(desk: Desk, path: str) -> None:
    typed = {"entry-0-mark": "resolved", "entry-1-text": "", "section-1-body": "Kept as typed."}
    answer = desk.browser.send_shown(f"{path}/edit", typed)
    assert answer.status_code == 422
    assert "Write what happened" in reasons(answer)
    assert "Kept as typed." in answer.text


def test_two_editors_lose_nothing(desk: Desk, path: str) -> None:
    mine = fields(desk.get(f"{path}/edit").text)
    desk.browser.send_shown(f"{path}/edit", {"section-2-body": "Theirs."})
    answer = desk.browser.send(f"{path}/edit", {**mine, "section-2-body": "Mine."})
    assert answer.status_code == 422
    for text in ("Someone else saved this review", "Mine.", "Now saved here: Theirs."):
        assert text in answer.text
    desk.browser.send(f"{path}/edit", fields(answer.text))
    assert "Mine." in desk.get(path).text


def test_what_a_colleague_added_and_reworded_meanwhile_is_shown_and_kept(
    desk: Desk, path: str
) -> None:
    mine = fields(desk.get(f"{path}/edit").text)
    new = len([name for name in mine if name.startswith("entry-") and name.endswith("-text")]) - 3
    added = {f"entry-{new}-at": "2026-03-04T11:58", f"entry-{new}-text": "Kim was paged"}
    desk.browser.send_shown(f"{path}/edit", {**added, "entry-0-text": "The deploy broke it"})
    mine |= {**added, f"entry-{new}-text": "The alarm rang"}
    answer = desk.browser.send(f"{path}/edit", mine)
    assert "Now saved here: Mar 4, 2026" in answer.text
    assert "The deploy broke it" in answer.text
    desk.browser.send(f"{path}/edit", fields(answer.text))
    shown = desk.get(path).text
    assert [text in shown for text in ("Kim was paged", "The alarm rang")] == [True, True]


def test_it_is_approved_as_it_was_read_and_reopened_for_a_reason(desk: Desk, path: str) -> None:
    shown = desk.get(path)
    assert 'name="seen" value="1"' in shown.text
    desk.browser.send(f"{path}/request", {"seen": "1"})
    refused = desk.browser.send(f"{path}/approve", {"seen": "1"}, follow_redirects=True)
    assert "Someone else saved this review meanwhile" in said(refused)[-1]
    desk.browser.send(f"{path}/approve", {"seen": "2"})
    assert desk.get(f"{path}/edit").headers["Location"] == path
    desk.browser.send(f"{path}/reopen", {"seen": "3", "because": "Another cause."})
    versions = desk.get(f"{path}/versions").text
    assert "Reopened: Another cause." in versions
    assert desk.get(f"{path}/edit").status_code == 200


def test_a_part_is_opened_as_the_postmortem_update_and_published(desk: Desk, path: str) -> None:
    typed = {"section-2-body": "A missing index.", "section-9-body": "Bob was awake."}
    desk.browser.send_shown(f"{path}/edit", typed)
    none = desk.browser.send(f"{path}/public", follow_redirects=True)
    assert "Choose a section that has a text." in said(none)[-1]
    answer = desk.browser.send(f"{path}/public", {"section": "Root cause"})
    again = desk.browser.send(f"{path}/public", {"section": "Root cause"}, follow_redirects=True)
    assert "You have a draft of an update already" in " ".join(said(again))
    assert "Discard draft" in again.text
    code = path.split("/")[3]
    assert answer.headers["Location"] == f"/admin/incidents/{code}?do=review#post"
    shown = desk.get(f"/admin/incidents/{code}?do=review")
    sent = fields(shown.text)
    assert sent["text_public"] == "# Root cause\n\nA missing index."
    posted = desk.browser.send(f"/admin/incidents/{code}", {**sent, "publish": "1"})
    assert posted.status_code == 303, reasons(posted)
    public = desk.get(f"/incidents/{code}").text
    assert "A missing index." in public
    assert "Bob was awake" not in public


def test_it_is_exported_as_markdown_and_html(desk: Desk, path: str) -> None:
    markdown, html = desk.get(f"{path}/export/md"), desk.get(f"{path}/export/html")
    assert markdown.text.startswith("# Review: Payments fail\n")
    assert "<h1>Review: Payments fail</h1>" in html.text
    code = path.split("/")[3]
    assert [one.headers["Content-Disposition"] for one in (markdown, html)] == [
        f'attachment; filename="review-2026-03-04-{code}.md"',
        f'attachment; filename="review-2026-03-04-{code}.html"',
    ]


def test_what_was_not_begun_has_no_export_and_no_part(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}/review"
    assert desk.get(f"{path}/export/md").status_code == 404
    assert desk.browser.send(f"{path}/public").status_code == 404
    assert "No versions yet" in desk.get(f"{path}/versions").text
    assert desk.get(f"{path}/edit").headers["Location"] == path


def test_what_became_known_later_is_added(desk: Desk, path: str) -> None:
    desk.browser.send(path.replace("review", "notes"), {"note-body": "It recurs at night."})
    desk.browser.send(f"{path}/entries")
    assert "It recurs at night." in desk.get(path).text
    again = desk.browser.send(f"{path}/entries", follow_redirects=True)
    assert "The timeline has everything that is known." in said(again)[-1]
