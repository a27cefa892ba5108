"""The example for Alertmanager in a real one: late data hold alerts on KPIs back, and the right receiver is told the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.alert_rules import alertmanager_telling, alerts
from tests.support.prometheus import Alertmanager
from tests.support.waiting import eventually
from tests.support.webhook import Inbox, webhook

pytestmark = pytest.mark.prometheus

ALERTS = alerts()


@pytest.fixture(scope="module")
def inbox() -> Iterator[Inbox]:
    with webhook() as inbox:
        yield inbox


@pytest.fixture(scope="module")
def alertmanager(inbox: Inbox) -> Iterator[Alertmanager]:
    with Alertmanager(alertmanager_telling(inbox.address)) as alertmanager:
        yield alertmanager


def labels(alert: str, **more: str) -> dict[str, str]:
    """As Prometheus would send them."""
    return {"alertname": alert, **ALERTS[alert]["labels"], **more}


def told(inbox: Inbox, path: str, status: str, alert: str, **more: str) -> bool:
    """Whether this was told there."""
    return any((one.path, one.status) == (path, status) and one.labels == labels(alert, **more) for one in inbox.told)


def held_back(alertmanager: Alertmanager) -> set[str]:
    """The names of the alerts that another one inhibits now."""
    return {alert["labels"]["alertname"] for alert in alertmanager.alerts() if alert["status"]["inhibitedBy"]}


def test_late_data_hold_back_the_word_of_a_breach_and_of_its_end(alertmanager: Alertmanager, inbox: Inbox) -> None:
    """
    DataLate         ┌────────────────┐
    billing     ─────┴─────┐          │          told before; its end is no all-clear
    sales             ┌────┴──────────┴─────     told when the data are back
    SourceSilent ──────────┐                     no KPI: the end is told, in the same round as that of billing would be
    """
    alert, late, silent = "DeskpulseSLABreaches", "DeskpulseDataLate", "DeskpulseSourceSilent"
    alertmanager.post(labels(alert, queue="billing"), firing=True)
    alertmanager.post(labels(silent), firing=True)
    eventually(lambda: told(inbox, "/team", "firing", alert, queue="billing"), what="the breach in billing")
    eventually(lambda: told(inbox, "/team", "firing", silent), what="the silent source")
    alertmanager.post(labels(late), firing=True)
    eventually(lambda: told(inbox, "/team", "firing", late), what="late data")

    alertmanager.post(labels(alert, queue="sales"), firing=True)
    for over in (labels(alert, queue="billing"), labels(silent)):
        alertmanager.post(over, firing=False)
    eventually(lambda: told(inbox, "/team", "resolved", silent), within_seconds=20, what="the end of the silence")
    assert not told(inbox, "/team", "resolved", alert, queue="billing")
    assert held_back(alertmanager) == {alert}

    alertmanager.post(labels(late), firing=False)
    eventually(lambda: told(inbox, "/team", "firing", alert, queue="sales"), within_seconds=20, what="the breach in sales")
    alertmanager.post(labels(alert, queue="sales"), firing=False)
    eventually(lambda: told(inbox, "/team", "resolved", alert, queue="sales"), within_seconds=20, what="the end of it")


@pytest.mark.parametrize(
    ("cause", "effect"),
    [
        ("DeskpulseDataStale", "DeskpulseSLABurnFast"),
        ("DeskpulseKpisMissing", "DeskpulseSLABurnSlow"),
        ("DeskpulseNoWorker", "DeskpulseBacklogGrowing"),
        ("DeskpulseNoWorker", "DeskpulseWorkerDown"),
        ("DeskpulseDataStale", "DeskpulseDataLate"),
        ("DeskpulseSLABurnFast", "DeskpulseSLABurnSlow"),
    ],
)
def test_a_cause_holds_its_effect_back(alertmanager: Alertmanager, cause: str, effect: str) -> None:
    alertmanager.post(labels(effect), firing=True)
    eventually(lambda: not held_back(alertmanager), what="an effect without a cause")
    alertmanager.post(labels(cause), firing=True)
    eventually(lambda: held_back(alertmanager) == {effect}, what=f"{effect} held back by {cause}")
    for alert in (cause, effect):
        alertmanager.post(labels(alert), firing=False)
    eventually(lambda: not alertmanager.alerts(), what="an end of both")


def test_what_is_critical_goes_to_those_on_call(alertmanager: Alertmanager, inbox: Inbox) -> None:
    alertmanager.post(labels("DeskpulseKpisMissing"), firing=True)
    eventually(lambda: told(inbox, "/on-call", "firing", "DeskpulseKpisMissing"), what="a call")
    assert not told(inbox, "/team", "firing", "DeskpulseKpisMissing")
