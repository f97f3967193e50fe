"""The texts beside a form: what would go out, to whom, as it reads, and what was edited.

A form that publishes something inherits from :class:`TextsForm`.  Each audience's text stands in it
as it would go out, with a mark of what the facts made of it: a text that still carries its mark is
made again from the facts when the form is sent, any other was edited and goes out as it
stands.  So nothing here needs a script, and nothing that was typed is overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from flask import Response, make_response, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadData, URLSafeSerializer
from markupsafe import Markup
from werkzeug.exceptions import NotFound
from wtforms import BooleanField, HiddenField

from statuspage.admin.audiences import AudienceRow, AudiencesField, audience_rows
from statuspage.admin.auth import actor
from statuspage.admin.base import admin, the_page
from statuspage.admin.findings import Remark, remarks_on, show_changes, show_marked
from statuspage.admin.forms import LineField, PostForm, ProseField, read_number
from statuspage.admin.marked_texts import _, ngettext
from statuspage.core import richtext
from statuspage.core.config import current_settings
from statuspage.core.enums import Audience
from statuspage.core.errors import Invalid
from statuspage.core.languages import ENGLISH, N_, nearest
from statuspage.core.links import current_links
from statuspage.delivery.channels.provider import fill_html, fill_subject, fill_text
from statuspage.incidents.announcement import Announcement
from statuspage.incidents.drafts import CopyText, TranslatedFact, translated_facts
from statuspage.incidents.explain_recipient import RecipientExplanation, explain
from statuspage.incidents.inputs import Draft
from statuspage.incidents.publish import Submission
from statuspage.messages.checks import blocking
from statuspage.messages.compose import DRILL_BANNER, Composed, Text
from statuspage.messages.template_variables import VARIABLES
from statuspage.messages.tokens import token_values
from statuspage.recipients.who_receives import AudienceChoice, Reach, Reader

# A mail brings its own styles; nothing in it may run, load or lead anywhere in the admin.
MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-popups"
)

_GAP: Final = re.compile(r"\[\[([a-z_]+)\]\]")
TITLES: Final = {
    Audience.PUBLIC: N_("Public post"),
    Audience.INTERNAL: N_("Internal message"),
    Audience.CUSTOMER: N_("Customer email"),
}


COPIED: Final = {
    Audience.EXECUTIVE: N_("Executive summary"),
    Audience.SUPPORT: N_("Reply for support"),
}


@dataclass(frozen=True, slots=True)
class ToCopy:
    """A text that somebody copies; it is sent nowhere."""

    name: str
    title: str
    text: str
    remarks: tuple[Remark, ...]


class TextsForm(PostForm):
    """A form that ends in texts for several audiences."""

    text_public = ProseField(N_("Public post"))
    text_internal = ProseField(N_("Internal message"))
    text_customer = ProseField(N_("Customer email"))
    subject_customer = LineField(N_("Email subject"))
    made_public = HiddenField()
    made_internal = HiddenField()
    made_customer = HiddenField()
    because_public = LineField(N_("Publish anyway because"))
    because_customer = LineField(N_("Send anyway because"))
    tell = AudiencesField(N_("Who is notified"))
    because_left_out = LineField(N_("Why they are not notified"))
    again = BooleanField(N_("Post it again anyway"))
    ask = LineField(N_("Who will receive this? Check an address"))
    # Whether the texts can be edited, or are generated each time.
    can_edit = True
    # Whether a form can explain who receives it, and what it answered.
    can_ask = False
    # Whether audiences can be left out.
    can_choose = True
    hearing: RecipientExplanation | None = None
    # Labels of facts that are said again as they were said before.
    carried: Sequence[str] = ()
    copies_to_paste: tuple[ToCopy, ...] = ()
    # The audiences to tick, once the texts are made.
    audiences: Sequence[AudienceRow] = ()
    # What the checks say of the facts in a second language, by the name of the fact.
    second_remarks: Mapping[str, tuple[Remark, ...]] = MappingProxyType({})

    def ask_to_repeat(self) -> None:
        """Ask before the same is published again; a second click is asked about as well."""
        self.refuse(
            "again",
            _("Nothing has changed since the last update. Check this box to post it anyway."),
        )

    def hand_out(self, copies_to_paste: Sequence[CopyText]) -> None:
        """Put texts to copy beside those that go out."""
        self.copies_to_paste = tuple(
            ToCopy(
                one.audience.value,
                COPIED[one.audience],
                one.text.body,
                remarks_on(one.text, blocking(one.findings)),
            )
            for one in copies_to_paste
        )

    def _answer(self, announcement: Announcement) -> None:
        if not self.ask.data:
            return
        try:
            self.hearing = explain(announcement, self.ask.data)
        except Invalid as refused:
            # Not an error of the form: what is published does not depend on it.
            self.hearing = RecipientExplanation(self.ask.data, False, (f"{refused.reason}.",))

    def announce(self, announcement: Announcement, drafts: Sequence[Draft]) -> list[TextPreview]:
        """Show an announcement's drafts, and say whether the address that is asked for is mailed.

        Returns what belongs to the texts.
        """
        sheets = [self._show(draft) for draft in drafts]
        sheets = self._show_second(sheets, translated_facts(announcement))
        self.audiences = audience_rows(announcement, drafts)
        self._answer(announcement)
        return sheets

    def _show_second(
        self, sheets: Sequence[TextPreview], translated: Sequence[TranslatedFact]
    ) -> list[TextPreview]:
        """Keep what the checks say for each field; what blocks is said with the texts as well."""
        self.second_remarks = {
            one.name: remarks_on(one.text, one.findings) for one in translated if one.findings
        }
        held = tuple(
            replace(remark, reason=_("In the second language: %(reason)s", reason=remark.reason))
            for one in translated
            if one.is_sent
            for remark in remarks_on(one.text, blocking(one.findings))
        )
        # The same reason lets a text pass in all its languages.
        return [
            sheet
            if sheet.name == Audience.INTERNAL or not held
            else replace(sheet, is_held=True, remarks=(*sheet.remarks, *held))
            for sheet in sheets
        ]

    def submission(self) -> Submission:
        """The form as it was sent, for a verb."""
        seen = read_number(self["seen_version"].data) if "seen_version" in self else None
        return Submission(
            actor(),
            self.form_key.data or "",
            seen,
            self.edited_texts(),
            self.overrides(),
            self.choice(),
        )

    @property
    def asks_why(self) -> bool:
        """Whether an audience is left out that was promised an email."""
        return any(row.asks_why and not row.is_ticked for row in self.audiences)

    def choice(self) -> AudienceChoice:
        """The audiences that are left out, and why."""
        return AudienceChoice(self.tell.data, self.because_left_out.data or "")

    def overrides(self) -> dict[Audience, str]:
        """Why a text is sent although the checks block it, where somebody says so."""
        typed = {
            Audience.PUBLIC: self.because_public.data,
            Audience.CUSTOMER: self.because_customer.data,
        }
        return {audience: reason for audience, reason in typed.items() if reason}

    def edited_texts(self) -> dict[Audience, Text]:
        """What was edited; asked to be generated again, a text is not."""
        again = request.form.get("remake")
        return {
            audience: text
            for audience in TITLES
            if audience.value != again and (text := self._edited(audience)) is not None
        }

    def _edited(self, audience: Audience) -> Text | None:
        body = self[f"text_{audience.value}"].data
        subject = self.subject_customer.data if audience is Audience.CUSTOMER else ""
        text = Text(subject, body)
        is_untouched = self[f"made_{audience.value}"].data == mark(text, audience)
        return None if is_untouched or not body else text

    def _show(self, draft: Draft) -> TextPreview:
        audience = draft.audience
        made, known = mark(draft.made, audience), self[f"made_{audience.value}"]
        is_stale = draft.edited and known.data not in {"", None, made}
        if not draft.edited or not known.data:
            known.data = made
        self[f"text_{audience.value}"].data = draft.text.body
        if audience is Audience.CUSTOMER:
            self.subject_customer.data = draft.text.subject
        return make_sheet(draft, form=self, is_stale=is_stale)


@dataclass(frozen=True, slots=True)
class MissingFact:
    """A fact that a text lacks: what it is, and the field that asks for it (an anchor, or none)."""

    label: str
    field: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as one customer will see it: ``url`` is for a frame."""

    to: str
    subject: str
    text: str
    url: str
    zone: str


