"""Every metric of the pipeline itself: its name, what it says, and how the values of several workers become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "timing"]
Across = Literal["sum", "max", "min"]


@dataclass(frozen=True, kw_only=True)
class PipelineMetric:
    """``name`` is without the suffix that its kind adds (``_total``; ``_count`` and ``_sum`` of a timing).

    ``seldom``: a timing of what happens too rarely for a rate, such as recoveries.
    """

    name: str
    meaning: str
    kind: Kind
    labels: tuple[str, ...] = ()
    across: Across = "sum"
    seldom: bool = False


READY = PipelineMetric(name="deskpulse_ready", meaning="1 when assigned, recovered and caught up.", kind="gauge")
ROLLUP_ACTIVE = PipelineMetric(name="deskpulse_rollup_active", meaning="1 on the worker that publishes the KPIs.", kind="gauge")
SIMULATED = PipelineMetric(name="deskpulse_simulated", meaning="1 while the traffic is made up.", kind="gauge", across="max")
LAG = PipelineMetric(
    name="deskpulse_lag_records",
    meaning="Records between the position and the end of a partition owned here.",
    kind="gauge",
    labels=("topic", "partition"),
)
WATERMARK_LAG = PipelineMetric(
    name="deskpulse_watermark_lag_seconds",
    meaning="How far the progress of an input source is behind the log's clock.",
    kind="gauge",
    labels=("source",),
    across="max",
)
SOURCE_SILENT = PipelineMetric(
    name="deskpulse_source_silent",
    meaning="1 for an input source that has not reported any progress.",
    kind="gauge",
    labels=("source",),
    across="max",
)
CLOCK = PipelineMetric(
    name="deskpulse_clock_timestamp_seconds", meaning="The log's clock: the newest progress mark's.", kind="gauge", across="max"
)
WATERMARK = PipelineMetric(
    name="deskpulse_watermark_timestamp_seconds", meaning="Watermark of the partitions owned here.", kind="gauge", across="min"
)
INPUT_RECORDS = PipelineMetric(
    name="deskpulse_input_records",
    meaning="Records of the inputs, and of the log by what became of them.",
    kind="counter",
    labels=("topic", "outcome"),
)
PROCESSED_RECORDS = PipelineMetric(
    name="deskpulse_processed_records", meaning="Records handled by a processor.", kind="counter", labels=("processor",)
)
CHECKPOINT = PipelineMetric(
    name="deskpulse_checkpoint_seconds",
    meaning="Checkpoints: how often, and how long together.",
    kind="timing",
    labels=("processor",),
)
RECOVERY = PipelineMetric(
    name="deskpulse_recovery_seconds",
    meaning="Recoveries of partitions: how often, and how long together.",
    kind="timing",
    labels=("processor",),
    seldom=True,
)

PIPELINE_METRICS = (
    READY,
    ROLLUP_ACTIVE,
    SIMULATED,
    LAG,
    WATERMARK_LAG,
    SOURCE_SILENT,
    CLOCK,
    WATERMARK,
    INPUT_RECORDS,
    PROCESSED_RECORDS,
    CHECKPOINT,
    RECOVERY,
)
