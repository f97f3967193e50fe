"""Leaks as people write them, of every kind that its form or the product's own lists give away.

:mod:`tests.guards.leaks` plants what this product's makers thought of first; this set is wider, in
natural sentences, and varies form, place and case.  What is caught may be blocked or warned of.
"""

from __future__ import annotations

import random
import string
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Final

from stdnum import luhn

from statuspage.messages.checks import BlockedTerms
from tests.guards.leaks import Leak, facts

Chance = random.Random
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase
LOWER = string.ascii_lowercase
MIXED = string.ascii_letters + string.digits

# Places in a post: first, last, in brackets, after a list, in code, in a title's words.
FRAMES: Final = (
    "{}",
    "Update: {}",
    "We are still looking into failed payments. {} More at 15:30 UTC.",
    "Some orders are delayed. ({}) We apologize for the disruption.",
    "- Sign-in works again\n- {}\n- Search is slow",
    "**Identified.** {}\n\nThe next update follows by 16:00 UTC.",
    "Checkout was down for 20 minutes; {}",
    "Hello everyone,\n\n{}\n\nThe Acme team",
)
PEOPLE = ("Ilse Brandt", "Tariq Aziz", "Maeve O’Hara", "João Pires", "Wen Li")
CUSTOMERS = ("Umbrella Logistics AG", "Initech", "Soylent Foods", "Vandelay Imports", "Hooli GmbH")


def wild(count: int, *, seed: int) -> Iterator[Leak]:
    """So many leaks, every kind in turn."""
    chance = Chance(seed)
    names = list(KINDS)
    for number in range(count):
        kind = names[number % len(names)]
        sentence, secret = KINDS[kind]
        written = secret(chance)
        words = chance.choice(sentence)
        if chance.random() < 0.2:
            words = words[0].lower() + words[1:]
        said = words.format(written)
        own = BlockedTerms(contacts=PEOPLE, customers=CUSTOMERS)
        yield Leak(kind, written, chance.choice(FRAMES).format(said), own=own, facts=facts())


def _some(chance: Chance, length: int, alphabet: str = MIXED) -> str:
    return "".join(chance.choice(alphabet) for _ in range(length))


def _digits(chance: Chance, length: int) -> str:
    return _some(chance, length, string.digits)


def _word(chance: Chance) -> str:
    return chance.choice(("orders", "billing", "cart", "ledger", "refunds", "invoice", "stock"))


def _one_of(*shapes: Callable[[Chance], str]) -> Callable[[Chance], str]:
    return lambda chance: chance.choice(shapes)(chance)


def _password(chance: Chance) -> str:
    word = chance.choice(("Summer", "Welcome", "dragon", "Acme", "letmein", "hunter", "Qwertz"))
    return f"{word}{chance.randint(2, 2026)}{chance.choice(('', '!', '#', '$'))}"


def _iban(chance: Chance) -> str:
    country, account = chance.choice((("DE", 18), ("FR", 23), ("ES", 20), ("NL", 0), ("GB", 0)))
    if country == "NL":
        body = f"ABNA{_digits(chance, 10)}"
    elif country == "GB":
        body = f"WEST{_digits(chance, 14)}"
    elif country == "ES":
        bank, number = _digits(chance, 8), _digits(chance, 10)
        body = bank + _spanish("00" + bank) + _spanish(number) + number
    elif country == "FR":
        body = _digits(chance, 21)
        value = 89 * int(body[:5]) + 15 * int(body[5:10]) + 3 * int(body[10:])
        body += f"{97 - value % 97:02d}"
    else:
        body = _digits(chance, account)
    code = "".join(str(int(char, 36)) for char in f"{body}{country}00")
    iban = f"{country}{98 - int(code) % 97:02d}{body}"
    spaced = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
    return chance.choice((iban, spaced, spaced.lower() if country != "ES" else iban))


def _spanish(digits: str) -> str:
    weights = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
    rest = 11 - sum(int(a) * b for a, b in zip(digits, weights, strict=True)) % 11
    return str({10: 1, 11: 0}.get(rest, rest))


