"""A tool that was written for Statuspage's v1: it knows a page, and sends what its author wrote."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Flask
from werkzeug.test import TestResponse

from statuspage.access import api_keys
from statuspage.configuration import metrics
from statuspage.configuration.editing import MetricDetails
from statuspage.core.db import current_session
from statuspage.core.enums import KeyScope
from statuspage.models import Component
from tests.announcing import ACTOR, Scenario

PAGE = "/v1/pages/page00000000"


class StatuspageTool:
    """Sends JSON or forms with a key, as ``OAuth`` unless told otherwise."""

    def __init__(self, app: Flask, scenario: Scenario, *scopes: KeyScope) -> None:
        self.app, self.scenario = app, scenario
        self.client = app.test_client()
        with app.app_context():
            _, self.token = api_keys.make_key("CI", actor=ACTOR, scopes=scopes)
            session = current_session()
            self.checkout = session.get_one(Component, scenario.checkout).code
            self.catalog = session.get_one(Component, scenario.catalog).code
        self.authorization = f"OAuth {self.token}"

    def add_metric(self, **details: Any) -> str:
        """A metric as a person adds it; its id."""
        with self.app.app_context():
            made = metrics.add_metric(
                MetricDetails(**{"name": "Response time", **details}), actor=ACTOR
            )
            return made.code

    def send(self, method: str, path: str, value: Any = None, **headers: str) -> TestResponse:
        """Send JSON; a content type of "" is sent as none."""
        sent = {"Authorization": self.authorization, "Content-Type": "application/json", **headers}
        body = b"" if value is None else orjson.dumps(value)
        named = {name: text for name, text in sent.items() if text}
        return self.client.open(PAGE + path, method=method, data=body, headers=named)

    def send_form(self, method: str, path: str, pairs: Iterable[tuple[str, str]]) -> TestResponse:
        """Send a form as curl does with ``-d``."""
        return self.client.open(
            PAGE + path, method=method, data=urlencode(list(pairs)),
            headers={
                "Authorization": self.authorization,
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )  # fmt: skip

    def get(self, path: str) -> Any:
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json

    def create(self, **incident: Any) -> Any:
        answer = self.send("POST", "/incidents", {"incident": incident})
        assert answer.status_code == 201, answer.text
        return answer.json

    def update(self, code: str, **incident: Any) -> Any:
        answer = self.send("PATCH", f"/incidents/{code}", {"incident": incident})
        assert answer.status_code == 200, answer.text
        return answer.json


def refusal(answer: TestResponse, status: int = 422) -> tuple[str, str]:
    """The field and the reason of a refusal, after its frame was looked at."""
    assert answer.status_code == status, answer.text
    assert answer.json is not None
    assert answer.json["error"] == ([answer.json["message"]] if status == 422 else
                                    answer.json["message"])  # fmt: skip
    return answer.json.get("field", ""), answer.json["message"]
