"""Seeded traffic of a support organisation: every event type, on finite representatives, nothing of it real."""

from stream_app.feeds.simulator.simulation import SimulatedFeed, Simulator

__all__ = ["SimulatedFeed", "Simulator"]