def _card(chance: Chance) -> str:
    start = chance.choice(("4", "51", "55", "6011"))
    body = start + _digits(chance, 15 - len(start))
    number = body + luhn.calc_check_digit(body)
    sign = chance.choice(("", " ", "-"))
    return sign.join(number[at : at + 4] for at in range(0, 16, 4))


def _telephone(chance: Chance) -> str:
    return chance.choice(
        (
            f"+49 30 {chance.randint(2, 8)}{_digits(chance, 6)}",
            f"+44 20 7946 0{_digits(chance, 3)}",
            f"+1 (415) 555-{chance.randint(2000, 9999)}",
            f"(212) 736-{chance.randint(2000, 9999)}",
            f"617-253-{chance.randint(1000, 9999)}",
            f"+33 1 42 68 {chance.randint(10, 99)} {chance.randint(10, 99)}",
            f"0049 40 {chance.randint(3, 8)}{_digits(chance, 6)}",
        )
    )


def _commit(chance: Chance) -> str:
    while True:
        found = _some(chance, chance.choice((7, 8, 10, 40)), HEX)
        if any(map(str.isdigit, found)) and any(map(str.isalpha, found)):
            return found


def _branch(chance: Chance) -> str:
    kind = chance.choice(("hotfix", "feature", "bugfix", "release", "fix", "chore"))
    return f"{kind}/{_word(chance)}-{chance.choice(('totals', 'v2', 'retry', 'pool-size', '2026'))}"


def _image(chance: Chance) -> str:
    name = f"{_word(chance)}-{chance.choice(('api', 'worker', 'web'))}"
    return chance.choice(
        (
            f"{name}:v{chance.randint(1, 9)}.{chance.randint(0, 40)}.{chance.randint(0, 9)}",
            f"registry.acme.io/{name}:{chance.randint(1, 9)}.{chance.randint(0, 40)}.2-rc1",
            f"{name}:sha-{_some(chance, 7, HEX)}",
            f"ghcr.io/acme/{name}:latest",
            f"{name}@sha256:{_some(chance, 16, HEX)}",
        )
    )


def _ticket(chance: Chance) -> str:
    team = chance.choice(("ops", "INFRA", "sre", "PAY", "plat", "Jira", "dba", "BUG", "secops"))
    return f"{team}-{chance.randint(20, 48000)}"


def _on_call(chance: Chance) -> str:
    return chance.choice(
        (
            f"PagerDuty incident Q{_some(chance, 6, UPPER + '0123456789')}{chance.randint(1, 9)}"
            f"{_some(chance, 6, UPPER + '0123456789')}",
            f"Opsgenie alert #{chance.randint(100, 9999)}",
            f"pagerduty incident #{chance.randint(1000, 99999)}",
            f"incident INC-{chance.randint(100, 9999)}",
        )
    )


def _tracker(chance: Chance) -> str:
    return chance.choice(
        (
            f"Sentry issue {_word(chance).upper()}-API-7{_some(chance, 2, UPPER)}",
            f"sentry issue {chance.randint(10**8, 10**10)}",
            f"Datadog monitor {chance.randint(10**6, 10**8)}",
            f"monitor #{chance.randint(10**5, 10**8)}",
            f"Rollbar item #{chance.randint(100, 9999)}",
        )
    )


def _dashboard(chance: Chance) -> str:
    host = chance.choice(
        ("metrics.acme.com", "logs.acme-shop.com", "observe.acme.io", "mon.acme.de")
    )
    return chance.choice(
        (
            f"https://{host}/d/{_some(chance, 9)}1/payments-overview",
            f"https://{host}/app/discover#/view/{_word(chance)}",
            f"{host}/app/kibana#/dashboard/{_word(chance)}",
            f"https://{host}/explore?left=%7B%22q%22%7D",
            f"https://{host}/job/{_word(chance)}-deploy/{chance.randint(2, 900)}/console",
            f"https://{host}/graph?g0.expr=up",
        )
    )


