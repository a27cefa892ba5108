-- Facts of contacts and of the queue. They carry the contact's queue and channel and the case's priority.

INSERT INTO fact
SELECT 'offered', NULL, contact_opened_at, cq, cc, p, 1, NULL FROM contact
UNION ALL
SELECT 'no_customer', NULL, contact_opened_at, cq, cc, p, 1, NULL FROM contact
WHERE case_id NOT IN (SELECT case_id FROM event WHERE customer_id IS NOT NULL);

CREATE OR REPLACE TABLE answered AS
WITH first_outcome AS (
    SELECT case_id, contact_id, type, moment, pos, cq, cc, p FROM timeline
    WHERE type IN ('contact.answered', 'contact.abandoned', 'contact.callback_requested')
    QUALIFY row_number() OVER (PARTITION BY case_id, contact_id ORDER BY pos) = 1
)
SELECT * FROM first_outcome WHERE type = 'contact.answered';

INSERT INTO fact SELECT 'answered', NULL, moment, cq, cc, p, 1, NULL FROM answered;

CREATE OR REPLACE TABLE handled AS
WITH ended AS (
    SELECT * FROM timeline WHERE type = 'contact.ended'
    QUALIFY row_number() OVER (PARTITION BY case_id, contact_id ORDER BY pos) = 1
)
SELECT e.moment, e.cq, e.cc, e.p,
    CASE WHEN coalesce(talk_s, hold_s, after_contact_s) IS NOT NULL
         THEN round(1000 * (coalesce(talk_s, 0) + coalesce(hold_s, 0) + coalesce(after_contact_s, 0)))::BIGINT
         ELSE e.moment - a.moment END AS handle_time
FROM ended AS e LEFT JOIN answered AS a USING (case_id, contact_id);

INSERT INTO fact
SELECT 'handle_time', NULL, moment, cq, cc, p, 1, greatest(handle_time, 0) FROM handled WHERE handle_time IS NOT NULL
UNION ALL
SELECT 'handle_time_ms', NULL, moment, cq, cc, p, greatest(handle_time, 0), NULL FROM handled WHERE handle_time IS NOT NULL
UNION ALL
SELECT 'clamped', NULL, moment, cq, cc, p, 1, NULL FROM handled WHERE handle_time < 0;

CREATE OR REPLACE TABLE queued AS
SELECT c.*, t.cq AS oq, t.cc AS oc, t.p AS op
FROM contact AS c LEFT JOIN timeline AS t ON t.case_id = c.case_id AND t.pos = c.outcome_pos
WHERE list_contains(getvariable('queued_channels'), c.cc);

INSERT INTO fact
SELECT 'queue_answered', NULL, outcome_at, oq, oc, op, 1, NULL FROM queued WHERE outcome = 'contact.answered'
UNION ALL
SELECT 'speed_of_answer', NULL, outcome_at, oq, oc, op, 1, wait FROM queued WHERE outcome = 'contact.answered'
UNION ALL
SELECT 'speed_of_answer_ms', NULL, outcome_at, oq, oc, op, wait, NULL FROM queued WHERE outcome = 'contact.answered'
UNION ALL
SELECT 'queue_answered_within', NULL, outcome_at, oq, oc, op, 1, NULL FROM queued
WHERE outcome = 'contact.answered' AND wait <= getvariable('service_level_target')
UNION ALL
SELECT CASE WHEN wait >= getvariable('short_abandon') THEN 'queue_abandoned' ELSE 'queue_abandoned_short' END,
    NULL, outcome_at, oq, oc, op, 1, NULL FROM queued WHERE outcome = 'contact.abandoned'
UNION ALL
SELECT 'queue_abandoned_within', NULL, outcome_at, oq, oc, op, 1, NULL FROM queued
WHERE outcome = 'contact.abandoned' AND wait <= getvariable('service_level_target')
UNION ALL
SELECT 'clamped', NULL, outcome_at, oq, oc, op, 1, NULL FROM queued WHERE wait_clamped;

-- Reached T without an outcome: the contact's cell after everything up to and with that instant.
INSERT INTO fact
WITH reached AS (
    SELECT *, contact_opened_at + getvariable('service_level_target') AS reached_at FROM queued
    WHERE (outcome IS NULL OR wait > getvariable('service_level_target'))
      AND contact_opened_at + getvariable('service_level_target') <= getvariable('watermark')
)
SELECT 'queue_reached', NULL, r.reached_at,
    arg_max(t.cq, t.pos) FILTER (t.contact_id = r.contact_id AND t.pos >= r.opened_pos),
    arg_max(t.cc, t.pos) FILTER (t.contact_id = r.contact_id AND t.pos >= r.opened_pos),
    arg_max(t.p, t.pos), 1, NULL
FROM reached AS r JOIN timeline AS t
  ON t.case_id = r.case_id AND (t.moment <= r.reached_at OR t.pos <= r.opened_pos)
GROUP BY r.case_id, r.contact_id, r.reached_at;
