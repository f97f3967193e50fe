"""Rules that propose a severity and a component for an alert, by its labels.

They are typed one a line, and the first that fits counts::

    severity = critical, team = pay* -> SEV1
    severity = warning -> SEV3

A condition compares one label, regardless of case; ``*`` stands for any characters.  A line
without conditions, ``-> SEV3``, fits every alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from statuspage.core.errors import Invalid
from statuspage.models import Component, SeverityLevel

MOST_RULES: Final = 200
LABELS_OF_COMPONENTS: Final = ("component", "service", "app", "job", "monitor", "endpoint")
"""Labels whose value names a component where no rule says so."""

_ARROW: Final = "->"
_ANY: Final = str.maketrans({"[": "[[]", "?": "[?]"})


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A line: the labels that must match, and what it proposes."""

    conditions: tuple[tuple[str, str], ...]
    target: str

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether every condition holds for these labels, whose case is folded."""
        return all(
            name in labels and fnmatchcase(labels[name], pattern)
            for name, pattern in self.conditions
        )


@dataclass(frozen=True, slots=True)
class AlertRules:
    """The rules of a source, read: names of severities and of components become their rows."""

    severities: Sequence[tuple[AlertRule, int]]
    components: Sequence[tuple[AlertRule, int]]
    by_name: Mapping[str, int]
    ranks: Mapping[str, int]

    def severity_of(self, labels: Mapping[str, str]) -> int | None:
        """The rank of the severity that is proposed; None where no rule fits, and the label of that
        name is no level's.
        """
        folded = _folded(labels)
        named = self.ranks.get(folded.get("severity", ""))
        return next((rank for rule, rank in self.severities if rule.fits(folded)), named)

    def component_of(self, labels: Mapping[str, str]) -> int | None:
        """The id of the component that is proposed; None where none is."""
        folded = _folded(labels)
        for rule, component_id in self.components:
            if rule.fits(folded):
                return component_id
        names = (labels.get(name, "").casefold() for name in LABELS_OF_COMPONENTS)
        return next((self.by_name[name] for name in names if name in self.by_name), None)


def _folded(labels: Mapping[str, str]) -> dict[str, str]:
    return {name.casefold(): value.casefold() for name, value in labels.items()}


def read_rules(
    severity_rules: str,
    component_rules: str,
    *,
    levels: Iterable[SeverityLevel],
    components: Iterable[Component],
    strict: bool = False,
) -> AlertRules:
    """The rules as typed; what names no severity or component that there is, is left out.

    ``strict`` raises :class:`Invalid` for it instead, and for a line that is no rule.
    """
    ranks = {level.name.casefold(): level.rank for level in levels}
    present = list(components)
    # Names are there twice in different groups; codes never are.
    by_name = {name.casefold(): one.id for one in present for name in (one.name, one.code) if name}
    return AlertRules(
        _targets("severity_rules", severity_rules, ranks, strict=strict),
        _targets("component_rules", component_rules, by_name, strict=strict),
        by_name,
        ranks,
    )


def _targets(
    field: str, text: str, targets: Mapping[str, int], *, strict: bool
) -> list[tuple[AlertRule, int]]:
    found = []
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if strict and len(lines) > MOST_RULES:
        raise Invalid(field, f"Use at most {MOST_RULES} rules")
    for line in lines:
        rule = _read_rule(line)
        if rule is not None and rule.target.casefold() in targets:
            found.append((rule, targets[rule.target.casefold()]))
        elif strict:
            raise Invalid(field, _reason(line, rule))
    return found


def _reason(line: str, rule: AlertRule | None) -> str:
    if rule is None:
        return f"“{line}” isn’t a rule such as: severity = critical -> SEV1"
    return f"“{line}”: there is no “{rule.target}”"


def _read_rule(line: str) -> AlertRule | None:
    before, arrow, target = line.rpartition(_ARROW)
    if not arrow or not target.strip():
        return None
    conditions = []
    for part in before.split(",") if before.strip() else ():
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or not value.strip():
            return None
        pattern = value.strip().casefold().translate(_ANY)
        conditions.append((name.strip().casefold(), pattern))
    return AlertRule(tuple(conditions), target.strip())
