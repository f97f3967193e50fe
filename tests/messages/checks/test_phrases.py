"""Careful and careless posts in each language of the page: tone and truth know its phrases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from time_machine import travel

from statuspage.core.enums import Step
from statuspage.core.languages import OFFERED
from statuspage.messages.checks import RULES, FindingKind
from statuspage.messages.checks.phrases import LISTED, unlisted
from statuspage.messages.facts import Facts
from tests.checking import INCIDENT, check
from tests.factories import NOON

# By language: what is open, then what is resolved.  The next update is promised for 12:30 UTC.
CAREFUL: dict[str, tuple[list[str], list[str]]] = {
    "en": (
        [
            "Payments are declined at checkout. Next update by 12:30 UTC.",
            "We are reverting this morning's change. You will hear from us by 12:30 UTC.",
        ],
        [
            "Checkout works again. We’re sorry for the disruption.",
            "It is over. We apologize.",
            "We apologize. Refunds can take up to five days to arrive.",
        ],
    ),
    "de": (
        [
            "Zahlungen werden abgelehnt. Nächste Meldung bis 12:30 Uhr UTC.",
            "Wir stellen die vorherige Version wieder her und melden uns bis 13:30 Uhr MEZ.",
        ],
        [
            "Die Kasse funktioniert wieder. Es tut uns leid.",
            "Die Störung ist behoben. Wir bitten um Entschuldigung.",
            "Sie dauerte von 11:00 Uhr MEZ bis 12:10 Uhr MEZ. Wir entschuldigen uns dafür.",
        ],
    ),
    "fr": (
        [
            "Les paiements sont refusés. Prochain point avant 12:30 UTC.",
            "Nous rétablissons la version précédente. Prochaine mise à jour à 13 h 30, "
            "heure de Paris.",
        ],
        [
            "Le paiement fonctionne à nouveau. Nous vous présentons nos excuses.",
            "L’incident est clos. Nous sommes désolés. Si des paiements échouent, écrivez-nous.",
        ],
    ),
    "es": (
        [
            "Los pagos se rechazan. Próxima actualización antes de las 12:30 UTC.",
            "Volvemos a la versión anterior. Informaremos antes de las 13:30, hora peninsular.",
        ],
        [
            "El pago vuelve a funcionar. Pedimos disculpas.",
            "El incidente ha terminado. Lamentamos las molestias. Si fallan pagos, escríbanos.",
        ],
    ),
    "pt-BR": (
        [
            "Os pagamentos são recusados. Próxima atualização até as 12:30 UTC.",
            "Voltamos à versão anterior. Publicaremos mais até as 09:30, horário de Brasília.",
        ],
        [
            "O pagamento voltou a funcionar. Pedimos desculpas.",
            "O incidente terminou. Lamentamos o ocorrido. Se pagamentos falham, escreva-nos.",
        ],
    ),
    "ja": (
        [
            "お支払いが拒否されています。次回の更新は12:30 UTCまでに行います。",
            "以前のバージョンに戻しています。次回の更新は21時30分（日本時間）です。",
        ],
        [
            "お支払いは通常どおりご利用いただけます。ご迷惑をおかけし、お詫び申し上げます。",
            "復旧しました。申し訳ございませんでした。今もログインできません、と表示される場合はご連絡ください。",
        ],
    ),
    "ar": (
        [
            "تُرفض المدفوعات عند الدفع. التحديث التالي بحلول 12:30 UTC.",
            "نعيد الإصدار السابق. سنوافيكم بالجديد قبل 15:30 بتوقيت الرياض.",
        ],
        ["عاد الدفع إلى العمل. نعتذر عن هذا الانقطاع.", "انتهى العطل. نأسف لما حدث."],
    ),
}
# By language: a rule, and what breaks it.
CARELESS: dict[str, dict[str, str]] = {
    "en": {
        "no-apology": "Checkout works again.",
        "present-tense": "We’re investigating. Payments fail at checkout.",
        "hedge": "It will hopefully be back.",
        "blame": "Our provider has failed again.",
        "unconfirmed-cause": "This was caused by a change.",
        "no-zone": "It began at 10:00.",
        "unbacked-time": "We expect it back by 17:00 UTC.",
        "no-next-update": "We are on it.",
        "placeholder": "Insert cause here.",
    },
    "de": {
        "no-apology": "Die Kasse funktioniert wieder.",
        "present-tense": "Wir untersuchen die Störung.",
        "hedge": "Der Dienst ist hoffentlich in Kürze wieder da.",
        "blame": "Unser Dienstleister hat ein Update vergessen.",
        "unconfirmed-cause": "Das wurde verursacht durch eine Änderung.",
        "no-zone": "Es begann um 10:00 Uhr.",
        "unbacked-time": "Wir rechnen bis 17:00 Uhr UTC mit der Behebung.",
        "no-next-update": "Wir arbeiten daran.",
        "placeholder": "Ursache: hier einfügen.",
    },
    "fr": {
        "no-apology": "Le paiement fonctionne à nouveau.",
        "present-tense": "Les paiements se terminent par une erreur.",
        "hedge": "Le service reviendra bientôt.",
        "blame": "Notre prestataire a oublié une mise à jour.",
        "unconfirmed-cause": "L’incident est causé par un changement.",
        "no-zone": "Cela a commencé à 10h00.",
        "unbacked-time": "Le service sera rétabli avant 17:00 UTC.",
        "no-next-update": "Nous y travaillons.",
        "placeholder": "Cause : à compléter.",
    },
    "es": {
        "no-apology": "El pago vuelve a funcionar.",
        "present-tense": "Los pagos fallan y se rechazan.",
        "hedge": "El servicio volverá en breve.",
        "blame": "Nuestro proveedor falló otra vez.",
        "unconfirmed-cause": "Fue causado por un cambio.",
        "no-zone": "Empezó a las 10:00.",
        "unbacked-time": "Esperamos que termine antes de las 17:00 UTC.",
        "no-next-update": "Estamos trabajando en ello.",
        "placeholder": "Causa: por confirmar.",
    },
    "pt-BR": {
        "no-apology": "O pagamento voltou a funcionar.",
        "present-tense": "Estamos investigando o problema.",
        "hedge": "O serviço voltará em breve.",
        "blame": "Nosso fornecedor falhou de novo.",
        "unconfirmed-cause": "Foi causado por uma mudança.",
        "no-zone": "Começou às 10:00.",
        "unbacked-time": "O serviço será restabelecido até 17:00 UTC.",
        "no-next-update": "Estamos trabalhando nisso.",
        "placeholder": "Causa: a definir.",
    },
    "ja": {
        "no-apology": "お支払いは通常どおりご利用いただけます。",
        "present-tense": "現在、調査しています。",
        "hedge": "まもなく復旧します。",
        "blame": "委託先のミスのせいで停止しました。",
        "unconfirmed-cause": "変更が原因で発生しました。",
        "no-zone": "10:00に開始しました。",
        "unbacked-time": "復旧の見込みは 17:00 UTC です。",
        "no-next-update": "対応しています。",
        "placeholder": "原因：ここに記入。",
    },
    "ar": {
        "no-apology": "عاد الدفع إلى العمل.",
        "present-tense": "نعمل على الإصلاح.",
        "hedge": "ربما يعود الخدمة اليوم.",
        "blame": "حدث هذا لأن مزودنا أخطأ.",
        "unconfirmed-cause": "حدث ذلك بسبب تغيير.",
        "no-zone": "بدأ العطل الساعة 10:00.",
        "unbacked-time": "من المتوقع أن تعود الخدمة قبل 17:00 UTC.",
        "no-next-update": "نعمل على ذلك.",
        "placeholder": "السبب: أدخل النص هنا.",
    },
}


AT_THE_END = {"no-apology", "present-tense"}
# Where the pages are read: their clocks are told in the posts.
ZONES = {
    "de": "Europe/Berlin", "fr": "Europe/Paris", "es": "Europe/Madrid",
    "pt-BR": "America/Sao_Paulo", "ja": "Asia/Tokyo", "ar": "Asia/Riyadh",
}  # fmt: skip


def rules_on(text: str, language: str, step: Step) -> set[str]:
    """The rules of tone and truth that mark a text."""
    promised = NOON + timedelta(minutes=30) if step is Step.IDENTIFIED else None
    zone = ZoneInfo(ZONES.get(language, "UTC"))
    public = replace(INCIDENT, language=language, zone=zone, next_update=promised)
    kinds = {rule.id: rule.kind for rule in RULES}
    with travel(NOON, tick=False):
        found = check(text, step=step, known=Facts(public))
    return {one.rule for one in found if kinds[one.rule] is not FindingKind.LEAK}


def test_every_language_of_the_page_has_its_phrases() -> None:
    assert set(LISTED) == {one.code for one in OFFERED} == set(CAREFUL) == set(CARELESS)
    assert {language: unlisted(language) for language in LISTED} == dict.fromkeys(
        LISTED, frozenset()
    )


@pytest.mark.parametrize("language", LISTED)
def test_careful_posts_pass(language: str) -> None:
    going_on, over = CAREFUL[language]
    found = {text: rules_on(text, language, Step.IDENTIFIED) for text in going_on}
    found |= {text: rules_on(text, language, Step.RESOLVED) for text in over}
    assert {text: rules for text, rules in found.items() if rules} == {}


@pytest.mark.parametrize("language", LISTED)
def test_careless_posts_are_marked(language: str) -> None:
    missed = {
        rule: text
        for rule, text in CARELESS[language].items()
        if rule
        not in rules_on(text, language, Step.RESOLVED if rule in AT_THE_END else Step.IDENTIFIED)
    }
    assert missed == {}


def test_a_rule_without_phrases_is_off() -> None:
    assert unlisted("nl") == {
        "no-apology", "hedge", "blame", "unconfirmed-cause", "no-zone", "unbacked-time",
        "no-next-update", "contradiction", "placeholder", "jargon", "shouting", "present-tense",
    }  # fmt: skip
    assert rules_on("Het werkt weer, om 10:00.", "nl", Step.RESOLVED) == set()
    assert rules_on("We zijn bezig.", "nl", Step.IDENTIFIED) == set()
