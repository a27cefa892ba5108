"""Grafana dashboards, made from the KPI catalogue and the list of pipeline metrics so that they can not drift from either."""
