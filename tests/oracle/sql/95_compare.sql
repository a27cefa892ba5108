-- truth against published. In: truth, time_window, published_line(topic, o, r). Out: published, difference.
-- A row is the record of the greatest rank, as the page about reading KPIs says; the last record, which compaction leaves, must say the same.

CREATE OR REPLACE TABLE published AS
WITH newest AS (
    SELECT topic, o, r.* EXCLUDE ("group"), r.window AS time_window,
        coalesce(r."group".queue, '') AS queue, coalesce(r."group".channel, '') AS channel,
        coalesce(r."group".priority, '') AS priority, coalesce(r."group".route, '') AS route,
        (CASE WHEN r."group".queue IS NULL THEN 4 ELSE 0 END) + (CASE WHEN r."group".channel IS NULL THEN 2 ELSE 0 END)
        + (CASE WHEN r."group".priority IS NULL THEN 1 ELSE 0 END) AS grouping
    FROM published_line
    WHERE r.kpi NOT IN ('watermark', 'source_progress', 'next_to_breach')
)
SELECT *, last_value(value) OVER (of_row ORDER BY o ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last_said
FROM newest
WINDOW of_row AS (
    PARTITION BY topic, kpi, time_window, CASE WHEN time_window IN ('hour', 'day') THEN window_start END, queue, channel, priority, route)
QUALIFY row_number() OVER (of_row ORDER BY coalesce(revision, 0) DESC, window_end DESC NULLS LAST, watermark DESC NULLS LAST, o DESC) = 1;

-- Spans, live windows (a row is sent again only when its value changes, so its bounds may be older) and levels have one row; days and hours
-- are compared when they are closed.
CREATE OR REPLACE TABLE comparable AS
SELECT p.topic, p.kpi, p.time_window, CASE WHEN p.time_window IN ('hour', 'day') THEN p.window_start ELSE 0 END AS starts,
    p.grouping, p.queue, p.channel, p.priority, p.route, coalesce(p.since, p.value) AS value, p.numerator, p.denominator, p.n, p.low, p.high, p.excluded, p.state, p.last_said IS DISTINCT FROM p.value AS contested
FROM published AS p
WHERE p.time_window NOT IN ('hour', 'day')
   OR EXISTS (FROM time_window AS w WHERE w.time_window = p.time_window AND w.starts = p.window_start);

CREATE OR REPLACE TABLE expected AS
SELECT t.kpi, t.time_window, CASE WHEN t.time_window IN ('hour', 'day') THEN t.starts ELSE 0 END AS starts, t.grouping,
    coalesce(t.queue, '') AS queue, coalesce(t.channel, '') AS channel, coalesce(t.priority, '') AS priority, coalesce(t.route, '') AS route,
    t.value, t.numerator, t.denominator, t.n, t.low, t.high, t.excluded, t.tolerance
FROM truth AS t
WHERE (t.time_window NOT IN ('5m', '15m', '30m', '60m', 'today', '7d', '28d') OR getvariable('live'))
  AND (t.time_window <> 'hour' OR t.kpi IN (SELECT DISTINCT kpi FROM published WHERE time_window = 'hour'));

-- Null and 0 differ, except that a row without data may be left out altogether.
CREATE OR REPLACE MACRO differs(wanted, found, tolerance) AS
    CASE WHEN wanted IS NULL OR found IS NULL THEN (wanted IS NULL) <> (found IS NULL)
         ELSE abs(wanted - found) > tolerance * greatest(abs(wanted), abs(found)) + 1e-9 END;

CREATE OR REPLACE TABLE difference AS
SELECT kpi, time_window, starts, grouping, queue, channel, priority, route,
    e.value AS wanted, c.value AS found, e.numerator AS wanted_numerator, c.numerator AS found_numerator,
    e.denominator AS wanted_denominator, c.denominator AS found_denominator,
    CASE WHEN c.kpi IS NULL THEN 'missing' WHEN e.kpi IS NULL THEN 'extra'
         WHEN c.time_window IN ('hour', 'day') AND c.state IS DISTINCT FROM 'final' THEN 'not final'
         WHEN differs(e.value, c.value, e.tolerance) THEN 'value'
         WHEN e.numerator IS NOT NULL AND differs(e.numerator, c.numerator, e.tolerance) THEN 'numerator'
         WHEN e.denominator IS NOT NULL AND differs(e.denominator, c.denominator, e.tolerance) THEN 'denominator'
         WHEN e.n IS NOT NULL AND differs(e.n, c.n, 1e-9) THEN 'n'
         WHEN differs(e.low, c.low, 1e-9) OR differs(e.high, c.high, 1e-9) THEN 'interval'
         WHEN e.excluded IS NOT NULL AND differs(e.excluded, coalesce(c.excluded, 0), 1e-9) THEN 'excluded'
         WHEN c.contested THEN 'not last' END AS what
FROM expected AS e
FULL JOIN comparable AS c USING (kpi, time_window, starts, grouping, queue, channel, priority, route)
WHERE what IS NOT NULL
  AND NOT (what = 'missing' AND time_window = 'hour' AND starts_with(kpi, 'backlog') AND NOT EXISTS (
        FROM expected AS t WHERE t.time_window = 'hour' AND NOT starts_with(t.kpi, 'backlog') AND t.starts = e.starts AND t.grouping = e.grouping
         AND t.queue = e.queue AND t.channel = e.channel AND t.priority = e.priority))
  AND NOT (what = 'missing' AND coalesce(e.value, 0) = 0 AND coalesce(e.numerator, 0) = 0 AND coalesce(e.denominator, 0) = 0)
  AND NOT (what = 'extra' AND coalesce(c.value, 0) = 0 AND coalesce(c.numerator, 0) = 0 AND coalesce(c.denominator, 0) = 0);