def _local(chance: Chance) -> str:
    name = f"{_word(chance)}-{chance.choice(('admin', 'api', 'svc'))}"
    return chance.choice(
        (
            f"http://{name}/health",
            "https://jenkins/job/deploy",
            f"http://localhost:{chance.randint(3000, 9999)}",
            f"localhost:{chance.randint(3000, 9999)}",
            f"http://{name}:8080/metrics",
            f"https://{name}.internal/status",
        )
    )


def _log_line(chance: Chance) -> str:
    word = _word(chance)
    return chance.choice(
        (
            f'level=error msg="{word} write failed" err="timeout"',
            f"2026-11-30T14:02:11.{_digits(chance, 3)}Z ERROR {word}: write failed",
            f'{{"level":"error","logger":"{word}","msg":"failed"}}',
            f"Nov 30 14:02:11 web7 {word}[{chance.randint(100, 9999)}]: worker died",
            f"ERROR: {word} could not be written",
            f"[error] {word} worker timed out",
            f'10.2.1.9 - - [30/Nov/2026:14:02:11 +0000] "GET /{word} HTTP/1.1" 500',
        )
    )


def _query(chance: Chance) -> str:
    word = _word(chance)
    said = chance.choice(
        (
            f"select * from {word} where paid = 0",
            f"select id, total from {word}_items where open = 1",
            f"select count(*) from {word}",
            f"update {word} set paid = 1 where id = 7",
            f"delete from {word} where created_at < now()",
            f"insert into {word} (id) values (1)",
            f"alter table {word} add column paid int",
            f'sum(rate({word}_total{{job="api"}}[5m]))',
        )
    )
    return chance.choice((said, said, said.upper() if "{" not in said else said))


def _frame(chance: Chance) -> str:
    word, line = _word(chance), chance.randint(3, 900)
    return chance.choice(
        (
            f'File "/srv/{word}/views.py", line {line}, in charge',
            f"at com.acme.{word}.Charge.run(Charge.java:{line})",
            f"{word}.py:{line}",
            f"{word.title()}Service.charge()",
            f"{word.title()}::Worker#perform",
            f"at Object.<anonymous> (/app/{word}.js:{line}:7)",
            f"#3 0x00007f{_some(chance, 8, HEX)} in {word}_run ()",
            f"{word}_charge_card()",
        )
    )


def _access_key(chance: Chance) -> str:
    return chance.choice(
        (
            f"AKIA{_some(chance, 16, UPPER + '234567')}",
            f"ASIA{_some(chance, 16, UPPER + '234567')}",
            f"AIza{_some(chance, 35)}",
            f"GOCSPX-{_some(chance, 28)}",
            f"ya29.{_some(chance, 60)}",
            f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={_some(chance, 60)}==",
            f"dop_v1_{_some(chance, 64, HEX)}",
        )
    )


def _provider_key(chance: Chance) -> str:
    return chance.choice(
        (
            f"sk_live_{_some(chance, 24)}",
            f"rk_live_{_some(chance, 24)}",
            f"SG.{_some(chance, 22)}.{_some(chance, 43)}",
            f"key-{_some(chance, 32, HEX)}",
            f"sk-proj-{_some(chance, 40)}",
            f"sk-ant-api03-{_some(chance, 40)}",
            f"shpat_{_some(chance, 32, HEX)}",
            f"NRAK-{_some(chance, 27, UPPER + string.digits)}",
            f"{_some(chance, 32, HEX)}-us14",
            f"AC{_some(chance, 32, HEX)}",
            f"whsec_{_some(chance, 32)}",
        )
    )


def _forge_token(chance: Chance) -> str:
    return chance.choice(
        (
            f"ghp_{_some(chance, 36)}",
            f"github_pat_{_some(chance, 50)}",
            f"glpat-{_some(chance, 20)}",
            f"npm_{_some(chance, 36)}",
            f"pypi-AgEIcHlwaS5vcmc{_some(chance, 40)}",
            f"dckr_pat_{_some(chance, 27)}",
            f"hf_{_some(chance, 34)}",
        )
    )


