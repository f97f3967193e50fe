"""What is read at a sitting: modules, functions, and the lines of templates."""

from __future__ import annotations

from collections.abc import Iterable

from tests.guards.source import ROOT, Source, sources

LONGEST_MODULE = 600
LONGEST_FUNCTION = 60
LONGEST_LINE = 140
MAY_BE_LONGER: set[str] = set()


def long_modules(given: Iterable[Source]) -> list[str]:
    return [source.path for source in given if source.text.count("\n") > LONGEST_MODULE]


def long_functions(given: Iterable[Source]) -> list[str]:
    return [
        f"{source.path}:{function.name}"
        for source in given
        for function in source.functions
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    ]


def long_lines(texts: Iterable[tuple[str, str]]) -> list[str]:
    return [
        f"{path}:{number}"
        for path, text in texts
        for number, line in enumerate(text.splitlines(), start=1)
        if len(line) > LONGEST_LINE
    ]


def test_no_module_is_longer_than_a_sitting() -> None:
    assert long_modules(sources()) == []


def test_no_function_is_longer_than_a_screen() -> None:
    assert set(long_functions(sources())) - MAY_BE_LONGER == set()


def test_no_line_of_a_template_hides_a_change() -> None:
    files = sorted((ROOT / "templates").rglob("*.html"))
    assert long_lines((str(file.relative_to(ROOT)), file.read_text()) for file in files) == []


def test_the_guard_sees_what_is_too_long() -> None:
    planted = [Source("statuspage/core/x.py", "def f():\n" + "    pass\n" * 600)]
    assert long_modules(planted) == ["statuspage/core/x.py"]
    assert long_functions(planted) == ["statuspage/core/x.py:f"]
    assert long_lines([("templates/x.html", f"<p>\n{'x' * 141}\n")]) == ["templates/x.html:2"]
