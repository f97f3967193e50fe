"""Planted leaks: what people under stress paste into public texts, of every kind, made by chance.

They are written down from what such things look like where they come from (machines, trackers,
logs, vaults), not from what the checks look for.
"""

from __future__ import annotations

import random
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from statuspage.messages.checks import BlockedTerms
from statuspage.messages.facts import Facts, InternalFacts, PublicFacts

Chance = random.Random

FRAMES = (
    "Payments fail. We are looking at {}.",
    "The problem lies with {}, and we are on it.",
    "{} is not responding.",
    "We have restarted {}. Thank you for your patience.",
    "Update: checkout is slow.\n\nWe traced it to {} and are working on a fix.",
    "Some of you cannot sign in ({}).",
    "See {} for more.",
    "- Login works\n- Search does not: {}\n- Everything else is fine",
    "**Identified:** {}",
    "The team found that `{}` was the reason.",
)
NAMES = (
    "Priya Raman", "Tomasz Wojcik", "Mei Lin", "Oluwaseun Adeyemi", "Sara O'Neill", "Jürgen Groß",
    "Anne-Marie Dubois", "Mark Stone", "Chiara Rossi", "Kenji Watanabe",
)  # fmt: skip
VENDORS = ("Brightpay", "Nimbus Hosting", "Cloudbridge", "Acme-Telecom", "DataFox GmbH", "Zentra")
CODE_NAMES = ("Falcon", "Project Nightingale", "Blue Harvest", "Kraken v2", "Tortoise", "MOONSHOT")
INTERNAL = (
    ("technical_cause", "The connection pool on pgbouncer ran dry after the 3.14.2 release"),
    ("technical_cause", "A missing index on order_items made every checkout scan the table"),
    ("suspected_cause", "An expired intermediate certificate on the payment gateway"),
    ("current_actions", "Restoring the snapshot from last night while replaying the write log"),
    ("next_steps", "Turn off the recommendation engine and drain the queue by hand"),
    ("users_affected", "About 12,480 carts, nine of the top ten accounts among them"),
    ("progress", "Two of five shards are back, the third keeps losing its quorum"),
    ("references", "Dashboard Payments Overview, change request from Tuesday night"),
    ("chat_channel", "#inc-payments-0304"),
    ("war_room", "https://call.example-rooms.com/payments"),
    ("commander", "Noor van Dijk (@noor)"),
    ("severity", "SEV1"),
)  # fmt: skip


@dataclass(frozen=True)
class Leak:
    """A text that gives something away, and what this company keeps to itself."""

    kind: str
    secret: str
    text: str
    own: BlockedTerms = field(default_factory=BlockedTerms)
    facts: Facts = field(default_factory=lambda: facts())


def facts(**internal: str) -> Facts:
    """What is known: little in public, and within the company what is given."""
    public = PublicFacts(
        service="Acme", page_url="https://status.acme-shop.com/", title="Payments fail"
    )
    return replace(Facts(public), internal=InternalFacts(**internal))  # type: ignore[arg-type]


