-- The ordered history of each case and what its dimensions were after every event.
-- Out: timeline (one row per event: pos from 0, opening first; q, c, p, t = the case's cell after it;
-- cq, cc, ct = the cell of the event's contact after it), opening, contact.

CREATE OR REPLACE TABLE ordered AS
SELECT *,
    type = 'contact.opened' AND row_number() OVER (
        PARTITION BY case_id, type ORDER BY moment, event_id, content) = 1 AS is_opening
FROM event;

CREATE OR REPLACE TABLE placed AS
SELECT *, row_number() OVER (
    PARTITION BY case_id ORDER BY is_opening DESC, moment, rank, event_id, content) - 1 AS pos
FROM ordered;

CREATE OR REPLACE TABLE opening AS
SELECT case_id, moment AS opened_at, contact_id, reason, due_first_reply, due_resolution FROM placed WHERE is_opening;

CREATE OR REPLACE TABLE timeline AS
WITH changes AS (
    SELECT *,
        CASE WHEN is_opening THEN coalesce(queue, 'unset') WHEN type = 'contact.transferred' THEN to_queue END AS new_q,
        CASE WHEN is_opening THEN coalesce(channel, 'unset') WHEN type = 'case.reclassified' THEN channel END AS new_c,
        CASE WHEN is_opening THEN coalesce(priority, 'unset') WHEN type = 'case.priority_changed' THEN priority END AS new_p,
        CASE WHEN is_opening THEN coalesce(team, 'unset')
             WHEN type IN ('contact.transferred', 'case.escalated') THEN to_team
             WHEN type = 'case.reclassified' THEN team END AS new_t
    FROM placed
), of_case AS (
    SELECT *,
        coalesce(last_value(new_q IGNORE NULLS) OVER so_far, 'unset') AS q,
        coalesce(last_value(new_c IGNORE NULLS) OVER so_far, 'unset') AS c,
        coalesce(last_value(new_p IGNORE NULLS) OVER so_far, 'unset') AS p,
        coalesce(last_value(new_t IGNORE NULLS) OVER so_far, 'unset') AS t
    FROM changes
    WINDOW so_far AS (PARTITION BY case_id ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), numbered AS (
    SELECT *, type = 'contact.opened' AND row_number() OVER (PARTITION BY case_id, contact_id, type ORDER BY pos) = 1 AS opens_contact
    FROM of_case
), contact_changes AS (
    SELECT *,
        CASE WHEN opens_contact THEN coalesce(queue, q) WHEN type = 'contact.transferred' THEN to_queue END AS new_cq,
        CASE WHEN opens_contact THEN coalesce(channel, c) END AS new_cc,
        CASE WHEN opens_contact THEN coalesce(team, t) WHEN type = 'contact.transferred' THEN to_team END AS new_ct,
        max(CASE WHEN opens_contact THEN 1 ELSE 0 END) OVER so_far AS contact_known
    FROM numbered
    WINDOW so_far AS (PARTITION BY case_id, contact_id ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT * EXCLUDE (new_q, new_c, new_p, new_t, new_cq, new_cc, new_ct, content),
    CASE WHEN contact_known = 1 THEN last_value(new_cq IGNORE NULLS) OVER so_far ELSE q END AS cq,
    CASE WHEN contact_known = 1 THEN last_value(new_cc IGNORE NULLS) OVER so_far ELSE c END AS cc,
    CASE WHEN contact_known = 1 THEN last_value(new_ct IGNORE NULLS) OVER so_far ELSE t END AS ct
FROM contact_changes
WINDOW so_far AS (PARTITION BY case_id, contact_id ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);

-- One row per contact that has a contact.opened, with the outcome of its wait.
CREATE OR REPLACE TABLE contact AS
WITH outcome AS (
    SELECT case_id, contact_id, type AS outcome, moment AS outcome_at, pos AS outcome_pos
    FROM timeline WHERE contact_known = 1
      AND type IN ('contact.answered', 'contact.abandoned', 'contact.callback_requested')
    QUALIFY row_number() OVER (PARTITION BY case_id, contact_id ORDER BY pos) = 1
)
SELECT o.case_id, o.contact_id, o.moment AS contact_opened_at, o.pos AS opened_pos, o.cq, o.cc, o.ct, o.p,
    o.reason, outcome, outcome_at, outcome_pos,
    greatest(outcome_at - o.moment, 0) AS wait, outcome_at < o.moment AS wait_clamped
FROM timeline AS o LEFT JOIN outcome USING (case_id, contact_id)
WHERE o.opens_contact;
