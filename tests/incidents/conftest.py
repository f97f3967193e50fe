"""What incidents are tried on: a page, its components and a few customers, at noon."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from time_machine import Traveller

from tests.announcing import Scenario, set_up_scenario


@pytest.fixture
def scenario(app: Flask, frozen: Traveller, session: Session) -> Scenario:
    return set_up_scenario(app)