def _chat_token(chance: Chance) -> str:
    return chance.choice(
        (
            f"xoxb-{_digits(chance, 12)}-{_some(chance, 24)}",
            f"xapp-1-A{_some(chance, 10, UPPER)}-{_digits(chance, 12)}-{_some(chance, 40, HEX)}",
            f"M{_some(chance, 23)}.{_some(chance, 6)}.{_some(chance, 30)}",
            f"{_digits(chance, 10)}:AA{_some(chance, 33)}",
        )
    )


def _jwt(chance: Chance) -> str:
    head = b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = b64encode(f'{{"sub":"{_digits(chance, 6)}"}}'.encode()).decode().rstrip("=")
    return f"{head}.{body}.{_some(chance, 43)}"


def _private_key(chance: Chance) -> str:
    kind = chance.choice(("RSA ", "OPENSSH ", "EC ", ""))
    return (
        f"-----BEGIN {kind}PRIVATE KEY-----\n{_some(chance, 64)}\n-----END {kind}PRIVATE KEY-----"
    )


def _connection(chance: Chance) -> str:
    word = _word(chance)
    return chance.choice(
        (
            f"postgres://{word}:{_password(chance)}@db.acme.com/{word}",
            f"mysql://root@{word}-db/{word}",
            f"redis://:{_some(chance, 12)}@cache:6379/0",
            f"amqps://{word}:{_some(chance, 10)}@mq.acme.com/prod",
            f"mongodb+srv://app:{_some(chance, 10)}@c0.acme.mongodb.net/{word}",
            f"Server=sql3;Database={word};User Id=sa;Password={_password(chance)};",
            f"jdbc:postgresql://sql3:5432/{word}",
        )
    )


def _signed_link(chance: Chance) -> str:
    file = f"https://files.acme.com/{_word(chance)}.csv"
    return chance.choice(
        (
            f"{file}?X-Amz-Expires=3600&X-Amz-Signature={_some(chance, 64, HEX)}",
            f"{file}?sv=2026-01-01&se=2026-12-01&sig={_some(chance, 40)}%3D",
            f"{file}?X-Goog-Signature={_some(chance, 64, HEX)}",
            f"{file}?token={_some(chance, 24)}",
            f"https://app.acme.com/reset?code={_some(chance, 20)}",
            f"https://api.acme.com/v1/{_word(chance)}?api_key={_some(chance, 24)}",
        )
    )


def _webhook(chance: Chance) -> str:
    return chance.choice(
        (
            f"https://hooks.slack.com/services/T{_some(chance, 8, UPPER)}/B01/{_some(chance, 24)}",
            f"https://discord.com/api/webhooks/{_digits(chance, 18)}/{_some(chance, 60)}",
            f"https://acme.webhook.office.com/webhookb2/{_some(chance, 30, HEX)}",
            f"https://hooks.zapier.com/hooks/catch/{_digits(chance, 7)}/{_some(chance, 7, LOWER)}/",
            f"https://chat.googleapis.com/v1/spaces/{_some(chance, 11)}/messages",
            f"https://api.telegram.org/bot{_digits(chance, 10)}:{_some(chance, 35)}/sendMessage",
        )
    )


def _infrastructure(chance: Chance, *ends: str) -> str:
    return f"{_word(chance)}-{chance.choice(ends)}"


def _windows(chance: Chance) -> str:
    domain = chance.choice(("ACME", "SHOPSTACK", "CORP", "EMEA01"))
    return f"{domain}\\{chance.choice(('dweiss', 'svc-backup', 'k.meyer', 'admin01', 'Priya.R'))}"


def _handle(chance: Chance) -> str:
    return chance.choice(
        ("@dweiss", "@k.meyer", "@oncall-dba", "<@U02AB3CD4>", "@priya_r", "@here")
    )


def _machine(chance: Chance) -> str:
    role = chance.choice(("db", "web", "redis", "kafka", "node", "lb", "worker", "mysql"))
    number = f"{chance.randint(1, 30):02d}"
    name = chance.choice(
        (f"{role}-{number}", f"prod-{role}-{number}", f"{role}{number}.ams.acme.io")
    )
    return chance.choice((name, name, name.upper()))


Kind = tuple[tuple[str, ...], Callable[[Chance], str]]

