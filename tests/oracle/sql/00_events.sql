-- Input messages -> one row per accepted event, all instants in epoch milliseconds.
-- In: table raw(topic, event STRUCT). Out: table input, table event (distinct, without exempt cases).

CREATE OR REPLACE MACRO instant(written) AS
    coalesce(TRY_CAST(written AS BIGINT), epoch_ms(TRY_CAST(written AS TIMESTAMPTZ)));

CREATE OR REPLACE MACRO present(written) AS nullif(written, '');

CREATE OR REPLACE MACRO type_rank(type) AS coalesce(list_position([
    'contact.opened', 'contact.answered', 'contact.abandoned', 'contact.callback_requested',
    'contact.transferred', 'message.customer', 'message.representative', 'case.status_changed',
    'case.priority_changed', 'case.reclassified', 'case.flagged', 'case.customer_changed',
    'case.escalated', 'commitment.made', 'commitment.revised', 'commitment.fulfilled',
    'contact.ended', 'case.reopened', 'case.resolved', 'case.closed', 'case.merged',
    'case.cancelled', 'survey.sent', 'survey.responded'], type), 0) - 1;

-- A finished record counts as the events it is made of, with ids `<event_id>#<type>`.
CREATE OR REPLACE TABLE input AS
WITH whole AS (
    SELECT e, e.type AS type, instant(e.occurred_at) AS moment, present(e.event_id) AS event_id
    FROM (SELECT event AS e FROM raw) WHERE e.type NOT IN ('contact.recorded', 'source.progress')
), part AS (
    SELECT e, present(e.event_id) AS recorded_id, unnest([
        {'type': 'contact.opened', 'moment': e.opened_at}, {'type': 'contact.answered', 'moment': e.answered_at},
        {'type': 'contact.abandoned', 'moment': e.abandoned_at}, {'type': 'contact.ended', 'moment': e.ended_at},
        {'type': 'case.resolved', 'moment': e.resolved_at}]) AS piece
    FROM (SELECT event AS e FROM raw) WHERE e.type = 'contact.recorded'
), every AS (
    SELECT e, type, moment, event_id FROM whole
    UNION ALL
    SELECT e, piece.type, instant(piece.moment), coalesce(recorded_id, md5(e::VARCHAR)) || '#' || piece.type
    FROM part WHERE piece.moment IS NOT NULL
), flat AS (
    SELECT type, type_rank(type) AS rank, moment, event_id,
        coalesce(present(e.case_id), present(e.contact_id), present(e.survey_id)) AS case_id,
        coalesce(present(e.contact_id), present(e.case_id)) AS contact_id,
        present(e.customer_id) AS customer_id,
        present(e.queue) AS queue, present(e.channel) AS channel, present(e.priority) AS priority,
        present(e.team) AS team, present(e.reason) AS reason,
        present(e.to_queue) AS to_queue, present(e.to_team) AS to_team,
        instant(e.due.first_reply) AS due_first_reply, instant(e.due.resolution) AS due_resolution,
        coalesce(e.flags, []) AS flags,
        e.talk_s AS talk_s, e.hold_s AS hold_s, e.after_contact_s AS after_contact_s,
        coalesce(e.public, false) AS public, coalesce(e.automated, false) AS automated,
        present(e.status) AS status, present(e.survey_id) AS survey_id, present(e.kind) AS kind,
        e.score AS score, present(e.route) AS route
    FROM every AS source
)
SELECT flat.* REPLACE (coalesce(event_id, md5(flat::VARCHAR)) AS event_id), md5(flat::VARCHAR) AS content
FROM flat WHERE rank >= 0;

-- The same id twice in one case: the least by (instant, content) counts.
CREATE OR REPLACE TABLE distinct_event AS
SELECT * FROM input
QUALIFY row_number() OVER (PARTITION BY case_id, event_id ORDER BY moment, content) = 1;

CREATE OR REPLACE TABLE exempt AS
SELECT DISTINCT case_id FROM distinct_event
WHERE type IN ('case.merged', 'case.cancelled')
   OR (type IN ('contact.opened', 'case.flagged') AND list_has_any(flags, ['synthetic', 'internal', 'spam']));

CREATE OR REPLACE TABLE event AS
SELECT * FROM distinct_event WHERE case_id NOT IN (FROM exempt);
