"""Rollup: the panes of all partitions become the KPIs of groups and windows."""
