-- SLA clocks. Between two events of a case everything is constant: whether the clock is paused, its target and
-- so its due instant. A clock is breached in the first stretch that holds its due instant; else met by its fulfilment.

CREATE OR REPLACE TABLE clock_start AS
SELECT case_id, 'first_reply' AS metric, opened_at, due_first_reply AS source_due,
    CASE WHEN coalesce(reply_pos <= resolution_pos, reply_pos IS NOT NULL) THEN replied_at ELSE resolved_at END AS fulfilled_at,
    least(reply_pos, resolution_pos) AS fulfilled_pos FROM case_outcome
UNION ALL
SELECT case_id, 'resolution', opened_at, due_resolution, resolved_at, resolution_pos FROM case_outcome;

CREATE OR REPLACE TABLE clock_stretch AS
WITH statuses AS (
    SELECT s.*, greatest(s.moment, o.opened_at) AS begins_at,
        last_value(CASE WHEN s.type = 'message.customer' THEN false
                        WHEN s.takes_status OR s.pos = 0 OR s.type IN ('case.resolved', 'case.closed', 'case.reopened')
                        THEN list_contains(getvariable('pause_statuses'), s.status) END IGNORE NULLS) OVER upto AS status_pauses,
        max(CASE WHEN s.type = 'case.priority_changed' THEN greatest(s.moment, o.opened_at) END) OVER upto AS retargeted_at
    FROM step AS s JOIN opening AS o USING (case_id)
    WINDOW upto AS (PARTITION BY s.case_id ORDER BY s.pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), stretches AS (
    SELECT c.metric, c.source_due, c.opened_at, c.fulfilled_at, c.fulfilled_pos, s.case_id, s.pos, s.begins_at, s.retargeted_at,
        s.q, s.c, s.p,
        lead(s.begins_at) OVER w AS ends_at,
        c.metric = 'resolution' AND c.source_due IS NULL AND s.status_pauses AS paused,
        g.target
    FROM statuses AS s JOIN clock_start AS c USING (case_id)
    LEFT JOIN sla_target AS g ON g.metric = c.metric AND g.priority = s.p
    WINDOW w AS (PARTITION BY s.case_id, c.metric ORDER BY s.pos)
), targeted AS (
    SELECT * EXCLUDE (target), coalesce(target, (SELECT any_value(d.target) FROM sla_target AS d
        WHERE d.metric = stretches.metric AND d.priority = 'default')) AS target
    FROM stretches
), paused_so_far AS (
    SELECT *,
        coalesce(sum(CASE WHEN paused THEN ends_at - begins_at ELSE 0 END) OVER before, 0) AS pauses,
        bool_or(source_due IS NULL AND target IS NULL) OVER upto AS ended
    FROM targeted
    WINDOW before AS (PARTITION BY case_id, metric ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
           upto AS (PARTITION BY case_id, metric ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT *, coalesce(source_due, greatest(opened_at + target + pauses, retargeted_at)) AS due FROM paused_so_far;

CREATE OR REPLACE TABLE clock AS
WITH breach AS (
    SELECT case_id, metric, min(due) AS breached_at FROM (
        SELECT * FROM clock_stretch
        WHERE NOT paused AND NOT ended AND (fulfilled_pos IS NULL OR pos < fulfilled_pos)
          AND due <= getvariable('watermark') AND (ends_at IS NULL OR due < ends_at)
          AND (fulfilled_at IS NULL OR fulfilled_at > due)
        QUALIFY row_number() OVER (PARTITION BY case_id, metric ORDER BY pos) = 1)
    GROUP BY ALL
), dropped AS (
    SELECT case_id, metric, min(pos) AS ended_pos FROM clock_stretch WHERE ended GROUP BY ALL
)
SELECT c.*, b.breached_at, d.ended_pos,
    CASE WHEN b.breached_at IS NOT NULL THEN 'breached'
         WHEN c.fulfilled_pos IS NOT NULL AND coalesce(d.ended_pos > c.fulfilled_pos, true) THEN 'met' END AS verdict
FROM clock_start AS c LEFT JOIN breach AS b USING (case_id, metric) LEFT JOIN dropped AS d USING (case_id, metric);

INSERT INTO fact
SELECT 'sla_met', metric, fulfilled_at, t.q, t.c, t.p, 1, NULL
FROM clock AS k JOIN timeline AS t ON t.case_id = k.case_id AND t.pos = k.fulfilled_pos WHERE verdict = 'met'
UNION ALL
SELECT 'sla_breached', k.metric, k.breached_at, arg_max(t.q, t.pos), arg_max(t.c, t.pos), arg_max(t.p, t.pos), 1, NULL
FROM clock AS k JOIN timeline AS t ON t.case_id = k.case_id AND (t.pos = 0 OR t.moment <= k.breached_at)
WHERE verdict = 'breached' GROUP BY k.case_id, k.metric, k.breached_at;
