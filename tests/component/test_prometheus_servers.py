"""The real Prometheus and Alertmanager of the tests: they scrape, answer, alert, and are gone afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_app.brokers import BrokerStartError
from tests.support.prometheus import Alertmanager, Prometheus, scraping
from tests.support.waiting import eventually

pytestmark = pytest.mark.prometheus


def test_prometheus_scrapes_what_it_is_given_and_ends_with_the_block() -> None:
    with Alertmanager({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}) as scraped:
        with Prometheus(scraping([scraped.address])) as prometheus:
            eventually(lambda: prometheus.query("up == 1"), what="a scraped target")
            assert [target["health"] for target in prometheus.targets()] == ["up"]
            assert prometheus.query("alertmanager_build_info")[0].labels["job"] == "deskpulse"
            pid, folder = prometheus.pid, prometheus.data_dir
        assert not Path(f"/proc/{pid}").exists()
        assert not folder.exists()


def test_a_configuration_that_is_refused_is_shown_with_the_reason() -> None:
    with pytest.raises(BrokerStartError, match=r"(?s)ended while starting.*field nonsense not found"), Prometheus({"nonsense": 1}):
        pass