@dataclass(frozen=True, slots=True)
class TextPreview:
    """One text and all that somebody wants to know before it goes."""

    name: str
    title: str
    subject: str
    reading: Markup
    is_plain: bool
    why: str
    recipients: int
    suppressed: int
    by_mail: Reach | None
    edited: bool
    stale: bool
    fell_back: bool
    missing: tuple[MissingFact, ...]
    wanted: tuple[MissingFact, ...]
    remarks: tuple[Remark, ...]
    is_held: bool
    changes: Markup | None
    mails: tuple[Mail, ...]
    is_drill: bool
    left_out: str | None

    @property
    def mailed(self) -> int:
        """How many subscribers are mailed a public update."""
        return self.by_mail.total if self.by_mail and self.left_out is None else 0

    @property
    def is_sent(self) -> bool:
        """Whether it is sent; a public update always is."""
        return self.name == Audience.PUBLIC or self.left_out is None


def name_targets(sheets: Sequence[TextPreview], channel: str) -> str:
    """Whom the texts reach, for the button that sends them: ``page, 212 subscribers and #help``.

    ``channel`` is what colleagues call their chat room; empty where nobody will hear of it.
    """
    named = [target for sheet in sheets for target in _targets(sheet, channel)]
    return _(" and ").join(filter(None, [", ".join(named[:-1]), *named[-1:]]))


