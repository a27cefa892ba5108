-- What stands at the watermark W: level(key, part, queue, channel, priority, value), summed over cells later;
-- instants (oldest_*) are merged by minimum.

CREATE OR REPLACE TABLE last_step AS
SELECT s.case_id, o.opened_at, arg_max(s.status, s.pos) AS status, arg_max(s.q, s.pos) AS queue,
    arg_max(s.c, s.pos) AS channel, arg_max(s.p, s.pos) AS priority
FROM step AS s JOIN opening AS o USING (case_id) GROUP BY s.case_id, o.opened_at;

-- A customer's turn (a contact or message) waits until a human answers or the case is resolved; more turns do not restart it.
CREATE OR REPLACE TABLE waiting AS
WITH turns AS (
    SELECT t.case_id, t.pos, t.moment,
        CASE WHEN t.type IN ('contact.opened', 'message.customer') THEN 'turn'
             WHEN t.type = 'contact.answered' OR (t.type = 'message.representative' AND public AND NOT automated)
               OR s.is_resolution THEN 'answer' END AS kind
    FROM timeline AS t JOIN step AS s USING (case_id, pos)
), answered AS (SELECT case_id, max(pos) AS pos FROM turns WHERE kind = 'answer' GROUP BY case_id)
SELECT t.case_id, min_by(t.moment, t.pos) AS waiting_since
FROM turns AS t LEFT JOIN answered AS a USING (case_id)
WHERE t.kind = 'turn' AND t.pos > coalesce(a.pos, -1) GROUP BY t.case_id;

CREATE OR REPLACE TABLE clock_now AS
WITH newest AS (
    SELECT * FROM clock_stretch
    QUALIFY row_number() OVER (PARTITION BY case_id, metric ORDER BY pos DESC) = 1
)
SELECT k.case_id, k.metric, s.queue, s.channel, s.priority,
    k.verdict = 'breached' AND k.fulfilled_pos IS NULL AS overdue,
    k.verdict IS NULL AND k.fulfilled_pos IS NULL AND NOT n.ended AS running,
    n.paused, n.due,
    n.due - (100 - getvariable('warn_percent')) * (CASE WHEN n.source_due IS NULL THEN n.target ELSE n.source_due - n.opened_at END) // 100 AS warn_at
FROM clock AS k JOIN newest AS n USING (case_id, metric) JOIN last_step AS s USING (case_id)
WHERE s.status NOT IN ('resolved', 'closed');

CREATE OR REPLACE TABLE level AS
WITH unresolved AS (FROM last_step WHERE status NOT IN ('resolved', 'closed'))
SELECT 'age' AS key,
    CASE WHEN age < 4 * 3600000 THEN 'lt4h' WHEN age < 86400000 THEN 'lt1d' WHEN age < 3 * 86400000 THEN 'lt3d'
         WHEN age < 7 * 86400000 THEN 'lt7d' ELSE 'older' END AS part, queue, channel, priority, 1 AS value
FROM (SELECT *, getvariable('watermark') - opened_at AS age FROM unresolved)
UNION ALL SELECT 'awaiting', NULL, queue, channel, priority, 1 FROM unresolved SEMI JOIN waiting USING (case_id)
UNION ALL SELECT 'oldest_awaiting_at', NULL, queue, channel, priority, waiting_since FROM unresolved JOIN waiting USING (case_id)
UNION ALL SELECT 'oldest_open_at', NULL, queue, channel, priority, opened_at FROM unresolved
UNION ALL SELECT 'sla_overdue', metric, queue, channel, priority, 1 FROM clock_now WHERE overdue
UNION ALL SELECT 'sla_running', metric, queue, channel, priority, 1 FROM clock_now WHERE running AND NOT paused
UNION ALL SELECT 'sla_at_risk', metric, queue, channel, priority, 1 FROM clock_now
WHERE running AND NOT paused AND warn_at <= getvariable('watermark');
