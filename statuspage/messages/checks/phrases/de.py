"""German."""

from __future__ import annotations

from typing import Final

from statuspage.messages.checks.phrases import Phrases

PHRASES: Final = Phrases(
    apology=(
        r"(?:bitten|möchten)(?: \w{1,30}){0,4} (?:um )?entschuldig\w{1,4}|"
        r"entschuldig(?:en|ung)\w{0,3}|"
        r"tut uns (?:sehr )?leid|bedauern|verzeihung"
    ),
    hedge=(
        r"demnächst|in Kürze|bald(?! es)|zeitnah|schnellstmöglich|hoffentlich|wir hoffen|"
        r"wir glauben|wir vermuten|wir denken|wir gehen davon aus|vermutlich|wahrscheinlich|"
        r"möglicherweise|eventuell|womöglich|vielleicht|unter Umständen|anscheinend|scheinbar|"
        r"offenbar|es scheint|gewissermaßen|mehr oder weniger|irgendwie|ein bisschen|etwaige|"
        r"etwaigen|kurzfristig|zu gegebener Zeit|kleine(?:r|s|n)? (?:Panne|Schluckauf)"
    ),
    blame=(
        r"schuld(?: \w{1,30}){0,3} (?:ist|sind|war|waren|hat|trägt)|(?:ist|sind|war|waren) schuld|"
        r"verantwortlich (?:ist|sind|war|waren)|"
        r"(?:ist|war|sind|waren) (?:da)?für (?:\w{1,30} ){0,3}"
        r"verantwortlich|menschliches Versagen|Bedienfehler|Anwenderfehler|"
        r"(?:Fehler|Versagen|Versäumnis|Verschulden) (?:unseres|eines|des|unserer|einer|der|vom|"
        r"von|seitens) \w{1,30}|"
        r"(?:unser|der|ein|unserem|einem) (?:\w{1,30} )?(?:Anbieter|Dienstleister|"
        r"Zulieferer|Partner|Mitarbeiter|Entwickler|Kollege|Provider|Praktikant)s? (?:hat|haben) "
        r"(?:\w{1,30} ){0,6}(?:vergessen|verursacht|versagt|versäumt)|"
        r"nicht unsere Schuld|außerhalb unserer Kontrolle|höhere Gewalt|Ihr (?:eigener )?Fehler|"
        r"Sie hätten"
    ),
    cause=(
        r"verursacht durch|wegen|aufgrund|auf Grund|infolge|ausgelöst (?:durch|von)|"
        r"(?:die )?Ursache (?:ist|war|sind|liegt|lag)|liegt an|lag an|zurückzuführen auf|"
        r"(?:ist|sind|war|waren)(?: \w{1,30}){0,12} zurückzuführen|"
        r"geht auf|ging auf|hervorgerufen durch"
    ),
    zone=r"ME[SZ]Z|MEZ|Ortszeit|Ihrer Zeit|\w{1,30}er Zeit",
    ahead=(
        r"werden?|wird|wollen|planen|geplant|erwarten|rechnen|voraussichtlich|sollten?|"
        r"nächste[nrsm]? (?:Meldung|Update|Aktualisierung|Information)|melden uns|schätzen|zielen"
    ),
    before_time=r"bis|um|gegen|vor|nach|ab|von|spätestens|etwa|circa|ca\.",
    within=(
        r"(?:in|innerhalb)(?: von)?(?: den| der| einer| eines)?(?: nächsten| kommenden| etwa| ca\.|"
        r" rund| weniger als)?(?: \d{1,3}| einer| einem| eine| zwei| drei| vier| fünf| zehn|"
        r" fünfzehn| zwanzig| dreißig| wenigen| einigen)?(?:(?: bis |–|-)\d{1,3})? "
        r"(?:Minuten?|Stunden?|Tagen?)|alle \d{1,3} (?:Minuten|Stunden)|heute Abend|morgen|"
        r"im Laufe des (?:Tages|Abends|Nachmittags)|bis Ende des Tages"
    ),
    next_update=(
        r"nächste[nrsm]? (?:Meldung|Update|Aktualisierung|Information|Nachricht)|"
        r"(?:melden|informieren|berichten|aktualisieren|schreiben)(?: \w{1,30}){0,6} "
        r"(?:bis|um|gegen|in|innerhalb|spätestens|alle)|weitere (?:Meldung|Informationen|Updates)"
    ),
    began=r"seit|ab|von|begann|beginnend|gestartet",
    over=r"bis|endete|beendet|behoben|wiederhergestellt|gelöst",
    ongoing=(
        r"wir (?:untersuchen|prüfen|beheben|arbeiten|kehren|stellen|suchen|nehmen)|"
        r"(?:ist|sind) (?:derzeit|aktuell|momentan|weiterhin|noch|zurzeit)(?: \w{1,20})? "
        r"(?:nicht|gestört|eingeschränkt|langsam|verzögert)|"
        r"(?:ist|sind) nicht (?:verfügbar|erreichbar)|schl(?:agen|ägt) fehl|"
        r"(?:enden|endet) mit eine[mr]|brauchen bis zu|kommt es (?:derzeit|aktuell|momentan|zu)"
    ),
    supposed="wenn|falls|sollten?",
    placeholder=r"hier (?:einfügen|eintragen|ausfüllen)|Platzhalter|folgt noch|noch zu klären",
    shouted=(
        r"WICHTIG|ACHTUNG|WARNUNG|DRINGEND|SOFORT|AUSFALL|NICHT|ALLE|BITTE|STÖRUNG|NOTFALL|"
        r"JETZT|BEHOBEN|KEINE|SEHR"
    ),
    jargon={
        "rollback": "Rückkehr zur vorherigen Version", "failover": "Umschaltung auf Ersatzsysteme",
        "hotfix": "Korrektur", "root cause": "Ursache", "downtime": "Ausfall", "backend": "",
        "deployment": "neue Version", "mitigation": "Gegenmaßnahme",
        "latenz": "Verzögerung", "latenzen": "Verzögerungen", "cluster": "", "upstream": "",
        "timeouts": "Anfragen ohne Antwort", "monitoring-alarm": "", "replikation": "",
    },
)  # fmt: skip