def _targets(sheet: TextPreview, channel: str) -> list[str]:
    if sheet.name == Audience.PUBLIC:
        return _public_targets(sheet)
    if not sheet.recipients or not sheet.is_sent:
        return []
    if sheet.name == Audience.INTERNAL:
        is_named = sheet.recipients == 1 and channel
        return [
            channel
            if is_named
            else ngettext("%(num)s chat room", "%(num)s chat rooms", sheet.recipients)
        ]
    if sheet.is_drill:
        return [_drill_addresses(sheet.recipients)]
    return [ngettext("%(num)s customer", "%(num)s customers", sheet.recipients)]


def _public_targets(sheet: TextPreview) -> list[str]:
    if sheet.is_drill:
        return [_drill_addresses(sheet.mailed)] if sheet.mailed else []
    mailed = ngettext("%(num)s subscriber", "%(num)s subscribers", sheet.mailed)
    return [_("page"), *([mailed] if sheet.mailed else [])]


def _drill_addresses(number: int) -> str:
    return ngettext("%(num)s drill address", "%(num)s drill addresses", number)


def mark(text: Text, audience: Audience) -> str:
    """A short name for a text, equal as long as it is the same; a subject counts in mails only."""
    subject = richtext.clean_line(text.subject) if audience is Audience.CUSTOMER else ""
    return sha256(f"{subject}\n{richtext.clean(text.body)}".encode()).hexdigest()[:16]


def make_sheet(draft: Draft, *, form: TextsForm, is_stale: bool) -> TextPreview:
    """What belongs to a text; its reading is the first customer's where it is a mail."""
    subject, _ = _as_read(draft, draft.as_sent)
    is_plain = draft.audience is Audience.INTERNAL
    return TextPreview(
        name=draft.audience.value,
        title=TITLES[draft.audience],
        subject=subject,
        reading=_show_gaps(_reading(draft)),
        is_plain=is_plain,
        why=draft.why,
        recipients=draft.recipients,
        suppressed=draft.suppressed,
        by_mail=draft.by_mail,
        edited=draft.edited,
        stale=is_stale,
        fell_back=draft.fell_back,
        missing=tuple(_gap(name, form) for name in draft.missing),
        wanted=tuple(_gap(name, form) for name in draft.wanted),
        remarks=remarks_on(draft.text, draft.findings),
        is_held=bool(blocking(draft.findings)),
        changes=_changes(draft),
        mails=_mails(draft),
        is_drill=draft.is_drill,
        left_out=draft.left_out,
    )


