"""A name in a template that no view gives is an error in every test, not a gap on the screen."""

from __future__ import annotations

import pytest
from flask import Flask
from jinja2 import UndefinedError


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("source", ["{{ nothing }}", "{% if nothing %}{% endif %}"])
def test_a_name_that_no_view_gives_is_an_error(app: Flask, source: str) -> None:
    with pytest.raises(UndefinedError, match="'nothing' is undefined"):
        app.jinja_env.from_string(source).render()
