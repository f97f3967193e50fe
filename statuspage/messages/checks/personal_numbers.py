"""What belongs to one person: numbers of cards, accounts and insurances, and telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

import phonenumbers
from stdnum import iban, luhn

from statuspage.messages.checks.rule_types import CheckedText, Span

# ISO 13616: two letters, two check digits, up to thirty more; often in groups of four.
_IBAN = re.compile(
    r"(?<![\w/-])[A-Za-z]{2}\d{2}(?:[ \u00a0-]?[A-Za-z0-9]{4}){2,7}(?:[ \u00a0-]?[A-Za-z0-9]{1,3})?"
    r"(?![\w-])"
)
# ISO/IEC 7812: first digits of the large schemes, and their lengths.
_CARD = re.compile(
    r"(?<![\w./-])(?:[3456]\d{3}[ \u00a0-]?\d{4}[ \u00a0-]?\d{4}[ \u00a0-]?\d{4}(?:\d{3})?"
    r"|3[47]\d{2}[ \u00a0-]?\d{6}[ \u00a0-]?\d{5}|3[068]\d{2}[ \u00a0-]?\d{6}[ \u00a0-]?\d{4})"
    r"(?![\w-]|[.,]\d)"
)
# The groups that the Social Security Administration gives out.
_SSN = re.compile(
    r"(?<![\w.-])(?!000|666|9\d\d)\d{3}(?P<part>[ -])(?!00)\d\d(?P=part)(?!0000)\d{4}(?![\w-])"
)
_NATIONAL = re.compile(
    r"(?<!\w)(?:SSN|social security(?: number)?|national insurance(?: number)?|NI number|tax id|"
    r"TIN|passport(?: number)?|driver['’]?s licen[cs]e|Steuer-?ID|Sozialversicherungsnummer|CPF|"
    r"NIR|numéro de sécurité sociale|DNI)"
    r"\s?(?:no\.?|number|#|is|:|=|ending in)?[\s:#]{1,3}"
    r"(?P<value>(?=[A-Z0-9 .-]{0,14}\d[ .-]?\d)(?:[A-Z]{1,3} ?)?\d[\dA-Z]{1,12}"
    r"(?:[ ./-]\d[\dA-Z]{0,8}|[ -][A-Z](?!\w)){0,5})(?!\w)",
    re.IGNORECASE,
)
_BORN = re.compile(
    r"(?<!\w)(?:date of birth|DOB|born(?: on)?)\s?:?\s(?P<value>\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})",
    re.IGNORECASE,
)
_TELEPHONE = re.compile(
    r"(?<![\w.:/+=#-])(?:\+|00)[1-9]\d{0,3}(?:[ \u00a0./()-]{0,3}\d){6,13}(?![\w]|[.,:]\d)"
    r"|(?<![\w.:/+=#-])(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])"
    r"|(?<=\s)\(?0\d{1,5}\)?[ /-]{1,3}\d{3,8}(?:[ /-]\d{2,8}){0,3}(?![\w:,.-]\d|\w)"
)
_MOST_TRIED: Final = 60


def find_personal_data(checked: CheckedText) -> Iterator[Span]:
    """Cards and IBANs whose check digits are right, social security numbers, dates of birth."""
    for found in islice(_IBAN.finditer(checked.text), _MOST_TRIED):
        if iban.is_valid(found[0].replace("\u00a0", " ")):
            yield Span(*found.span())
    for found in islice(_CARD.finditer(checked.text), _MOST_TRIED):
        digits = re.sub(r"\D", "", found[0])
        if luhn.is_valid(digits) and len(set(digits)) > 1:
            yield Span(*found.span())
    for found in _SSN.finditer(checked.text):
        yield Span(*found.span())
    for pattern in (_NATIONAL, _BORN):
        for found in pattern.finditer(checked.text):
            yield Span(*found.span("value"))


def find_telephones(checked: CheckedText) -> Iterator[Span]:
    """Telephone numbers: a customer's or a colleague's, or the hotline that everybody may call."""
    for found in islice(_TELEPHONE.finditer(checked.text), _MOST_TRIED):
        if _is_telephone(found[0]):
            yield Span(*found.span())


def _is_telephone(written: str) -> bool:
    number = f"+{written[2:]}" if written.startswith("00") else written
    regions = (None,) if number.startswith("+") else ("US", "DE", "GB", "FR")
    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
