-- Facts -> sums and percentiles per window and grouping set.
-- In: fact, level, span_window(time_window, starts, ends) for windows that are not days. Out: total, percentile, balance_at.

CREATE OR REPLACE TABLE quarter AS
WITH quarters AS (
    SELECT unnest(range(min(moment) // 900000, greatest(max(moment), getvariable('watermark')) // 900000 + 1)) AS quarter FROM fact
), days AS (
    SELECT quarter, date_trunc('day', timezone(getvariable('zone'), to_timestamp(quarter * 900))) AS local_day FROM quarters
)
SELECT quarter, epoch_ms(timezone(getvariable('zone'), local_day)) AS day,
    epoch_ms(timezone(getvariable('zone'), local_day + INTERVAL 1 DAY)) AS next_day,
    quarter // 4 * 3600000 AS hour
FROM days;

CREATE OR REPLACE TABLE time_window AS
SELECT DISTINCT 'day' AS time_window, day AS starts, next_day AS ends FROM quarter
WHERE next_day + 600000 <= getvariable('watermark') AND day <= (SELECT max(moment) FROM fact)
UNION ALL
SELECT DISTINCT 'hour', hour, hour + 3600000 FROM quarter
WHERE getvariable('hours') AND hour + 4200000 <= getvariable('watermark') AND hour <= (SELECT max(moment) FROM fact)
UNION ALL FROM span_window;

CREATE OR REPLACE MACRO normal(listed, value) AS
    CASE WHEN value = 'unset' OR listed IS NULL OR list_contains(listed, value) THEN value ELSE 'other' END;

CREATE OR REPLACE MACRO named(key, part) AS key || coalesce(':' || part, '');

-- Survey facts have a route; every other part is of the name.
CREATE OR REPLACE TABLE dated AS
SELECT CASE WHEN is_survey THEN key ELSE named(key, part) END AS name, key = 'open_cases' AS is_balance,
    CASE WHEN is_survey THEN normal(getvariable('listed_route'), part) ELSE '' END AS route, moment, day, hour,
    normal(getvariable('listed_queue'), queue) AS queue, normal(getvariable('listed_channel'), channel) AS channel,
    normal(getvariable('listed_priority'), priority) AS priority, value, duration
FROM (SELECT *, regexp_matches(key, '^(csat|nps|ces|survey)_') AS is_survey FROM fact) JOIN quarter ON quarter.quarter = moment // 900000;

CREATE OR REPLACE VIEW windowed AS
WITH flow AS (FROM dated WHERE NOT is_balance)
SELECT w.*, d.* EXCLUDE (is_balance, moment, day, hour) FROM flow AS d
JOIN time_window AS w ON w.time_window = 'day' AND w.starts = d.day
UNION ALL
SELECT w.*, d.* EXCLUDE (is_balance, moment, day, hour) FROM flow AS d
JOIN time_window AS w ON w.time_window = 'hour' AND w.starts = d.hour
UNION ALL
SELECT w.*, d.* EXCLUDE (is_balance, moment, day, hour) FROM flow AS d
JOIN time_window AS w ON w.time_window NOT IN ('day', 'hour') AND d.moment >= w.starts AND d.moment < w.ends;

-- grouping: bit 4 = not by queue, 2 = not by channel, 1 = not by priority.
CREATE OR REPLACE TABLE total AS
SELECT time_window, starts, ends, route, name, GROUPING(queue, channel, priority) AS grouping, queue, channel, priority,
    sum(value)::BIGINT AS total
FROM (SELECT time_window, starts, ends, route, name, queue, channel, priority, sum(value) AS value FROM windowed GROUP BY ALL)
GROUP BY GROUPING SETS (
    (time_window, starts, ends, route, name), (time_window, starts, ends, route, name, queue),
    (time_window, starts, ends, route, name, channel), (time_window, starts, ends, route, name, priority),
    (time_window, starts, ends, route, name, queue, channel));

CREATE OR REPLACE TABLE percentile AS
SELECT time_window, starts, ends, name, GROUPING(queue, channel, priority) AS grouping, queue, channel, priority,
    count(*) AS n, quantile_cont(duration / 1000, [0.5, 0.9]) AS seconds
FROM (SELECT time_window, starts, ends, name, queue, channel, priority, duration::DOUBLE AS duration FROM windowed WHERE duration IS NOT NULL)
GROUP BY GROUPING SETS (
    (time_window, starts, ends, name), (time_window, starts, ends, name, queue), (time_window, starts, ends, name, channel),
    (time_window, starts, ends, name, priority), (time_window, starts, ends, name, queue, channel));

-- Balances: everything dated before the end of the window.
CREATE OR REPLACE TABLE balance_move AS
WITH moves AS (
    SELECT name, GROUPING(queue, channel, priority) AS grouping, queue, channel, priority, moment, sum(value) AS value
    FROM dated WHERE is_balance
    GROUP BY GROUPING SETS ((name, moment), (name, moment, queue), (name, moment, channel), (name, moment, priority), (name, moment, queue, channel))
)
SELECT name, grouping, coalesce(queue, '') AS queue, coalesce(channel, '') AS channel, coalesce(priority, '') AS priority, moment,
    sum(value) OVER (PARTITION BY name, grouping, queue, channel, priority ORDER BY moment) AS standing
FROM moves;

CREATE OR REPLACE TABLE balance_at AS
WITH ends AS (SELECT time_window, starts, ends FROM time_window WHERE time_window IN ('hour', 'day', 'span', 'now')),
wanted AS (SELECT * FROM ends CROSS JOIN (SELECT DISTINCT name, grouping, queue, channel, priority FROM balance_move))
SELECT w.*, m.standing::BIGINT AS total
FROM wanted AS w ASOF JOIN balance_move AS m
  ON m.name = w.name AND m.grouping = w.grouping AND m.queue = w.queue AND m.channel = w.channel AND m.priority = w.priority
 AND m.moment < w.ends
WHERE m.standing <> 0;

CREATE OR REPLACE TABLE level_total AS
WITH cell AS (
    SELECT named(key, part) AS name, normal(getvariable('listed_queue'), queue) AS queue,
        normal(getvariable('listed_channel'), channel) AS channel, normal(getvariable('listed_priority'), priority) AS priority, value
    FROM level
)
SELECT name, GROUPING(queue, channel, priority) AS grouping, queue, channel, priority,
    CASE WHEN starts_with(name, 'oldest') THEN min(value) ELSE sum(value) END::BIGINT AS total
FROM cell
GROUP BY GROUPING SETS ((name), (name, queue), (name, channel), (name, priority), (name, queue, channel));
