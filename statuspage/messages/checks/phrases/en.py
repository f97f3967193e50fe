"""English."""

from __future__ import annotations

from typing import Final

from statuspage.messages.checks.phrases import Phrases

JARGON: Final[dict[str, str]] = {
    "5xx": "errors", "4xx": "errors", "http 500": "errors", "http 503": "errors",
    "502s": "errors", "503s": "errors", "504s": "errors", "500s": "errors",
    "remediate": "fix", "remediated": "fixed", "remediation": "fix",
    "rollback": "reverting to the previous version",
    "rolled back": "reverted to the previous version",
    "rolling back": "reverting to the previous version",
    "hotfix": "fix", "failover": "switching to a standby system",
    "failed over": "switched to a standby system",
    "failing over": "switching to a standby system",
    "rca": "what happened and why", "mttr": "", "mttd": "", "slo": "", "sli": "",
    "replica": "copy", "replicas": "copies", "replication lag": "a delay between copies",
    "primary database": "database", "shard": "", "shards": "", "pod": "server",
    "pods": "servers", "back-end": "our systems", "downstream": "", "microservice": "",
    "microservices": "", "cache invalidation": "", "backpressure": "", "ingress": "",
    "p50": "", "p95": "", "p99": "", "memory leak": "", "race condition": "",
    "deadlock": "", "circuit breaker": "", "connection pool": "", "thread pool": "",
    "oom": "", "bgp": "", "cidr": "", "ttl": "",
    "telemetry": "measurements", "observability": "", "feature flag": "setting",
    "config change": "a change of settings", "canary": "",
    "idempotent": "", "payload": "", "throughput": "capacity", "thundering herd": "",
    "split brain": "", "quorum": "", "noisy neighbor": "", "cold start": "",
}  # fmt: skip
"""What insiders say, and what everybody understands; empty where that depends."""

PHRASES: Final = Phrases(
    apology=r"apolog\w{2,6}|sorry|regret",
    hedge=(
        r"(?<!as )soon|shortly|asap|in due course|at some point|hopefully|we hope|we believe|"
        r"we think|we suspect|we assume|it seems|it appears|seems? to|appears? to|"
        r"may or may not|perhaps|maybe|possibly|probably|presumably|more or less|sort of|"
        r"to some extent|a bit|slightly|(?:minor )?hiccups?|blip|glitch(?:es)?|should be fine|"
        r"momentarily|for some time|for a while|some issues|"
        r"fingers crossed|with any luck|as far as we (?:know|can tell)"
    ),
    blame=(
        r"(?:fault|mistake|negligence|failure|carelessness) (?:of|by|on the part of) "
        r"(?:our|the|a|an|one of|some)|to blame|(?:is|are|was|were) responsible for|blame\w{0,3}|"
        r"human error|user error|operator error|your (?:own )?(?:fault|mistake|error)|"
        r"you (?:should have|failed to|must have|did not)|(?:our|the|a|an) (?:\w{1,30} )?"
        r"(?:provider|vendor|supplier|partner|contractor|developer|engineer|third[ -]party|"
        r"colleague|team member|intern|admin(?:istrator)?)(?:['’]s)? (?:\w{1,20} ){0,2}"
        r"(?:fail(?:ed|ure)|broke|caused|forgot|neglected|messed|mistake|error|fault)|"
        r"not our fault|beyond our control|out of our (?:control|hands)|through no fault"
    ),
    cause=(
        r"caused by|because of|due to|root cause (?:is|was)|the cause (?:is|was)|as a result of|"
        r"result(?:ed|s|ing) from|triggered by|stemm(?:ed|ing) from|traced (?:back )?to|"
        r"originat(?:ed|es|ing) (?:from|in|at)|attributed to|blamed on"
    ),
    zone=(
        r"local time|your time|[A-Z]\w{2,20} [Tt]ime|Pacific|Eastern|Mountain|"
        r"Central(?: European)?"
    ),
    ahead=(
        r"will|shall|expect\w{0,3}|aim\w{0,3}|plan(?:s|ned|ning)?|should|estimat\w{1,4}|ETA|"
        r"next update|hear from us|anticipat\w{1,4}|promise|intend\w{0,3}|we['’]ll|it['’]ll"
    ),
    before_time=r"by|until|till|before|around|about|at|from|after|ETA:?",
    within=(
        r"(?:with)?in (?:the )?(?:next |about |around |approximately |roughly |under |"
        r"less than |another |coming |a further )?(?:\d{1,3}|an?|one|two|three|four|five|six|ten|"
        r"fifteen|twenty|thirty|forty-five|sixty|ninety|few|a few|couple of|a couple of|half an|"
        r"several)?(?:(?: to |-|–)\d{1,3})?[ -]?(?:minutes?|mins?|hours?|hrs?|days?)"
        r"|(?:every|each) \d{1,3} (?:minutes|hours)"
        r"|tonight|tomorrow|by (?:the )?end of (?:the )?(?:day|week)|later today|"
        r"this (?:afternoon|evening)"
    ),
    next_update=(
        r"next update|(?:another|further|more) updates?|update (?:you )?(?:again )?"
        r"(?:by|at|in|within)|(?:hear|write|report|post|updates?)(?: \w{1,30}){0,4} "
        r"(?:by|at|in|within|every)"
    ),
    began=r"since|from|start(?:ed|ing)|began|beginning",
    over=r"until|till|to|ended|over|resolved|restored|recovered|fixed",
    ongoing=(
        r"we(?: are|['’]re) (?:still |currently |now |actively )?(?:investigating|looking into|"
        r"reverting|restoring|repairing|replacing|fixing|switching|going back|rolling back|"
        r"working on (?:it|this|that|resolving|restoring|(?:an? |the )?(?:fix|issue|problem)))|"
        r"(?:is|are) (?:still |currently |now )?(?:unavailable|unreachable|unable|down|offline|"
        r"failing|slow(?! down)|delayed|degraded|experiencing)|"
        r"(?:still|currently) (?:failing|unavailable|unable|down|slow|experiencing|investigating)|"
        r"(?:ends?|results?|fails?) (?:in|with) an? error|"
        r"(?:payments?|requests?|logins?|sign-ins?|calls?|uploads?|orders?) (?:at \w{1,20} )?"
        r"fails?|"
        r"(?<!can )(?<!may )(?<!might )takes? up to|"
        r"(?:users|customers|people|some of you) (?:can(?:not|['’]t)|see|get)"
    ),
    supposed="if|when|should|unless",
    placeholder=r"insert \w{1,30} here|lorem ipsum|to be filled in",
    shouted=(
        r"URGENT|IMPORTANT|ATTENTION|WARNING|ALERT|ASAP|OUTAGE|DOWN|RESOLVED|FIXED|CRITICAL|NOT|"
        r"NOW|ALL|NEVER|IMMEDIATELY|NOTICE|EMERGENCY|VERY|EVERYONE|EVERYTHING|PLEASE|SORRY|UPDATE"
    ),
    jargon=JARGON,
)