def _reading(draft: Draft) -> Markup:
    """The text as it reads, with the places that the checks found."""
    if draft.audience is Audience.INTERNAL:
        return Markup("{}").format(draft.as_sent.body)

    def render(body: str) -> Markup:
        return richtext.to_html(_as_read(draft, Text(draft.text.subject, body))[1])

    reading = show_marked(draft.text.body, draft.findings, render)
    return render(f"**{DRILL_BANNER}**") + reading if draft.is_drill else reading


def _changes(draft: Draft) -> Markup | None:
    """What differs from what this audience was sent last; None where that was no such message.

    Another step has other sentences: all that would be shown is that it is another step.
    """
    if draft.before is None or not draft.is_like_before:
        return None
    if draft.audience is not Audience.CUSTOMER:
        return show_changes(draft.before.body, draft.as_sent.body)
    before, after = draft.before, draft.as_sent
    return show_changes(f"{before.subject}\n\n{before.body}", f"{after.subject}\n\n{after.body}")


def _as_read(draft: Draft, text: Text) -> tuple[str, str]:
    """Subject and body as the first customer reads them; anybody else, as they stand."""
    if draft.audience is not Audience.CUSTOMER or draft.finished is None:
        return text.subject, text.body
    reader = draft.readers[0] if draft.readers else Reader("", "", None)
    values = _values(draft.finished, reader)
    return fill_subject(text.subject, values), fill_text(text.body, values)


def _mails(draft: Draft) -> tuple[Mail, ...]:
    if draft.audience is not Audience.CUSTOMER or draft.finished is None:
        return ()
    return tuple(show_mail(draft.finished, reader) for reader in draft.readers)


def show_mail(composed: Composed, reader: Reader) -> Mail:
    """A finished mail that was not sent yet, as its reader will see it."""
    values = _values(composed, reader)
    version = composed.versions.get(_language_of(reader), {})
    html = fill_html(version.get("html", composed.html), values)
    return Mail(
        to=f"{reader.name} <{reader.email}>" if reader.name else reader.email,
        subject=fill_subject(version.get("subject", composed.subject), values),
        text=fill_text(version.get("text", composed.text), values),
        url=url_for("admin.mail_sheet", sheet=_serializer().dumps(html)),
        zone=_zone_of(reader),
    )


def _values(composed: Composed, reader: Reader) -> Mapping[str, str]:
    own, wanted = the_page(), _language_of(reader)
    language = wanted if wanted in composed.versions or own is None else own.language
    values = token_values(
        composed.moments, zone=_zone_of(reader), locale=language, name=reader.name
    )
    return {**values, "unsubscribe_url": current_links().unsubscribe("preview")}


def _language_of(reader: Reader) -> str:
    page = the_page()
    return nearest(reader.language, default=page.language if page else ENGLISH)


def _zone_of(reader: Reader) -> str:
    page = the_page()
    return reader.time_zone or (page.time_zone if page else "UTC")


def _gap(name: str, form: TextsForm) -> MissingFact:
    variable = VARIABLES.get(name)
    label = variable.meaning if variable else name.replace("_", " ")
    return MissingFact(label, name if name in form else "")


def _show_gaps(reading: Markup) -> Markup:
    """Tokens that nothing fills, marked so that nobody overlooks them."""

    def shown(match: re.Match[str]) -> str:
        variable = VARIABLES.get(match[1])
        meaning = variable.meaning.lower() if variable else match[1].replace("_", " ")
        return Markup('<mark class="gap">{}</mark>').format(meaning)

    return Markup(_GAP.sub(shown, str(reading)))  # the rest was escaped or sanitised before


# --- a mail in a frame ---------------------------------------------------------------------------


@admin.get("/mail")
def mail_sheet() -> ResponseReturnValue:
    """A mail that was not sent yet, as it would look; only what this service signed is shown."""
    try:
        html = _serializer().loads(request.args.get("sheet", ""))
    except BadData:
        raise NotFound from None
    return framed_mail(html)


def framed_mail(html: str) -> Response:
    """A mail's HTML for a frame of our own, under a policy that lets it do nothing."""
    answer = make_response(html)
    answer.headers["Content-Security-Policy"] = MAIL_POLICY
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_settings().secret_key, salt="mail that was not sent yet")
