"""Names of machines and of inner tools, and links that lead to either."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from statuspage.messages.checks.rule_types import CheckedText, Span, named, spans

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
    "icinga rancher spinnaker teamcity bamboo bitbucket phabricator backstage wiki intranet "
    "ldap keycloak okta pgadmin phpmyadmin adminer metabase looker superset opensearch kiali "
    "jaeger zipkin flower rabbitmq kafka-ui akhq redash harbor thanos mimir loki tempo"
)
# Makers of such tools: their own sites are for everybody.
_MAKERS: Final = named(
    "atlassian.com grafana.com gitlab.com sentry.io okta.com elastic.co splunk.com metabase.com "
    "hashicorp.com jetbrains.com wikipedia.org wikimedia.org mediawiki.org github.com github.io "
    "readthedocs.io fandom.com archlinux.org atlassian.net grafana.net"
)
_STAGES: Final = named(
    "prod production prd staging stage stg preprod uat qa dev test int internal corp dmz mgmt "
    "infra dc1 dc2 k8s eks gke aks"
)
_PARTS: Final = named(
    "db sql mysql mariadb pg pgsql postgres postgresql psql mongo mongodb redis memcached "
    "memcache kafka zookeeper zk rabbit rabbitmq mq amqp nats elastic elasticsearch es solr "
    "cassandra clickhouse influx etcd consul vault nginx haproxy envoy traefik varnish squid lb "
    "elb alb nlb gw fw vpn bastion jumpbox jumphost jump k8s kube kubelet vm srv svr svc esx esxi "
    "nas san nfs rtr pdu idrac ilo hv hypervisor pgbouncer proxysql sidekiq celery cron etl"
)
# Names of machines only beside a number: ``node7``, ``web-03``.
_NUMBERED: Final = _PARTS | named(
    "app web host node worker server srvr box slave replica pod rack router switch proxy cache "
    "queue broker search mail mx smtp imap ns dns ntp ad dc build runner ci agent db backend "
    "frontend front back batch scheduler gateway firewall storage backup ip ec2 exch "
    "auth api"
)
# Between a word and its number such a part says where the machine stands.
_WHERE: Final = named("prod prd stg staging live dev test preprod uat")
# What customers connect to, directly below a company's own domain.
_FOR_CUSTOMERS: Final = named(
    "mq vpn sftp ftp smtp imap pop mail mx es ns dns gw lb sql nfs test dev sso int qa search api "
    "app web auth"
)
_LABEL = r"[A-Za-z0-9_-]{1,63}"
_DOMAIN = re.compile(rf"(?<![\w.-])(?:{_LABEL}\.){{1,8}}(?:[A-Za-z][A-Za-z0-9-]{{1,62}})(?![\w-])")
_BARE = re.compile(
    r"(?<![\w./:@#-])[A-Za-z][A-Za-z0-9]{0,30}(?:[-_][A-Za-z0-9]{1,30}){0,8}(?![\w-]|\.\w)"
)
_REGION = re.compile(r"(?:us|eu|ap|sa|ca|me|af|il)-?(?:gov-)?(?:north|south|east|west|central)")
_REGIONAL_API = re.compile(
    r"(?:api|app|www|portal|console|ingest|otlp|login|auth|cdn|s3|docs|eu|us)\d{0,2}"
)
_POD = re.compile(
    r"[a-z0-9]{1,40}(?:-[a-z0-9]{1,40}){0,6}-(?=[a-f0-9]{0,9}\d)[a-f0-9]{7,10}-[a-z0-9]{5}"
)
_RESOURCE = re.compile(
    r"(?<![\w-])(?:i|vol|vpc|subnet|sg|ami|eni|snap|rtb|igw|nat|lt|asg|acl|eipalloc|fs|db|pcx)-"
    r"(?=[0-9a-f]{0,16}\d)[0-9a-f]{8,17}(?![\w-])"
)
# One word after http://, or this machine itself.
_LOCAL_LINK = re.compile(
    r"(?<!\w)https?://(?:localhost|[A-Za-z0-9-]{2,63})(?::\d{2,5})?(?=[/\s,;)]|\.?\s|\.?$)[^\s<>)]{0,200}"
    r"|(?<![\w.])(?:localhost|[a-z][a-z0-9-]{2,40}):\d{4,5}(?![\w:])",
    re.IGNORECASE,
)
_TOOL_LINK = re.compile(
    r"(?<![\w.-])(?:[\w-]{1,63}\.){0,3}(?:"
    r"slack\.com/(?:archives|messages|client)|zoom\.us/[jw]/|meet\.google\.com/|"
    r"teams\.microsoft\.com/|docs\.google\.com/|drive\.google\.com/|notion\.so/|"
    r"atlassian\.net/(?:browse|wiki|jira|secure|servicedesk)|"
    r"pagerduty\.com/(?:incidents|alerts|services)|opsgenie\.com/(?:alert|incident)|"
    r"app\.opsgenie\.com|app\.datadoghq\.(?:com|eu)/|sentry\.io/(?:issues|organizations)|"
    r"linear\.app/|trello\.com/[bc]/|app\.asana\.com/|grafana\.net/(?:d|explore|a)/|"
    r"one\.newrelic\.com/|rpm\.newrelic\.com/|"
    r"console\.aws\.amazon\.com/\S{0,80}[?#]|portal\.azure\.com/#|"
    r"console\.cloud\.google\.com/\S{2,80}[?]|"
    r"app\.incident\.io/|app\.firehydrant\.io/|rootly\.com/account|"
    r"app\.shortcut\.com/|monday\.com/boards|miro\.com/app|figma\.com/(?:file|board)/|"
    r"clickup\.com/t/|app\.honeycomb\.io|ui\.honeycomb\.io|webex\.com/(?:meet|join)|"
    r"whereby\.com/|sharepoint\.com/|onedrive\.live\.com|dropbox\.com/scl)[^\s<>)\]]{0,200}"
)
# A dashboard is known by its path, whoever's domain it is on.
_DASHBOARD = re.compile(
    r"(?<![\w.-])(?:https?://)?[\w.-]{3,120}(?::\d{2,5})?/(?:[\w-]{1,30}/){0,2}(?:"
    r"d(?:-solo)?/(?=[\w-]{0,40}[\d_-])[\w-]{5,40}(?:/|\?|(?=[\s,.;)]|$))|explore\?|"
    r"dashboard/(?:db|snapshot)/|app/(?:kibana|discover|dashboards|visualize|apm|logs|lens)|"
    r"_plugin/kibana|_dashboards/|goto/[0-9a-f]{8,64}|graph\?g0|alerts\?|"
    r"job/[\w.-]{2,80}/(?:job/|\d|build|lastBuild|console)|blue/organizations|"
    r"applications/argocd|_cat/|_cluster/|haproxy\?stats|server-status|actuator|"
    r"wp-admin|phpmyadmin|adminer|rabbitmq|flower/|sidekiq(?!\w)|admin/(?:queues|sidekiq|jobs)|"
    r"en-US/app/search|search\?q=index|pages/viewpage\.action|display/[A-Z]{2,10}/|"
    r"secure/RapidBoard|projects/[A-Z]{2,10}/(?:queues|boards)|browse/[A-Z]{2,10}-\d|"
    r"-/(?:pipelines|jobs|merge_requests|issues)/|monitors/\d|logs\?query|apm/(?:traces|services)|"
    r"nr1/|kiali/|jaeger/|prometheus/|consul/ui|ui/vault)[^\s<>)\]]{0,200}"
)
_NAME_AND_DIGITS = re.compile(r"([a-z]{1,63})(\d{0,63})")


def find_hosts(checked: CheckedText) -> Iterator[Span]:
    """Names of machines: ``db-01``, ``kafka-3.prod.example.com``, what ends in ``.internal``."""
    for found in _DOMAIN.finditer(checked.text):
        if _is_inner_domain(found[0].lower()):
            yield Span(*found.span())
    for found in _BARE.finditer(checked.text):
        if _is_machine(found[0]):
            yield Span(*found.span())
    yield from spans(_RESOURCE, checked.text)
    yield from spans(_LOCAL_LINK, checked.text)


def find_tools(checked: CheckedText) -> Iterator[Span]:
    """Addresses of what colleagues alone use: chats, calls, documents, trackers, dashboards."""
    yield from spans(_TOOL_LINK, checked.text)
    yield from spans(_DASHBOARD, checked.text)


def _is_inner_domain(domain: str) -> bool:
    labels = domain.split(".")
    if domain.endswith(".googleapis.com") and len(labels) == 3:
        return False  # an API that all of Google's customers call
    if labels[-1] in _INNER_ZONES or any(domain.endswith(end) for end in _CLOUD):
        return len(labels) > 1
    registered = 3 if labels[-2] in {"co", "com", "org", "net", "ac", "gov"} else 2
    if ".".join(labels[-registered:]) in _MAKERS:
        return False
    inner = labels[:-registered]
    if len(inner) == 1 and inner[0] in _FOR_CUSTOMERS:
        return False
    # "api.us-east-1.acme.com" is where customers connect.
    if _REGIONAL_API.fullmatch(labels[0]) and all(map(_REGION.match, inner[1:])):
        return False
    return any(_is_inner_label(label) for label in inner)


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
    words = [found[1] if found else "" for found in read]
    if not any(found[2] for found in read if found) and not any(map(str.isdecimal, parts)):
        return len(parts) > 1 and any(word in _PARTS for word in words) and _has_place(words)
    if _is_product(parts):
        return False
    if any(word in _NUMBERED for word in words) and set(words) & _WHERE:
        return True
    return any(
        word in _NUMBERED and (found[2] != "" or "".join(parts[at + 1 : at + 2]).isdecimal())
        for at, (word, found) in enumerate(zip(words, read, strict=True))
        if found
    )


def _has_place(words: list[str]) -> bool:
    """Whether a name without a number says more than a kind: “prod-db”, not “db-proxy”."""
    return bool(set(words) & _WHERE) or (len(words) == 2 and words[-1] in _PARTS)


def _is_product(parts: list[str]) -> bool:
    """``node20`` and ``es2015`` are versions of what customers use."""
    return len(parts) == 1 and parts[0].startswith(("node", "es20", "web3", "ip", "api"))
