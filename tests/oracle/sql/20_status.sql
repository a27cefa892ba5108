-- The status of each case after every event, its resolutions, reopenings and closings.
-- A case is active (with a status), resolved or closed. Closed holds until case.reopened. Otherwise the last of
-- {case.resolved, case.reopened, status_changed to open} says whether it is resolved.

CREATE OR REPLACE TABLE machine AS
WITH signals AS (
    SELECT case_id, pos, type, moment, status, is_opening,
        CASE type WHEN 'case.closed' THEN 'C' WHEN 'case.reopened' THEN 'P' END AS closing,
        CASE WHEN type = 'case.resolved' THEN 'R'
             WHEN type = 'case.reopened' OR (type = 'case.status_changed' AND status = 'open') THEN 'A' END AS resolving,
        bool_or(type = 'case.reopened') OVER (PARTITION BY case_id) AS source_reopens
    FROM timeline
), standing AS (
    SELECT *,
        coalesce(last_value(closing IGNORE NULLS) OVER before, 'P') = 'C' AS closed_before,
        coalesce(last_value(resolving IGNORE NULLS) OVER before, 'A') = 'R' AS resolved_signal_before,
        coalesce(last_value(closing IGNORE NULLS) OVER upto, 'P') = 'C' AS closed_after
    FROM signals
    WINDOW before AS (PARTITION BY case_id ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
           upto AS (PARTITION BY case_id ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), classes AS (
    SELECT *, NOT closed_before AND resolved_signal_before AS resolved_before,
        NOT closed_before AND NOT resolved_signal_before AS active_before
    FROM standing
), effects AS (
    SELECT *,
        type = 'case.status_changed' AND (active_before OR (resolved_before AND status = 'open')) AS takes_status,
        type IN ('case.resolved', 'case.closed') AND active_before AS is_resolution,
        type = 'case.reopened' OR (type = 'case.status_changed' AND status = 'open' AND resolved_before
            AND NOT source_reopens) AS is_reopening,
        type = 'case.closed' AND NOT closed_before AS is_closing,
        NOT closed_after AND (type = 'case.resolved' OR (resolved_before AND NOT (
            type = 'case.reopened' OR (type = 'case.status_changed' AND status = 'open')))) AS resolved_after
    FROM classes
)
SELECT case_id, pos, type, moment, is_resolution, is_reopening, is_closing, takes_status,
    CASE WHEN closed_after THEN 'closed' WHEN resolved_after THEN 'resolved'
         ELSE coalesce(last_value(CASE WHEN is_opening OR type = 'case.reopened' THEN 'open'
              WHEN takes_status THEN status END IGNORE NULLS) OVER upto, 'open') END AS status
FROM effects
WINDOW upto AS (PARTITION BY case_id ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);

CREATE OR REPLACE TABLE case_outcome AS
WITH replies AS (
    SELECT case_id, min(pos) AS reply_pos FROM timeline
    WHERE type = 'contact.answered' OR (type = 'message.representative' AND public AND NOT automated)
    GROUP BY case_id
), resolutions AS (
    SELECT case_id, min(pos) AS resolution_pos FROM machine WHERE is_resolution GROUP BY case_id
)
SELECT o.case_id, o.opened_at, o.due_first_reply, o.due_resolution, o.reason,
    reply_pos, reply.moment AS replied_at, resolution_pos, resolution.moment AS resolved_at
FROM opening AS o
LEFT JOIN replies USING (case_id) LEFT JOIN resolutions USING (case_id)
LEFT JOIN timeline AS reply ON reply.case_id = o.case_id AND reply.pos = reply_pos
LEFT JOIN timeline AS resolution ON resolution.case_id = o.case_id AND resolution.pos = resolution_pos;