KINDS: Final[dict[str, Kind]] = {
    "password in prose": (
        (
            "The temporary password is {}.",
            "Sign in with the password {} until then.",
            "We reset the password to {} for everybody.",
            "user admin, password {}",
            "The door opens with admin / {}.",
            "Password for the portal: {}",
            "pw: {}",
        ),
        _password,
    ),
    "one-time code": (
        ("The PIN is {}.", "Enter the passcode: {}", "Your backup code is {}", "OTP: {}"),
        lambda chance: _digits(chance, 6),
    ),
    "cloud key": (("We rotated {}.", "The key {} was in use.", "{} has no rights"), _access_key),
    "provider key": (("The key {} has expired.", "Payments use {} now.", "{}"), _provider_key),
    "forge token": (
        ("The token {} was revoked.", "CI ran with {}.", "Use {} for now."),
        _forge_token,
    ),
    "chat token": (("The bot posts with {}.", "{} was revoked.", "We changed {}"), _chat_token),
    "signed token": (("The session {} is stuck.", "Requests carry {}.", "{} is refused"), _jwt),
    "private key": (("This was installed:\n{}", "{}", "The new one:\n\n{}"), _private_key),
    "header": (
        ("Requests with {} fail.", "Send {} again.", "We saw {} in traces."),
        _one_of(
            lambda chance: f"Authorization: Bearer {_some(chance, 32)}",
            lambda chance: f"X-Api-Key: {_some(chance, 24)}",
            lambda chance: f"Cookie: session={_some(chance, 24)}",
            lambda chance: "Authorization: Basic " + b64encode(b"admin:hunter2!").decode(),
        ),
    ),
    "variable": (
        ("We set {} and restarted.", "It was {} that had changed.", "export {}"),
        _one_of(
            lambda chance: f"DB_PASSWORD={_some(chance, 10)}",
            lambda chance: f"STRIPE_SECRET_KEY={_some(chance, 20)}",
            lambda chance: f"DATABASE_URL=postgres://{_some(chance, 6)}",
            lambda chance: f"api_key={_some(chance, 20, HEX)}",
            lambda chance: f"client_secret: {_some(chance, 20)}",
        ),
    ),
    "connection string": (("We moved to {}.", "The app could not reach {}.", "{}"), _connection),
    "signed link": (
        ("Download it from {}", "The report is at {} for now.", "See {}"),
        _signed_link,
    ),
    "webhook address": (("Alerts go to {}", "We post to {} now.", "{} is full"), _webhook),
    "random token": (
        ("The id {} was seen.", "Use {} meanwhile.", "{}"),
        _one_of(lambda chance: _some(chance, 40), lambda chance: _some(chance, 32, HEX)),
    ),
    "card": (
        ("The card {} was charged twice.", "Customers with {} see it", "{} is declined."),
        _card,
    ),
    "IBAN": (("Please pay to {}.", "The refund went to {} instead.", "IBAN: {}"), _iban),
    "social security number": (
        ("SSN {} was shown to others.", "The record of {} was open.", "Her number is {}."),
        lambda chance: (
            f"{chance.randint(100, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"
        ),
    ),
    "date of birth": (
        ("The customer, born {}, was affected.", "DOB: {}", "Date of birth {} was exposed."),
        lambda chance: (
            f"{chance.randint(10, 28)}.{chance.randint(10, 12)}.19{chance.randint(50, 99)}"
        ),
    ),
    "telephone": (
        ("Call {} at night.", "The engineer on duty is at {}.", "Reach us: {}"),
        _telephone,
    ),
    "customer": (
        (
            "{} cannot pay.",
            "Only {} is affected.",
            "We called {} already.",
            "The shop of {} is slow.",
        ),
        lambda chance: chance.choice((chance.choice(CUSTOMERS), chance.choice(CUSTOMERS).lower())),
    ),
    "colleague": (
        ("{} is on it.", "We woke {} up.", "The change was made by {}."),
        lambda chance: chance.choice((chance.choice(PEOPLE), chance.choice(PEOPLE).upper())),
    ),
    "single mailbox": (
        ("Write to {} for details.", "Ask {}.", "{} has the list."),
        lambda chance: chance.choice(("dweiss", "k.meyer", "priya", "tariq_aziz")) + "@acme.com",
    ),
    "handle": (("Ask {} for more.", "{} is on call.", "cc {}"), _handle),
    "chat room": (
        ("Join the {} channel.", "We talk in #{} all day.", "More in the {} Slack channel."),
        lambda chance: chance.choice(("inc-payments", "sre-oncall", "war-room-2", "ops_alerts")),
    ),
    "meeting": (
        ("Join {} if you can.", "The call is at {}.", "{}"),
        _one_of(
            lambda chance: f"https://acme.zoom.us/j/{_digits(chance, 10)}",
            lambda chance: (
                f"meet.google.com/{_some(chance, 3, LOWER)}-{_some(chance, 4, LOWER)}-abc"
            ),
            lambda chance: "https://teams.microsoft.com/l/meetup-join/19%3ameeting",
            lambda chance: f"https://acme.slack.com/archives/C{_some(chance, 9, UPPER)}",
        ),
    ),
    "document": (
        ("The plan is in {}.", "Notes: {}", "{} has all steps."),
        _one_of(
            lambda chance: f"https://docs.google.com/document/d/{_some(chance, 20)}/edit",
            lambda chance: f"https://acme.atlassian.net/wiki/spaces/OPS/pages/{_digits(chance, 8)}",
            lambda chance: f"https://www.notion.so/acme/Runbook-{_some(chance, 12, HEX)}",
            lambda chance: f"https://acme.sharepoint.com/sites/ops/{_word(chance)}.docx",
        ),
    ),
    "commit": (
        ("We reverted {}.", "Commit {} broke it.", "{} is rolled out.", "It began with {}."),
        _commit,
    ),
    "branch": (("We deployed {}.", "The fix is on {}.", "{} is merged now."), _branch),
    "image": (("We rolled back to {}.", "{} does not start.", "All run {} again."), _image),
    "pull request": (
        ("{} fixes it.", "We merge {} now.", "It came with {}."),
        _one_of(
            lambda chance: f"PR #{chance.randint(100, 9000)}",
            lambda chance: f"pull request {chance.randint(100, 9000)}",
            lambda chance: f"https://github.com/acme/shop/pull/{chance.randint(10, 9000)}",
            lambda chance: f"acme/shop#{chance.randint(10, 9000)}",
            lambda chance: f"!{chance.randint(100, 9000)}",
        ),
    ),
    "ticket": (("See {}.", "We track it as {}.", "{} is still open.", "(tracked in {})"), _ticket),
    "on-call id": (("{} is open.", "It is {}.", "We were woken by {}."), _on_call),
    "error-tracker id": (("{} shows it.", "It is {}.", "We closed {}."), _tracker),
    "dashboard": (("See {} for the curve.", "It shows on {}", "{} is red."), _dashboard),
    "local host": (("{} does not answer.", "We restarted {}", "Checks of {} fail."), _local),
    "machine": (("{} is down.", "We replaced {}.", "The disk of {} is full."), _machine),
    "network": (
        ("{} cannot be reached.", "Traffic from {} is dropped.", "We blocked {}."),
        _one_of(
            lambda chance: f"10.{chance.randint(0, 255)}.{chance.randint(0, 255)}.7",
            lambda chance: f"192.168.{chance.randint(0, 255)}.0/24",
            lambda chance: f"172.{chance.randint(16, 31)}.4.{chance.randint(1, 254)}:5432",
            lambda chance: f"fd00:{_some(chance, 3, HEX)}::{_some(chance, 2, HEX)}",
        ),
    ),
    "cloud resource": (
        ("{} is stuck.", "We replaced {}.", "The limit of {} was reached."),
        _one_of(
            lambda chance: f"i-0{_some(chance, 16, HEX)}",
            lambda chance: (
                f"arn:aws:lambda:eu-west-1:{_digits(chance, 12)}:function:{_word(chance)}"
            ),
            lambda chance: f"/aws/lambda/{_word(chance)}-charge",
            lambda chance: f"vpc-{_some(chance, 7, HEX)}1",
            lambda chance: f"acme-{_word(chance)}.s3.amazonaws.com",
            lambda chance: f"projects/acme-prod/topics/{_word(chance)}",
        ),
    ),
    "log line": (("{}", "We saw {}", "The log says: {}"), _log_line),
    "query": (("{} takes minutes.", "It was {} that locked.", "We ran {} by hand."), _query),
    "stack frame": (("It fails in {}.", "{}", "The bug is in {} as we know."), _frame),
    "error of a runtime": (
        ("It ended with {}.", "{} was thrown.", "Workers die: {}"),
        lambda chance: chance.choice(
            (
                "NullPointerException",
                "psycopg2.OperationalError",
                "OOMKilled",
                "ECONNRESET",
                "panic: runtime error: index out of range",
                "SQLSTATE[40001]",
                "ORA-00060",
                "TypeError: undefined is not a function",
                "CrashLoopBackOff",
                "exit code 137",
            )
        ),
    ),
    "command": (
        ("We ran {}.", "{} brought it back.", "Please do not run {} again."),
        lambda chance: chance.choice(
            (
                f"kubectl rollout restart deploy/{_word(chance)}",
                "sudo systemctl restart nginx",
                f"terraform apply -target=module.{_word(chance)}",
                "ssh deploy@web7",
                f"helm upgrade {_word(chance)} ./chart",
                "docker ps -a",
                "psql -h db1 -U app",
            )
        ),
    ),
    "file": (
        ("{} was full.", "A line in {} was wrong.", "We changed {}."),
        lambda chance: chance.choice(
            (
                f"/var/log/{_word(chance)}/error.log",
                f"/etc/{_word(chance)}/app.conf",
                f"{_word(chance)}_settings.py",
                f"config/{_word(chance)}.yml",
                f"C:\\Services\\{_word(chance)}\\app.exe",
                f"{_word(chance)}-backup.sql",
            )
        ),
    ),
    "queue": (
        ("The {} queue is full.", "Messages wait in queue {}.", "We drained the queue `{}`."),
        lambda chance: _infrastructure(chance, "dlq", "events", "retry-1", "v2", "worker-prod"),
    ),
    "topic": (
        ("The topic {} is behind.", "Consumers of the {} topic lag.", "We replay topic {}."),
        lambda chance: f"{_word(chance)}.{chance.choice(('events', 'created', 'commands'))}.v1",
    ),
    "table": (
        ("The table {} is locked.", "We rebuild {}.", "An index on {} was missing."),
        lambda chance: (
            f"{_word(chance)}_{chance.choice(('items', 'audit_log', 'archive', 'lines'))}"
        ),
    ),
    "bucket": (
        ("The bucket {} was public.", "Files in the {} bucket are back.", "We restored bucket {}."),
        lambda chance: f"acme-{_word(chance)}-{chance.choice(('prod', 'backup', 'staging'))}",
    ),
    "environment variable": (
        ("{} was not set.", "We changed {}.", "The value of {} was wrong."),
        lambda chance: (
            f"{_word(chance).upper()}_{chance.choice(('DB_HOST', 'POOL_SIZE', 'TIMEOUT_MS'))}"
        ),
    ),
    "environment": (
        ("We tested it in the {} environment.", "{} is healthy.", "The env {} is broken too."),
        lambda chance: f"{_word(chance)}-{chance.choice(('staging', 'uat', 'prod', 'preprod'))}",
    ),
    "feature flag": (
        ("We turned off the flag {}.", "{} is off for all.", "The feature flag {} was on."),
        lambda chance: chance.choice(
            (
                f"enable_{_word(chance)}_v2",
                f"{_word(chance)}-new-flow-2",
                "useNewCheckoutFlow",
                f"ff_{_word(chance)}_retry",
                "enableFastCart",
            )
        ),
    ),
    "Windows account": (("{} was locked.", "The task runs as {}.", "We reset {}."), _windows),
}
"""Each kind: sentences that it stands in, and how one of it is made."""
