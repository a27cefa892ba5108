-- Surveys, with the case's cell; part = route.

CREATE OR REPLACE TABLE survey_response AS
SELECT * FROM timeline WHERE type = 'survey.responded'
QUALIFY row_number() OVER (PARTITION BY case_id, survey_id ORDER BY pos DESC) = 1;

CREATE OR REPLACE TABLE survey_sent AS
SELECT * FROM timeline WHERE type = 'survey.sent'
QUALIFY row_number() OVER (PARTITION BY case_id, survey_id ORDER BY pos) = 1;

INSERT INTO fact
SELECT kind || '_responses', coalesce(route, 'unset'), moment, q, c, p, 1, NULL FROM survey_response
UNION ALL
SELECT 'csat_top2', coalesce(route, 'unset'), moment, q, c, p, 1, NULL FROM survey_response WHERE kind = 'csat' AND score >= 4
UNION ALL
SELECT 'nps_promoters', coalesce(route, 'unset'), moment, q, c, p, 1, NULL FROM survey_response WHERE kind = 'nps' AND score >= 9
UNION ALL
SELECT 'nps_detractors', coalesce(route, 'unset'), moment, q, c, p, 1, NULL FROM survey_response WHERE kind = 'nps' AND score <= 6
UNION ALL
SELECT 'ces_sum', coalesce(route, 'unset'), moment, q, c, p, round(1000 * score)::BIGINT, NULL FROM survey_response WHERE kind = 'ces'
UNION ALL
SELECT 'ces_low_effort', coalesce(route, 'unset'), moment, q, c, p, 1, NULL FROM survey_response WHERE kind = 'ces' AND score >= 5
UNION ALL
SELECT 'survey_sent_' || kind, coalesce(route, 'unset'), moment, q, c, p, 1, NULL FROM survey_sent
UNION ALL
SELECT 'survey_returned_' || s.kind, coalesce(s.route, 'unset'), s.moment, s.q, s.c, s.p, 1, NULL
FROM survey_sent AS s SEMI JOIN survey_response AS r USING (case_id, survey_id);
