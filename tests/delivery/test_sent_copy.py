"""A message as one person reads it: its tokens filled, each part in its own way."""

from __future__ import annotations

from statuspage.delivery.sent_copy import SentCopy, fill_copy

MOMENTS = {"started": "2026-03-04T12:00:00+00:00"}


def test_each_part_is_filled_for_whoever_reads_it() -> None:
    copy = fill_copy(
        "Since [[started]]", "[[greeting]]\n[[started]]", "<p>[[html:greeting]]</p>",
        moments=MOMENTS, zone="Europe/Berlin", name="Ada & Co",
    )  # fmt: skip
    assert copy == SentCopy(
        "Since Mar 4, 2026, 13:00 CET (UTC+1)",
        "Hello Ada & Co,\nMar 4, 2026, 13:00 CET (UTC+1)",
        "<p>Hello Ada &amp; Co,</p>",
    )


def test_a_link_that_nobody_has_stays_a_token() -> None:
    body = "[[unsubscribe_url]] [[manage_url]]"
    without = fill_copy("", body, "", moments={}, zone="UTC")
    with_one = fill_copy("", body, "", moments={}, zone="UTC", unsubscribe_url="https://a.org/u")
    assert (without.text, with_one.text) == (body, "https://a.org/u [[manage_url]]")
