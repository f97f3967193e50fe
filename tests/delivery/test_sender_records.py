"""The records of a sender's domain, asked of a name server on this machine."""

from __future__ import annotations

from collections.abc import Mapping

import dns.resolver
import pytest

from statuspage.delivery.sender_records import NameServerSilent, SenderRecord, sender_records
from tests.fakes.names import NameServer

DOMAIN = "mail.example.com"
GOOD: Mapping[tuple[str, str], list[str]] = {
    (DOMAIN, "TXT"): ['"v=spf1 include:sendgrid.net -all"', '"something=else"'],
    (DOMAIN, "MX"): ["10 mx.example.com."],
    (f"s1._domainkey.{DOMAIN}", "TXT"): ['"k=rsa; t=s; p=MIGf"'],
    (f"_dmarc.{DOMAIN}", "TXT"): ['"v=DMARC1; p=reject"'],
}


def look_up(changes: Mapping[tuple[str, str], list[str]]) -> dict[str, SenderRecord]:
    with NameServer({**GOOD, **changes}) as server:
        found = sender_records(DOMAIN, resolver=server.resolver())
    return {record.kind: record for record in found}


def test_a_domain_with_all_its_records_is_good() -> None:
    assert look_up({}) == {
        "SPF": SenderRecord("SPF", True, "v=spf1 include:sendgrid.net -all"),
        "DKIM": SenderRecord("DKIM", True, f"a key is published at s1._domainkey.{DOMAIN}"),
        "DMARC": SenderRecord("DMARC", True, f"_dmarc.{DOMAIN} says reject"),
        "MX": SenderRecord("MX", True, "replies and bounces go to mx.example.com"),
    }


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], f"{DOMAIN} has no SPF record"),
        (['"v=spf1 -all"', '"v=spf1 mx -all"'], "2 SPF records, which counts as none"),
        (['"v=spf1 mx +all"'], "lets everybody send"),
        (['"v=spf1 mx"'], "has no end"),
        (['"v=spf1 ' + "include:x.example " * 11 + '-all"'], "needs 11 look-ups"),
        (['"v=spf10 -all"'], "has no SPF record"),
    ],
)
def test_an_spf_record_that_receivers_do_not_count_is_named(records: list[str], said: str) -> None:
    spf = look_up({(DOMAIN, "TXT"): records})["SPF"]
    assert (spf.is_good, said in spf.says) == (False, True)


def test_a_key_that_is_revoked_or_nowhere_is_named() -> None:
    revoked = look_up({(f"s1._domainkey.{DOMAIN}", "TXT"): ['"v=DKIM1; p="']})["DKIM"]
    assert (revoked.is_good, "is revoked" in revoked.says) == (False, True)
    missing = look_up({(f"s1._domainkey.{DOMAIN}", "TXT"): []})["DKIM"]
    assert (missing.is_good, "no key was found under s1, s2" in missing.says) == (False, True)


def test_the_policy_of_the_domain_above_counts_where_there_is_none_of_its_own() -> None:
    above = {
        (f"_dmarc.{DOMAIN}", "TXT"): [],
        ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=reject; sp=quarantine"'],
    }
    assert look_up(above)["DMARC"].says == "_dmarc.example.com says quarantine"


@pytest.mark.parametrize(
    ("records", "is_good", "said"),
    [
        (['"v=DMARC1; p=none"'], True, "only watches (p=none)"),
        (['"v=DMARC1; rua=mailto:a@example.com"'], False, "has no policy"),
        (['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'], False, "2 DMARC records"),
        ([], False, f"{DOMAIN} has no DMARC record"),
    ],
)
def test_a_policy_that_does_little_is_named(records: list[str], is_good: bool, said: str) -> None:
    dmarc = look_up({(f"_dmarc.{DOMAIN}", "TXT"): records})["DMARC"]
    assert (dmarc.is_good, said in dmarc.says) == (is_good, True)


@pytest.mark.parametrize("hosts", [[], ["0 ."]])
def test_a_domain_that_takes_no_mail_is_named(hosts: list[str]) -> None:
    assert not look_up({(DOMAIN, "MX"): hosts})["MX"].is_good


def test_silence_is_not_taken_for_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise dns.resolver.NoNameservers

    resolver = dns.resolver.Resolver(configure=False)
    monkeypatch.setattr(resolver, "resolve", resolve)
    with pytest.raises(NameServerSilent, match=DOMAIN):
        sender_records(DOMAIN, resolver=resolver)


def test_a_machine_without_name_servers_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_servers() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", no_servers)
    with pytest.raises(NameServerSilent, match=DOMAIN):
        sender_records(DOMAIN)
