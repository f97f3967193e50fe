"""What leads to colleagues and to their work: tickets, commits, rooms of chats, mailboxes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from statuspage.messages.checks.rule_types import CheckedText, Span, named, spans

_STANDARDS: Final = named(
    "UTF SHA ISO IEC RFC CVE COVID HTTP TLS SSL AES RSA IPV HTML ECMA USB MP X H GPT IEEE PCI SOC "
    "EN DIN ANSI BCP WCAG CSS ES MD HMAC FIPS NIST ITU A B C D E F G K M N O P Q R S T U V W Y Z "
    "UTC GMT CET CEST PST PDT EST EDT CST CDT MST MDT BST IST JST BASE PHP IE GB MB TB Q GEMINI "
    "CLAUDE OPUS SONNET LLAMA GROK SWE TOP AGPL GPL LGPL CC DALL WPA GSM LTE VAT UN PDF SAML TOTP "
    "NVMEOF CAT RJ M2 DVB H264 WEBP SM ID KB"
)
# Regions, quarters and halves that customers know: EU-1, Q4-2026.
_PLACES: Final = named(
    "EU US UK GB CA AU AP APAC EMEA LATAM NA SA JP IN DE FR NL IE SG HK BR ME AF CN KR IT ES SE CH "
    "AT FI NO DK PL WW EAST WEST NORTH SOUTH CENTRAL REGION ZONE AZ POP Q1 Q2 Q3 Q4 H1 H2 FY USW "
    "USE EUW USC SEV GPT4 R5 WAVE PHASE STEP TIER LEVEL PLAN"
)
_TICKET = re.compile(r"(?<![\w/-])(?P<team>[A-Z][A-Z0-9]{1,9})-(?P<number>\d{1,7})(?![\w-])")
# The usual names of teams and of their queues: in lower case too.
_TEAMS: Final = (
    "ops|infra|sre|devops|sysops|secops|netops|dba|plat|platform|payments?|pay|billing|chk|"
    "checkout|web|api|mob|mobile|eng|jira|inc|incident|bug|task|story|support|sup|helpdesk|"
    "desk|sd|itsm|prod|core|data|sec|net|sys|noc|tkt|ticket|cloud|backend|frontend|qa"
)
_LOWER_TICKET = re.compile(rf"(?<![\w/.@#-])(?:{_TEAMS})-\d{{2,7}}(?![\w.-]\w|\w|-)", re.IGNORECASE)
# A reader's own numbers: "order #100234", "error #1045".
_OWN_NUMBER = re.compile(
    r"(?:orders?|invoices?|bookings?|reservations?|refunds?|receipts?|payments?|transactions?|"
    r"shipments?|parcels?|deliver(?:y|ies)|accounts?|customers?|contracts?|polic(?:y|ies)|"
    r"errors?|codes?|version|article|page|step|option|part|number|no\.?|top|room|flight|train|"
    r"gate|bus|line|bestellung|rechnung|commande|facture|pedido|fatura|factura)"
    r"(?:\s(?:number|no\.?|nr\.?|id))?\s{0,2}[(“\"]?$",
    re.IGNORECASE,
)
_TICKETS: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"(?<!\w)(?:INC|CHG|PRB|RITM|SCTASK|TASK|REQ|CS|CASE|CR)[-_]?\d{4,12}(?!\w)",
         re.IGNORECASE),
        (
            r"(?<!\w)(?:ticket|issue|bug|case|incident|change(?: request)?|request|task|story|epic|"
            r"PR|MR|pull request|merge request|patch|jira|zendesk|servicenow|alert|runbook|"
            r"postmortem|RCA|monitor)(?: (?:no\.?|number|id|ref))?[ :#-]{1,3}\d{3,10}(?!\w)"
            r"(?![-/.:]\d)(?! ?(?:error|"
            r"response|user|customer|ms|minute|hour|percent|per\s|times)|%)",
            re.IGNORECASE,
        ),
        (r"(?<![\w.])(?:PR|MR|GH|CL) ?[#!-]?\d{2,8}(?!\w)", 0),
        (r"(?<![\w.!?])!\d{2,6}(?!\w)", 0),
        (r"(?<![\w/])(?:b|cl|go)/[\w-]{3,60}(?!\w)", 0),
        (r"(?<!\w)[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?!\w)", 0),
        (r"/(?:merge_requests|browse|tickets?)/[\w-]{1,60}", 0),
        # Ids of on-call and error-tracking services: PagerDuty's, Sentry's, Opsgenie's.
        (r"(?<!\w)(?:pagerduty|pager|opsgenie|victorops|xmatters|sentry|rollbar|bugsnag|"
         r"honeybadger|datadog|new relic|statuscake|pingdom|grafana|alertmanager)"
         r"(?:['’]s)?(?:\s(?:incident|alert|issue|event|monitor|page|error|id|ref|group|no\.?)){0,3}"
         r"\s?[:#]?\s?#?(?=[A-Z0-9-]{0,20}\d)[A-Z0-9][A-Z0-9-]{3,24}(?!\w)", re.IGNORECASE),
        (r"(?<![\w/])(?=[A-Z0-9]{0,13}\d)(?:Q[A-Z0-9]{12,13}|P[A-Z0-9]{6})(?!\w)", 0),
        (r"(?<![\w/-])[A-Z]{3,12}(?:-[A-Z]{2,12})?-(?!AZ\d)(?=[0-9A-Z]{0,4}[A-Z])(?=[0-9A-Z]{0,4}\d)"
         r"[0-9A-Z]{2,5}(?![\w-])", 0),
    )
)  # fmt: skip
_HASH_NUMBER = re.compile(r"(?<![\w&/=-])(?:[\w.-]{1,60}/[\w.-]{1,60})?#\d{2,8}(?!\w)")
_PUBLIC_ISSUE = re.compile(
    r"(?:https?://)?(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)/"
    r"[\w.-]{1,60}/[\w./-]{1,100}/(?:issues|pull|pull-requests|merge_requests|commits?|"
    r"discussions|tree|blob|actions|releases)/[\w./#-]{1,100}"
    r"|[\w.-]{3,60}\.[a-z]{2,10}/[\w./-]{0,80}/?issues/\d{1,9}(?!\w)"
)

# --- the source ----------------------------------------------------------------------------------

_COMMIT = re.compile(
    r"(?<![\w/.@#&?=:+-])(?=[0-9a-f]{0,11}\d[0-9a-f]{0,11}[a-f]|[0-9a-f]{0,11}[a-f][0-9a-f]{0,11}\d)"
    r"(?:[0-9a-f]{7,12}|[0-9a-f]{40}|[0-9a-f]{64})(?![\w-]|\.\w)"
)
_SOURCE: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (
            r"(?<!\w)(?:commit|sha|revision|rev|changeset|hash|build|release|deploy(?:ment)?)[ "
            r":#]{1,3}"
            r"(?=[0-9a-f]{0,39}\d)(?=[0-9a-f]{0,39}[a-f])[0-9a-f]{7,40}(?!\w)",
            re.IGNORECASE,
        ),
        (r"(?<!\w)(?:build|pipeline|job|workflow run|deploy(?:ment)?)\s?(?:no\.?|number|id)?\s?#?"
         r"\d{3,9}(?!\w)(?! ?(?:times|minutes|hours|ms|users|customers|per|%))", re.IGNORECASE),
        # Branches as they are named everywhere.
        (r"(?<![\w/.@:-])(?:hot-?fix|bug-?fix|fix|feat|feature|release|chore|revert|refactor|"
         r"rollback|experiment|spike|users?|dependabot|renovate|wip|cherry-pick|backport)/"
         r"(?=[\w./-]{0,80}[-_.\d])[\w][\w./-]{2,80}", 0),
        (r"(?<![\w/])(?:origin|upstream)/[\w./-]{2,80}", 0),
        (r"(?<!\w)branch(?: is| was| named| called|:)?\s[\"“'`]?(?=[\w./-]{0,60}[-_/])"
         r"[\w][\w./-]{3,60}", re.IGNORECASE),
        # Images: registry/name:tag, name:v1.2.3-abc, name@sha256:….
        (r"(?<![\w@/:.-])(?:[\w.-]{1,80}(?::\d{2,5})?/){0,4}[a-z][a-z0-9._-]{2,60}:"
         r"(?:v?\d{1,4}(?:\.\d{1,6}){1,3}(?:[-+_.][\w.]{1,40}){0,3}|latest|stable|canary|"
         r"(?:sha|rc|build|main|master|prod|staging|release|git|dev)[-_.]?[\w.-]{1,40}|"
         r"\d{6,8}[-_.][\w.-]{1,40}|[0-9a-f]{7,40})(?![\w:])", 0),
        (r"(?<!\w)[\w./-]{2,120}@sha256:[0-9a-f]{6,64}|(?<!\w)sha256:[0-9a-f]{8,64}", 0),
        (r"(?<![\w.])(?:[\w-]{1,40}\.){1,4}(?:gcr\.io|pkg\.dev|azurecr\.io)/\S{3,120}"
         r"|(?<![\w.])(?:gcr|ghcr|quay|docker)\.io/\S{3,120}"
         r"|(?<!\w)\d{12}\.dkr\.ecr\.\S{5,160}", 0),
        (r"(?<![\w.-])v?\d{1,3}\.\d{1,4}\.\d{1,6}[-+](?:g|sha\.?|build\.?|rc\.?\d{0,3}\.)?"
         r"[0-9a-f]{6,40}(?!\w)", 0),
    )
)  # fmt: skip

# --- colleagues ----------------------------------------------------------------------------------

_HANDLE = re.compile(r"(?<![\w.@/+-])@[A-Za-z][\w.-]{1,40}(?![\w/])|<[@!#][^>\s]{1,80}>")
_CHANNEL = re.compile(r"(?<![\w&/#=\[-])#[a-z][a-z0-9_-]{2,60}(?![\w-])")
# "The inc-payments channel", "in the war-room channel on Slack".
_NAMED_ROOM = re.compile(
    r"(?<![\w#/-])(?P<room>[a-z][a-z0-9]{1,30}(?:[-_][a-z0-9]{1,30}){1,5})\s(?:slack\s|teams\s|"
    r"discord\s|chat\s|mattermost\s)?(?:channel|chat|room|thread|bridge)(?!\w)"
    r"|(?<!\w)(?:slack|teams|mattermost|chat)\s(?:channel|room|thread)\s(?:is\s|called\s|named\s)?"
    r"[\"“'`#]?(?P<named>[a-z][a-z0-9]{1,30}(?:[-_][a-z0-9]{1,30}){0,5})(?![\w-])",
    re.IGNORECASE,
)
_PUBLIC_ROOMS: Final = re.compile(
    r"(?:e|real|multi|omni|cross|voice|live|web|in|one|two|three|group|private|public|video|"
    r"text|sales|stage|high|low|new|release|long|top|non|pre|sub|side|news?|per)[-_].{0,60}"
    r"|.{0,60}[-_](?:time|to-?one|based|side|user|party|way|end|only|level|quality|alpha|channel)",
    re.IGNORECASE,
)
_MAIL = re.compile(
    r"(?<![\w.+/-])(?P<box>[\w.+-]{1,64})@(?!v\d|latest|main|master)"
    r"(?:[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}|(?<=root@)[\w-]{1,63}|(?<=admin@)[\w-]{1,63}|"
    r"(?<=deploy@)[\w-]{1,63}|(?<=postgres@)[\w-]{1,63}|(?<=ubuntu@)[\w-]{1,63})"
)
# Desks, in the languages that pages are written in: no mailbox of one person has these inside.
_DESKS: Final = (
    "support|help|desk|info|contact|kontakt|contato|contacto|hello|hallo|hola|bonjour|security|"
    "privacy|sales|vertrieb|ventes|ventas|vendas|billing|invoice|rechnung|account|status|reply|"
    "press|presse|prensa|legal|abuse|service|servico|servicio|feedback|care|client|kunden|customer|"
    "team|office|admin@|admissions|library|warehouse|business|cloud|community|partner|careers|jobs|"
    "news|update|notif|alert|mail|post@|order|shop|store|return|refund|finance|accounting|hr@|dpo|"
    "data|datenschutz|compliance|trust|safety|report|incident|outage|registrar|environment|"
    "research|hotline|operator|webmaster|postmaster|hostmaster|marketing|events|booking|"
    "reservation|delivery|shipping|logisti|export|import|question|ask|enquir|inquir|beta|"
    "developer|devrel|api|soporte|suporte|aide|assist|ayuda|ajuda|hilfe|atendimento|atencion|"
    "bestell|buchhaltung|facturacion|facturation|financeiro|comercial|commercial|comptab|"
    "noc|cert|psirt|csirt|emergency|maintenance|success|onboarding|training|education|academy|"
    "eco|facilit|general|main@|all@|public|media|unsubscribe|subscri|bounce|donotreply|gdpr|rgpd"
)
_DESK = re.compile(rf"(?:{_DESKS})", re.IGNORECASE)


def find_tickets(checked: CheckedText) -> Iterator[Span]:
    """Tickets, changes, alerts, and ids that lead to them."""
    text = checked.text
    for found in _TICKET.finditer(text):
        team = found["team"]
        if team not in _STANDARDS and team not in _PLACES and not text.startswith("-", found.end()):
            yield Span(*found.span())
    yield from spans(_LOWER_TICKET, text)
    for found in _HASH_NUMBER.finditer(text):
        if not _OWN_NUMBER.search(text, max(0, found.start() - 40), found.start()):
            yield Span(*found.span())
    for pattern in _TICKETS:
        yield from spans(pattern, text)


def find_public_issues(checked: CheckedText) -> Iterator[Span]:
    """Issues and changes on a public forge: another's, or ours that nobody should see."""
    return spans(_PUBLIC_ISSUE, checked.text)


