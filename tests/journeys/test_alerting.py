"""An alert of the real Prometheus and Alertmanager: suggested, published by a person, resolved."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from statuspage.core.db import current_session
from statuspage.core.enums import ComponentStatus, IncidentStatus, SuggestionState
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import gate
from statuspage.intake.suggestions import alerts_of_incident, open_suggestions
from statuspage.models import Component, Incident
from tests.actors import acting
from tests.alerting import make_source
from tests.ports import free_port
from tests.service import ROOT, Service
from tests.waiting import eventually

ACTOR = acting("Ada")
TITLE = "Searches of the shop fail"

PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{target}"]}}]
"""
RULES = """
groups:
  - name: shop
    rules:
      - alert: ShopDown
        expr: up{{job="shop"}} == 0
        labels: {{severity: critical, component: {component}}}
        annotations: {{summary: {title}}}
"""
ALERTMANAGER = """
route: {{receiver: page, group_wait: 0s, group_interval: 1s, group_by: [alertname]}}
receivers:
  - name: page
    webhook_configs:
      - url: {url}/hooks/alertmanager
        http_config: {{authorization: {{credentials: {key}}}}}
"""


@contextmanager
def running(*command: str, folder: Path) -> Iterator[None]:
    """A program, as long as it is needed; what it says is kept in the folder."""
    with (folder / "said.txt").open("a") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def monitoring(folder: Path, service: Service, key: str, component: str) -> Iterator[int]:
    """Prometheus and Alertmanager, which watch a port where nothing answers yet."""
    target, alertmanager, prometheus = free_port(), free_port(), free_port()
    (folder / "prometheus.yml").write_text(
        PROMETHEUS.format(alertmanager=alertmanager, target=target)
    )
    (folder / "rules.yml").write_text(RULES.format(component=component, title=TITLE))
    (folder / "alertmanager.yml").write_text(ALERTMANAGER.format(url=service.url, key=key))
    tools = ROOT / ".tools"
    with (
        running(
            str(tools / "prometheus-alertmanager"), "--config.file=alertmanager.yml",
            "--storage.path=alerts", f"--web.listen-address=127.0.0.1:{alertmanager}",
            "--cluster.listen-address=", folder=folder,
        ),
        running(
            str(tools / "prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{prometheus}", folder=folder,
        ),
    ):  # fmt: skip
        yield target


def fresh() -> None:
    """End the read before, so that the next sees what the service wrote."""
    current_session().rollback()
    current_session().expire_all()


def firing(incident_id: int) -> int:
    fresh()
    found = alerts_of_incident(current_session(), current_session().get_one(Incident, incident_id))
    assert found is not None
    return found.firing


def suggested() -> list[str]:
    fresh()
    return [one.code for one in open_suggestions(current_session()) if one.title == TITLE]


@pytest.mark.usefixtures("desk")
def test_an_alert_is_suggested_published_by_a_person_and_resolved(
    service: Service, tmp_path: Path
) -> None:
    component = current_session().query(Component).filter_by(removed_at=None).first()
    assert component is not None
    component_id, name = component.id, component.name
    _, key = make_source(severity_rules="severity = critical -> SEV1")
    with monitoring(tmp_path, service, key, name) as target:
        eventually(lambda: bool(suggested()))
        assert TITLE not in requests.get(service.url, timeout=30).text
        (code,) = suggested()
        (one,) = [one for one in open_suggestions(current_session()) if one.code == code]
        assert (one.component_id, one.severity_rank) == (component_id, 1)
        incident = lifecycle.declare(
            Declaration(
                "Searches are not answered", 1, users_notice="Searches come up empty.",
                components={component_id: ComponentStatus.MAJOR_OUTAGE}, suggestion=code,
            ),
            Submission(ACTOR, "alerting"),
        )  # fmt: skip
        incident_id, incident_code = incident.id, incident.code
        eventually(lambda: incident_code in requests.get(service.url, timeout=30).text)
        assert (suggested(), firing(incident_id)) == ([], 1)
        (tmp_path / "metrics").write_text("shop_up 1\n")
        with running(sys.executable, "-m", "http.server", str(target), folder=tmp_path):
            eventually(lambda: firing(incident_id) == 0)
    lifecycle.post_update(
        incident_code,
        NewUpdate(IncidentStatus.RESOLVED, although=dict.fromkeys(gate.WHY_NOT, "a test")),
        Submission(ACTOR, "alerting over"),
    )
    assert key not in service.output.read_text() + (tmp_path / "said.txt").read_text()
    assert SuggestionState.OPEN not in {one.state for one in open_suggestions(current_session())}
