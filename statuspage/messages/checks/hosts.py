"""Names of machines, files and inner tools, and addresses that only the inside knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, ip_address, ip_network
from typing import Final

from statuspage.messages.checks.rules import CheckedText, Span, named

# https://www.rfc-editor.org/rfc/rfc6762#appendix-G, RFC 6761, ICANN's reservation of .internal
_INNER_ZONES: Final = named(
    "internal intranet intra private corp home lan local localdomain localhost priv domain arpa "
    "svc consul cluster onion prod staging stage stg uat qa"
)
_CLOUD: Final = (
    ".amazonaws.com", ".compute.internal", ".cloudapp.azure.com", ".cloudapp.net",
    ".database.windows.net", ".blob.core.windows.net", ".windows.net", ".azurewebsites.net",
    ".googleapis.com", ".run.app", ".cloudfunctions.net", ".herokuapp.com", ".mongodb.net",
    ".ondigitalocean.com", ".elastic-cloud.com", ".redislabs.com", ".snowflakecomputing.com",
)  # fmt: skip
_TOOLS: Final = named(
    "grafana kibana jenkins jira confluence gitlab gitea vault consul argocd argo prometheus "
    "alertmanager sentry splunk rundeck nexus artifactory sonarqube sonar airflow nagios zabbix "
    "icinga rancher spinnaker teamcity bamboo bitbucket phabricator backstage wiki intranet vpn "
    "ldap keycloak okta pgadmin phpmyadmin adminer metabase looker superset"
)
_STAGES: Final = named(
    "prod production staging stage stg preprod uat qa dev test int internal corp dmz mgmt infra "
    "dc1 dc2 k8s eks gke aks"
)
_PARTS: Final = named(
    "db sql mysql mariadb pg pgsql postgres postgresql psql mongo mongodb redis memcached "
    "memcache kafka zookeeper zk rabbit rabbitmq mq amqp nats elastic elasticsearch es solr "
    "cassandra clickhouse influx etcd consul vault nginx haproxy envoy traefik varnish squid lb "
    "elb alb nlb gw fw vpn bastion jumpbox jumphost jump k8s kube kubelet vm srv svr svc esx esxi "
    "nas san nfs rtr sw tor pdu idrac ilo hv hypervisor pgbouncer proxysql sidekiq celery cron "
    "etl prd prod stg preprod uat"
)
# Names of machines only beside a number: ``node7``, ``web-03``.
_NUMBERED: Final = _PARTS | named(
    "app web api host node worker server srvr box master slave primary secondary replica standby "
    "leader shard pod rack router switch proxy cache queue broker search index mail mx smtp imap "
    "ns dns ntp ad dc build runner ci agent db backend frontend edge front back core batch job "
    "scheduler gateway firewall storage backup log logs metrics monitor ip ec2 exch auth login "
    "sso pay payments checkout billing orders catalog session media stream"
)
_LABEL = r"[A-Za-z0-9_-]{1,63}"
_DOMAIN = re.compile(rf"(?<![\w.-])(?:{_LABEL}\.){{1,8}}(?:[A-Za-z][A-Za-z0-9-]{{1,62}})(?![\w-])")
_BARE = re.compile(
    r"(?<![\w./:@#-])[A-Za-z][A-Za-z0-9]{0,30}(?:[-_][A-Za-z0-9]{1,30}){0,8}(?![\w-]|\.\w)"
)
_REGION = re.compile(r"(?:us|eu|ap|sa|ca|me|af|il)-?(?:gov-)?(?:north|south|east|west|central)")
_POD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,6}-[a-f0-9]{7,10}-[a-z0-9]{5}")
_RESOURCE = re.compile(
    r"(?<![\w-])(?:(?:i|vol|vpc|subnet|sg|ami|eni|snap|rtb|igw|nat|lt|asg)-[0-9a-f]{8,17}"
    r"|arn:aws[\w-]{0,8}:[^\s,;]{4,200})(?![\w-])"
)
_TOOL_LINK = re.compile(
    r"(?<![\w.-])(?:[\w-]{1,63}\.){0,3}(?:"
    r"slack\.com/(?:archives|messages|client)|zoom\.us/[jw]/|meet\.google\.com/|"
    r"teams\.microsoft\.com/|docs\.google\.com/|drive\.google\.com/|notion\.so/|"
    r"atlassian\.net|pagerduty\.com/incidents|opsgenie\.com/|datadoghq\.(?:com|eu)/|sentry\.io/|"
    r"linear\.app/|trello\.com/|app\.asana\.com/|grafana\.net|newrelic\.com/|"
    r"console\.aws\.amazon\.com|portal\.azure\.com|console\.cloud\.google\.com|"
    r"app\.shortcut\.com/|monday\.com/boards)[^\s<>)\]]{0,200}"
)
_NAME_AND_DIGITS = re.compile(r"([a-z]+)(\d*)")


def find_hosts(checked: CheckedText) -> Iterator[Span]:
    """Names of machines: ``db-01``, ``kafka-3.prod.example.com``, what ends in ``.internal``."""
    for found in _DOMAIN.finditer(checked.text):
        if _is_inner_domain(found[0].lower()):
            yield Span(*found.span())
    for found in _BARE.finditer(checked.text):
        if _is_machine(found[0]):
            yield Span(*found.span())
    for found in _RESOURCE.finditer(checked.text):
        yield Span(*found.span())


def find_tools(checked: CheckedText) -> Iterator[Span]:
    """Addresses of what colleagues alone use: chats, calls, documents, trackers, dashboards."""
    for found in _TOOL_LINK.finditer(checked.text):
        yield Span(*found.span())


def _is_inner_domain(domain: str) -> bool:
    labels = domain.split(".")
    if labels[-1] in _INNER_ZONES or any(domain.endswith(end) for end in _CLOUD):
        return True
    registered = 3 if labels[-2] in {"co", "com", "org", "net", "ac", "gov"} else 2
    return any(_is_inner_label(label) for label in labels[:-registered])


def _is_inner_label(label: str) -> bool:
    if label in _TOOLS or label in _STAGES or label in _PARTS:
        return True
    return _REGION.match(label) is not None or _is_machine(label)


def _is_machine(name: str) -> bool:
    """Whether a name without dots is one that machines are given."""
    if not (name.islower() or name.isupper()):
        return False
    low = name.lower()
    if _POD.fullmatch(low):
        return True
    parts = [part for part in re.split(r"[-_]", low) if part]
    read = [_NAME_AND_DIGITS.fullmatch(part) for part in parts]
    words = [found[1] for found in read if found]
    numbered = any(found[2] for found in read if found) or any(map(str.isdecimal, parts))
    if numbered:
        return any(word in _NUMBERED for word in words) and not _is_product(parts)
    return len(parts) > 1 and any(word in _PARTS for word in words)


def _is_product(parts: list[str]) -> bool:
    """``node20`` and ``es2015`` are versions of what customers use."""
    return len(parts) == 1 and parts[0].startswith(("node", "es20", "web3", "ip", "api"))


# --- files ---------------------------------------------------------------------------------------

_ROOTS = (
    "etc|var|usr|opt|home|root|srv|mnt|tmp|data|proc|dev|bin|sbin|lib|app|apps|run|sys|boot|Users|"
    "Library|private|export|nfs|code|workspace|www|logs"
)
_PATH = re.compile(
    rf"(?<![\w./:-])(?:/(?:{_ROOTS})/[\w.@/+-]{{1,200}}|~/[\w.@/+-]{{2,200}})"
    r"|(?<![\w\\])[A-Za-z]:\\[^\s\"<>|]{1,200}"
    r"|(?<![\w\\])\\{1,2}[\w.$-]{2,60}\\[^\s\"<>|]{2,200}"
)
_ENDINGS = (
    "py|pyc|rb|erb|java|kt|kts|scala|go|rs|sh|bash|zsh|bat|cmd|ps1|psm1|yml|yaml|toml|ini|conf|cfg|"
    "cnf|config|env|properties|log|sql|sqlite3?|tf|tfvars|tfstate|hcl|jar|war|ear|class|php|pl|lua|"
    "ex|exs|erl|hs|clj|cs|csproj|sln|vb|cpp|cc|hpp|swift|ts|tsx|jsx|vue|pem|key|crt|cer|p12|pfx|"
    "jks|keystore|gradle|pom|lock|exe|dll|so|dylib|service|socket|unit|dmp|core|hprof|pcap|bak|"
    "dump|tgz|tar\\.gz|sql\\.gz|gz|rpm|deb|out|err|pid|sock|ipynb|proto|cron|inc|xml|js|mjs|json"
)
_FILE = re.compile(
    rf"(?<![\w@/.:-])[\w./-]{{1,160}}\.(?:{_ENDINGS})(?![\w-])(?:[:(]\d{{1,6}}\)?)?"
    r"|(?<![\w./-])(?:Dockerfile|Makefile|Jenkinsfile|docker-compose|crontab|my\.cnf)(?![\w-])"
    r"|(?<![\w./-])\.(?:env|bashrc|ssh|npmrc|netrc|pgpass|htaccess|htpasswd|gitlab-ci)(?![\w-])"
)
# What is called like a file and is none, or is one of the reader's own.
_NO_FILES: Final = named(
    "node.js next.js vue.js nuxt.js react.js express.js three.js d3.js angular.js ember.js "
    "asp.net package.json package-lock.json tsconfig.json composer.json backbone.js alpine.js "
    "chart.js bower.json tar.gz pom.xml yarn.lock gemfile.lock dependabot.yml action.yml "
    "workflow.yml"
)


def find_files(checked: CheckedText) -> Iterator[Span]:
    """Files and folders: ``/var/log/app.log``, ``C:\\\\Services``, ``checkout.py:142``."""
    for found in _PATH.finditer(checked.text):
        yield Span(*found.span())
    for found in _FILE.finditer(checked.text):
        if found[0].lower() not in _NO_FILES:
            yield Span(*found.span())


# --- addresses -----------------------------------------------------------------------------------

_DOT = r"(?:\.|\[\.\])"
_V4 = re.compile(
    rf"(?<![\w.-])\d{{1,3}}(?:{_DOT}(?:\d{{1,3}}|[xX])){{3}}(?:/\d{{1,2}})?(?![\w-])(?!\.\d)"
)
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:%\w{1,15})?(?:/\d{1,3})?(?![\w:])")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-])")
_SHARED: Final = ip_network("100.64.0.0/10")


def find_private_addresses(checked: CheckedText) -> Iterator[Span]:
    """Addresses of inner networks: RFC 1918, 4193, 6598, link-local, and MAC addresses."""
    for span, is_private in _addresses(checked.text):
        if is_private:
            yield span
    for found in _MAC.finditer(checked.text):
        yield Span(*found.span())


def find_public_addresses(checked: CheckedText) -> Iterator[Span]:
    """Addresses that anybody could reach."""
    for span, is_private in _addresses(checked.text):
        if not is_private:
            yield span


def _addresses(text: str) -> Iterator[tuple[Span, bool]]:
    for found in (*_V4.finditer(text), *_V6.finditer(text)):
        plain = found[0].replace("[.]", ".").partition("/")[0].partition("%")[0]
        if ":" in plain and plain.count(":") < 2:
            continue
        try:
            address = ip_address(plain.lower().replace("x", "0"))
        except (AddressValueError, ValueError):
            continue
        if plain == "::":
            continue
        is_shared = address.version == 4 and address in _SHARED
        yield Span(*found.span()), address.is_private or address.is_link_local or is_shared