def find_source(checked: CheckedText) -> Iterator[Span]:
    """Commits, branches, images, builds."""
    yield from spans(_COMMIT, checked.text)
    for pattern in _SOURCE:
        yield from spans(pattern, checked.text)


def find_handles(checked: CheckedText) -> Iterator[Span]:
    """``@handles``, rooms of a chat, and addresses of single people."""
    ours = _public_handles(checked)
    for pattern in (_HANDLE, _CHANNEL):
        for found in pattern.finditer(checked.text):
            name = re.sub(r"[\W_]", "", found[0]).casefold()
            if name in _FOR_EVERYBODY or _DOMAIN_NAME.search(found[0]):
                continue
            if not any(one in name or name in one for one in ours if len(name) > 3):
                yield Span(*found.span())
    for found in _NAMED_ROOM.finditer(checked.text):
        group = "room" if found["room"] else "named"
        if not _PUBLIC_ROOMS.fullmatch(found[group]):
            yield Span(*found.span(group))
    for found in _MAIL.finditer(checked.text):
        if not _DESK.search(f"{found['box']}@"):
            yield Span(*found.span())


def _public_handles(checked: CheckedText) -> set[str]:
    """Names that the company has in public: “@acmestatus”, “#acmedown”."""
    public = checked.facts.public
    names = (public.service, public.sign_off, *(name for name, _ in public.components))
    words = {re.sub(r"[\W_]", "", name).casefold() for name in names}
    words |= {word.casefold() for name in names for word in re.findall(r"[A-Za-z0-9]{4,}", name)}
    return {word for word in words if len(word) >= 4} - _TOO_COMMON


_FOR_EVERYBODY: Final = named("everyone everyones all you me")
_DOMAIN_NAME = re.compile(r"\.(?:com|org|net|edu|gov|io|co|ai|dev|app|eu|de|fr|es|br|jp|uk)$")
_TOO_COMMON: Final = named(
    "incidents incident payments payment database search login checkout support alerts oncall "
    "orders team room channel here everyone status service"
)
