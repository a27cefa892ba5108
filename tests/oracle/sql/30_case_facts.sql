-- Facts of a case. fact(key, part, at, queue, channel, priority, value, duration): raw dimension values.

CREATE OR REPLACE TABLE fact (key VARCHAR, part VARCHAR, moment BIGINT, queue VARCHAR, channel VARCHAR, priority VARCHAR,
                              value BIGINT, duration BIGINT);

CREATE OR REPLACE TABLE step AS
SELECT m.*, t.q, t.c, t.p FROM machine AS m JOIN timeline AS t USING (case_id, pos);

INSERT INTO fact
SELECT 'opened', NULL, moment, q, c, p, 1, NULL FROM timeline WHERE is_opening
UNION ALL SELECT 'resolved', NULL, moment, q, c, p, 1, NULL FROM step WHERE is_resolution
UNION ALL SELECT 'reopened', NULL, moment, q, c, p, 1, NULL FROM step WHERE is_reopening
UNION ALL SELECT 'closed', NULL, moment, q, c, p, 1, NULL FROM step WHERE is_closing
UNION ALL SELECT 'escalated', NULL, moment, q, c, p, 1, NULL FROM timeline WHERE type = 'case.escalated';

INSERT INTO fact
SELECT 'resolved_escalated', NULL, s.moment, s.q, s.c, s.p, 1, NULL
FROM step AS s JOIN (SELECT case_id, min(pos) AS escalated_pos FROM timeline WHERE type = 'case.escalated' GROUP BY ALL) USING (case_id)
WHERE s.is_resolution AND escalated_pos < s.pos;

-- A transfer carries the case's cell before it; unset where nothing came before.
INSERT INTO fact
SELECT 'transferred', NULL, t.moment, coalesce(b.q, 'unset'), coalesce(b.c, 'unset'), coalesce(b.p, 'unset'), 1, NULL
FROM timeline AS t LEFT JOIN timeline AS b ON b.case_id = t.case_id AND b.pos = t.pos - 1
WHERE t.type = 'contact.transferred';

INSERT INTO fact
SELECT 'first_reply', NULL, o.replied_at, t.q, t.c, t.p, 1, greatest(o.replied_at - o.opened_at, 0)
FROM case_outcome AS o JOIN timeline AS t ON t.case_id = o.case_id AND t.pos = o.reply_pos
UNION ALL
SELECT 'first_resolution', NULL, o.resolved_at, t.q, t.c, t.p, 1, greatest(o.resolved_at - o.opened_at, 0)
FROM case_outcome AS o JOIN timeline AS t ON t.case_id = o.case_id AND t.pos = o.resolution_pos
UNION ALL
SELECT 'clamped', NULL, o.replied_at, t.q, t.c, t.p, 1, NULL
FROM case_outcome AS o JOIN timeline AS t ON t.case_id = o.case_id AND t.pos = o.reply_pos WHERE o.replied_at < o.opened_at
UNION ALL
SELECT 'clamped', NULL, o.resolved_at, t.q, t.c, t.p, 1, NULL
FROM case_outcome AS o JOIN timeline AS t ON t.case_id = o.case_id AND t.pos = o.resolution_pos WHERE o.resolved_at < o.opened_at;

-- Cohorts: dated and placed at the opening.
INSERT INTO fact
SELECT 'cohort_escalated', NULL, moment, q, c, p, 1, NULL FROM timeline
WHERE is_opening AND case_id IN (SELECT case_id FROM timeline WHERE type = 'case.escalated')
UNION ALL
SELECT 'cohort_resolved', NULL, moment, q, c, p, 1, NULL FROM timeline
WHERE is_opening AND case_id IN (SELECT case_id FROM case_outcome WHERE resolution_pos IS NOT NULL)
UNION ALL
SELECT 'cohort_reopened', NULL, moment, q, c, p, 1, NULL FROM timeline
WHERE is_opening AND case_id IN (
    SELECT m.case_id FROM machine AS m JOIN case_outcome AS o USING (case_id)
    WHERE m.is_reopening AND m.moment > o.resolved_at AND m.moment <= o.resolved_at + getvariable('reopen_window'));

-- Balance of open cases: -1 where it was, +1 where it is, whenever status or cell changes; closed holds none.
CREATE OR REPLACE TABLE balance AS
WITH moves AS (
    SELECT s.case_id, s.pos, greatest(s.moment, o.opened_at) AS moment, status, q, c, p,
        lag(status) OVER w AS old_status, lag(q) OVER w AS old_q, lag(c) OVER w AS old_c, lag(p) OVER w AS old_p
    FROM step AS s JOIN opening AS o USING (case_id)
    WINDOW w AS (PARTITION BY s.case_id ORDER BY s.pos)
), changed AS (
    SELECT * FROM moves WHERE old_status IS NULL OR (status, q, c, p) <> (old_status, old_q, old_c, old_p)
), forgotten AS (
    SELECT s.case_id, max(s.moment) + getvariable('horizon') AS moment,
        arg_max(status, pos) AS status, arg_max(q, pos) AS q, arg_max(c, pos) AS c, arg_max(p, pos) AS p
    FROM step AS s JOIN opening USING (case_id) GROUP BY s.case_id
)
SELECT moment, status, q, c, p, 1 AS value FROM changed WHERE status <> 'closed'
UNION ALL SELECT moment, old_status, old_q, old_c, old_p, -1 FROM changed WHERE old_status IS NOT NULL AND old_status <> 'closed'
UNION ALL SELECT moment, status, q, c, p, -1 FROM forgotten WHERE status = 'resolved' AND moment < getvariable('watermark');

INSERT INTO fact
SELECT 'open_cases', status, moment, q, c, p, sum(value), NULL FROM balance GROUP BY ALL HAVING sum(value) <> 0;
