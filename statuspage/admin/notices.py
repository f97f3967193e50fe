"""Notices on the public page that are no incident: post, change and end them."""

from __future__ import annotations

from typing import Final

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import BooleanField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, show_moment, zone
from statuspage.admin.forms import EditForm, LineField, NameField, ProseField, read_number
from statuspage.admin.marked_texts import _
from statuspage.admin.second_language import (
    SecondTextsForm,
    asks_for_second,
    translations_as_shown,
)
from statuspage.admin.time_fields import MomentField
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.incidents.notices import (
    NoticeDetails,
    change_notice,
    details_of,
    has_ended,
    listed_notices,
    post_notice,
)
from statuspage.incidents.notices import end_notice as end
from statuspage.models import PublicNotice
from statuspage.recipients import who_receives

PAGE_SIZE: Final = 25


@asks_for_second({"title": N_("Title"), "body": N_("Text")})
class NoticeForm(SecondTextsForm, EditForm):
    """A notice."""

    title = NameField(N_("Title"), needed=N_("Say in a few words what it is about"))
    body = ProseField(N_("Text"), needed=N_("Write what people should read"), render_kw={"rows": 5})
    begins_at = MomentField(N_("Starts"))
    ends_at = MomentField(N_("Ends"))
    is_pinned = BooleanField(N_("Pin to the top of the page"))
    in_feeds = BooleanField(N_("Show in feeds too"))
    emails_subscribers = BooleanField(N_("Email subscribers"))
    posts_to_chat = BooleanField(N_("Post it to chat"))
    because = LineField(N_("Publish anyway because"))

    def details(self) -> NoticeDetails:
        """The notice as typed, in whole minutes, as the fields hold them."""
        this_minute = clock.now().replace(second=0, microsecond=0)
        return NoticeDetails(
            title=self.title.data,
            body=self.body.data,
            begins_at=self.begins_at.data or this_minute,
            ends_at=self.ends_at.data,
            is_pinned=self.is_pinned.data,
            in_feeds=self.in_feeds.data,
            emails_subscribers=self.emails_subscribers.data,
            posts_to_chat=self.posts_to_chat.data,
            translations=self.translations(),
        )


@admin.get("/notices")
def notices() -> ResponseReturnValue:
    """A page of notices: what the page says and what is to come, then what it said."""
    number = max(1, request.args.get("page", 1, type=read_number))
    found = listed_notices(current_session(), most=PAGE_SIZE + 1, after=(number - 1) * PAGE_SIZE)
    shown = found[:PAGE_SIZE]
    return page(
        "admin/notices.html",
        current=[notice for notice in shown if not has_ended(notice)],
        over=[notice for notice in shown if has_ended(notice)],
        number=number,
        has_more=len(found) > PAGE_SIZE,
    )


@admin.route("/notices/new", methods=["GET", "POST"])
def new_notice() -> ResponseReturnValue:
    """Post a notice, now or at its start."""
    form = NoticeForm.read(zone=zone())
    if form.is_accepted():
        with form.refusals():
            posted = post_notice(
                form.details(), because=form.because.data, form_key=form.form_key.data or "",
                actor=actor(),
            )  # fmt: skip
            return done(_where(posted), "admin.notices")
    return _form(form, None)


@admin.route("/notices/<code>", methods=["GET", "POST"])
def notice(code: str) -> ResponseReturnValue:
    """Change a notice that is not over."""
    found = _find(code)
    stored = details_of(found)
    form = NoticeForm.read(stored, zone=zone(), **translations_as_shown(stored.translations))
    if form.is_accepted():
        with form.refusals():
            change_notice(
                code, form.details(), because=form.because.data, seen=form.seen.data, actor=actor()
            )
            return done(_where(_find(code)), "admin.notices")
    return _form(form, found)


@admin.post("/notices/<code>/end")
def end_notice(code: str) -> ResponseReturnValue:
    """Take a notice off the page, or see that it never comes on it."""
    _find(code)
    end(code, actor=actor())
    is_withdrawn = _find(code).is_withdrawn
    notice = _("The notice is withdrawn.") if is_withdrawn else _("The notice is off the page.")
    return done(notice, "admin.notices")


def _find(code: str) -> PublicNotice:
    found = current_session().scalars(select(PublicNotice).filter_by(code=code)).one_or_none()
    return found or abort(404)


def _form(form: NoticeForm, found: PublicNotice | None) -> ResponseReturnValue:
    return page(
        "admin/notice.html",
        form=form,
        notice=found,
        is_over=found is not None and has_ended(found),
        readers=who_receives.count_notice_readers(current_session()),
    )


def _where(posted: PublicNotice) -> str:
    """Where it can be read now, and from when on; who is notified."""
    if posted.begins_at > clock.now():
        where = _(
            "Saved. It’s on the page from %(show_moment)s.",
            show_moment=show_moment(posted.begins_at),
        )
    else:
        where = (
            _("It’s on the page and in the feeds.") if posted.in_feeds else _("It’s on the page.")
        )
    if posted.notified_at is not None:
        return where
    told = [_("Subscribers get an email.")] if posted.emails_subscribers else []
    told += [_("Colleagues are notified in chat.")] if posted.posts_to_chat else []
    return " ".join([where, *told])
