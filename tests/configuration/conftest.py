"""A page that is set up already."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.models import (
    Page,
)
from tests.factories import make_page


@pytest.fixture
def page(session: Session) -> Page:
    with writing() as session:
        return make_page(session)