def planted(count: int, *, seed: int) -> Iterator[Leak]:
    """So many leaks, every kind in turn."""
    chance = Chance(seed)
    kinds = list(KINDS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield from _plant(kind, chance)


def _plant(kind: str, chance: Chance) -> Iterator[Leak]:
    frame = chance.choice(FRAMES)
    if kind == "internal fact":
        name, value = chance.choice(INTERNAL)
        said = _part_of(value, chance) if name not in {"chat_channel", "war_room"} else value
        said = said.split(" (@")[0]
        yield Leak(kind, said, frame.format(said), facts=facts(**{name: value}))
        return
    secret = KINDS[kind](chance)
    own = BlockedTerms(vendors=VENDORS, code_names=CODE_NAMES, contacts=NAMES)
    yield Leak(kind, secret, frame.format(secret), own=own)


def _part_of(value: str, chance: Chance) -> str:
    """A stretch of at least seven words, or all of a short one; perhaps cased otherwise."""
    words = value.split()
    length = chance.randint(min(7, len(words)), len(words))
    start = chance.randint(0, len(words) - length)
    said = " ".join(words[start : start + length])
    return said[0].lower() + said[1:] if chance.random() < 0.3 and length > 2 else said


# --- kinds ---------------------------------------------------------------------------------------


def _letters(chance: Chance, length: int, alphabet: str = string.ascii_letters) -> str:
    return "".join(chance.choice(alphabet) for _ in range(length))


ROLES = (
    "db web app api cache redis kafka postgres mysql worker node queue lb proxy auth elastic mongo "
    "search build ci mail gw bastion rabbitmq"
)
HEX = "0123456789abcdef"
LOWER = string.ascii_lowercase
MIXED = string.ascii_letters + string.digits


def _host(chance: Chance) -> str:
    role = chance.choice(ROLES.split())
    number = chance.choice((str(chance.randint(1, 40)), f"{chance.randint(1, 40):02d}"))
    stage = chance.choice(("prod", "stg", "staging", "prd", "live"))
    company = chance.choice(("acme.com", "acme-shop.com", "acme.io", "acme.co.uk", "acmecorp.net"))
    site = chance.choice(("fra1", "eu-west-1", "us-east-2", "ams", "dc2", "nyc3"))
    shapes: tuple[Callable[[], str], ...] = (
        lambda: f"{role}-{number}",
        lambda: f"{role}{number}.{site}.{company}",
        lambda: f"{stage}-{role}-{number}",
        lambda: f"{role}-{stage}-{site}-{number}",
        lambda: f"{role}.{stage}.{company}",
        lambda: f"{role}-{number}.internal",
        lambda: f"{chance.choice(('checkout', 'billing', 'orders'))}.svc.cluster.local",
        lambda: f"{chance.choice(('nas', 'printer', 'wiki', 'files'))}.corp.{company}",
        lambda: f"{chance.choice(('intranet', 'files', 'ldap'))}.{chance.choice(('local', 'lan'))}",
        lambda: "ip-{}-{}-{}-{}.ec2.internal".format(
            10, *(chance.randint(0, 255) for _ in range(3))
        ),
        lambda: f"shop-{_letters(chance, 10, HEX)}-{_letters(chance, 5, LOWER)}",
        lambda: f"acme-{stage}.c{_letters(chance, 11, HEX)}.eu-west-1.rds.amazonaws.com",
        lambda: f"{chance.choice(('grafana', 'jenkins', 'kibana', 'vault', 'argocd'))}.{company}",
        lambda: f"https://{chance.choice(('grafana', 'jira'))}.{company}/d/{_letters(chance, 8)}",
        lambda: f"SRV-{role.upper()}-{number}",
        lambda: f"i-0{_letters(chance, 16, HEX)}",
    )  # fmt: skip
    return chance.choice(shapes)()


def _file(chance: Chance) -> str:
    name = chance.choice(
        ("checkout", "payment_service", "orders-worker", "app", "settings", "Cart")
    )
    shapes = (
        f"/var/log/{name}/error.log",
        f"/etc/{name}/{name}.conf",
        f"/opt/acme/releases/{chance.randint(10, 400)}/{name}",
        "/home" + f"/deploy/{name}.sh",
        f"/srv/www/{name}/config/database.yml",
        f"{name}.{chance.choice(('py', 'rb', 'java', 'go', 'php', 'cs', 'ts'))}",
        f"src/main/java/com/acme/{name}.java:{chance.randint(3, 900)}",
        f"{name}.{chance.choice(('yaml', 'yml', 'toml', 'ini', 'env', 'conf', 'properties'))}",
        f"{name}_{chance.randint(1, 9)}.sql",
        f"C:\\Program Files\\Acme\\{name}.dll",
        f"C:\\inetpub\\wwwroot\\{name}",
        f"\\\\fileserver\\share\\{name}.bak",
        f"~/.ssh/{name}_rsa",
        f"terraform/{name}/main.tf",
        f"/data/pg/base/{chance.randint(10000, 99999)}",
        f"backup-{name}.tar.gz",
        f"{name}.jar",
    )
    return chance.choice(shapes)


def _address(chance: Chance) -> str:
    byte = lambda: chance.randint(0, 255)  # noqa: E731
    v4 = chance.choice(
        (
            f"10.{byte()}.{byte()}.{byte()}",
            f"192.168.{byte()}.{byte()}",
            f"172.{chance.randint(16, 31)}.{byte()}.{byte()}",
            f"127.0.0.{chance.randint(1, 254)}",
            f"169.254.{byte()}.{byte()}",
            f"100.{chance.randint(64, 127)}.{byte()}.{byte()}",
        )
    )
    group = lambda: _letters(chance, chance.randint(1, 4), HEX)  # noqa: E731
    shapes = (
        v4,
        f"{v4}:{chance.randint(80, 65000)}",
        f"http://{v4}/health",
        f"10.{byte()}.0.0/16",
        f"fd{_letters(chance, 2, HEX)}:{group()}:{group()}::{group()}",
        f"fe80::{group()}:{group()}:{group()}:{group()}",
        "::1",
        f"root@{v4}",
    )
    return chance.choice(shapes)


def _ticket(chance: Chance) -> str:
    number = chance.randint(100, 99999)
    team = chance.choice(("OPS", "INFRA", "PAY", "SRE", "CHK", "PLAT", "WEB", "DEVOPS", "SUP"))
    shapes = (
        f"{team}-{number}",
        f"INC{chance.randint(10**6, 10**7 - 1):07d}",
        f"CHG00{number:05d}",
        f"ticket #{number}",
        f"ticket {number}",
        f"JIRA {team}-{number}",
        f"PR #{number}",
        f"pull request {number}",
        f"https://acme.atlassian.net/browse/{team}-{number}",
        f"https://github.com/acme/shop/issues/{number}",
        f"acme/shop#{number}",
        f"!{number}",
        f"commit {_letters(chance, 5, HEX)}{chance.randint(0, 9)}f",
        f"bug {number}",
        f"https://acme.pagerduty.com/incidents/Q{_letters(chance, 10, string.ascii_uppercase)}",
    )
    return chance.choice(shapes)


def _handle(chance: Chance) -> str:
    name = chance.choice(("priya", "tomasz.w", "mei_lin", "seun", "jgross", "k-watanabe", "dba42"))
    shapes = (
        f"@{name}",
        "@here",
        "@channel",
        "@oncall-payments",
        f"<@U{_letters(chance, 9, string.ascii_uppercase + string.digits)}>",
        "<!channel>",
        f"#{chance.choice(('incidents', 'inc-payments', 'sre-oncall', 'war-room', 'db_alerts'))}",
        f"{name}@acme.com",
        f"https://acme.slack.com/archives/C{_letters(chance, 9, string.ascii_uppercase)}",
        f"https://zoom.us/j/{chance.randint(10**9, 10**10)}",
    )
    return chance.choice(shapes)


def _trace(chance: Chance) -> str:
    line = chance.randint(3, 900)
    shapes = (
        "Traceback (most recent call last):",
        f'File "/app/checkout/views.py", line {line}, in post',
        f"at com.acme.checkout.Cart.total(Cart.java:{line})",
        "java.lang.NullPointerException",
        "TypeError: Cannot read properties of undefined (reading 'id')",
        f"at Object.<anonymous> (/app/server.js:{line}:13)",
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "psycopg2.OperationalError: could not connect to server: Connection refused",
        "ORA-12541: TNS:no listener",
        "SQLSTATE[HY000] [2002] Connection refused",
        "System.NullReferenceException: Object reference not set",
        f"NoMethodError (undefined method `total' for nil:NilClass) cart.rb:{line}:in `sum'",
        "connect ECONNREFUSED",
        "OOMKilled",
        "CrashLoopBackOff",
        "Segmentation fault (core dumped)",
        "thread 'main' panicked at 'called Option::unwrap() on a None value'",
        "FATAL: remaining connection slots are reserved",
        "Caused by: org.hibernate.exception.JDBCConnectionException",
        "SELECT * FROM orders WHERE paid = 0",
        "PHP Fatal error: Uncaught Error: Call to a member function",
        "2026-03-04 12:00:01,123 ERROR checkout failed",
        "exit code 137",
        "goroutine 42 [running]:",
        "requests.exceptions.ReadTimeout",
    )
    return chance.choice(shapes)


def _secret(chance: Chance) -> str:
    word = _letters(chance, 5, string.ascii_lowercase)
    password = f"{word.title()}{chance.randint(10, 99)}{chance.choice('!#$%')}"
    token = _letters(chance, 40, MIXED)
    json = lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("=")  # noqa: E731
    shapes = (
        f"AKIA{_letters(chance, 16, string.ascii_uppercase + string.digits)}",
        f"ghp_{_letters(chance, 36, MIXED)}",
        f"glpat-{_letters(chance, 20, MIXED)}",
        f"xoxb-{chance.randint(10**11, 10**12)}-{_letters(chance, 24, MIXED)}",
        f"sk_live_{_letters(chance, 24, MIXED)}",
        f"AIza{_letters(chance, 35, MIXED)}",
        f"SG.{_letters(chance, 22, MIXED)}.{_letters(chance, 43, MIXED)}",
        f"password: {password}",
        f"the password is {password}",
        f"password={word}",
        f"api_key={_letters(chance, 24, HEX)}",
        f"token: {_letters(chance, 16, MIXED)}7a",
        f"postgres://shop:{password}@db.acme.com:5432/orders",
        f"redis://:{word}@cache:6379/0",
        f"mongodb+srv://app:{password}@cluster0.acme.mongodb.net",
        f"Server=sql1;Database=orders;User Id=sa;Password={password};",
        f"jdbc:mysql://sql1:3306/shop?user=root&password={word}",
        ".".join((json('{"alg":"HS256","typ":"JWT"}'), json('{"sub":"1234"}'), token)),
        f"-----BEGIN RSA PRIVATE KEY-----\n{_letters(chance, 64, MIXED)}\n"
        "-----END RSA PRIVATE KEY-----",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{_letters(chance, 64, MIXED)}",
        f"Authorization: Bearer {token}",
        f"Authorization: Basic {b64encode(f'admin:{password}'.encode()).decode()}",
        f"ssh-rsa {_letters(chance, 80, MIXED)}",
        f"https://hooks.slack.com/services/T{_letters(chance, 8, string.ascii_uppercase)}/B00/"
        f"{_letters(chance, 24, MIXED)}",
        f"AWS_SECRET_ACCESS_KEY={token}",
        f"DB_PASSWORD={password}",
        _letters(chance, 40, HEX),
        token,
        f"npm_{_letters(chance, 36, MIXED)}",
        f"https://admin:{password}@acme.com/",
        f"dckr_pat_{_letters(chance, 27, MIXED)}",
        f"hvs.{_letters(chance, 24, MIXED)}",
    )
    return chance.choice(shapes)


def _person(chance: Chance) -> str:
    name = chance.choice(NAMES)
    first, _, last = name.partition(" ")
    return chance.choice((name, name, name.upper(), f"{name}'s laptop", f"colleague {first}", last))


def _vendor(chance: Chance) -> str:
    name = chance.choice(VENDORS)
    return chance.choice(
        (name, name.lower(), name.upper(), f"our provider {name}", f"{name}'s API")
    )


def _code_name(chance: Chance) -> str:
    name = chance.choice(CODE_NAMES)
    return chance.choice((name, name.lower(), f"the {name} rollout", f"{name}'s database"))


KINDS: dict[str, Callable[[Chance], str]] = {
    "host": _host,
    "file": _file,
    "private address": _address,
    "ticket": _ticket,
    "handle": _handle,
    "trace": _trace,
    "secret": _secret,
    "person": _person,
    "vendor": _vendor,
    "code name": _code_name,
    "internal fact": lambda _: "",
}
"""Each kind, and how one of it is made; an internal fact is taken from the incident."""
