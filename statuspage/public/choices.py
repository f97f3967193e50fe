"""The components of a page as boxes to tick: they stay the same whatever state they are in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from markupsafe import Markup

from statuspage.public.snapshot import ComponentView, GroupView


def draw_choices(
    tree: tuple[GroupView | ComponentView, ...], chosen: frozenset[str], language: Markup
) -> Markup:
    """Items of a list, a group's in a list of its own; what is only shown in trouble is left out.

    What is ``chosen``, by its code, is ticked, and there even so.  ``language`` is the attribute
    that says in which language the names are, or nothing.
    """
    return _draw(tuple(_names(tree, chosen)), chosen, language)


def _names(
    tree: tuple[GroupView | ComponentView, ...], chosen: frozenset[str]
) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """All that is written of them: code and name, or a group's name and its components'."""
    for item in tree:
        if isinstance(item, ComponentView):
            if not item.only_show_if_degraded or item.code in chosen:
                yield item.code, item.name, ()
        else:
            yield (
                "",
                item.name,
                tuple(
                    (each.code, each.name)
                    for each in item.components
                    if not each.only_show_if_degraded or each.code in chosen
                ),
            )


@lru_cache(maxsize=4)
def _draw(
    names: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...],
    chosen: frozenset[str],
    language: Markup,
) -> Markup:
    parts: list[Markup] = []
    for code, name, members in names:
        if code:
            parts.append(_draw_box(code, name, chosen, language))
        else:
            boxes = Markup("").join(
                _draw_box(each, named, chosen, language) for each, named in members
            )
            parts.append(_GROUP.format(name, boxes, language))
    return Markup("").join(parts)


def _draw_box(code: str, name: str, chosen: frozenset[str], language: Markup) -> Markup:
    return _BOX.format(code, _TICKED if code in chosen else "", language, name)


_BOX = Markup(
    '<li><label><input type="checkbox" name="components" value="{}"{}>'
    " <bdi{}>{}</bdi></label></li>\n"
)
_TICKED = Markup(" checked")
_GROUP = Markup(
    '<li class="grouped"><span class="heading"><bdi{2}>{0}</bdi></span>\n'
    '<ul class="ticks" aria-label="{0}">\n{1}</ul></li>\n'
)
