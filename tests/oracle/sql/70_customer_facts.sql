-- Repeats: a contact is repeated when the same customer comes back for the same reason within the repeat window.

CREATE OR REPLACE TABLE customer_contact AS
WITH customer AS (
    SELECT case_id, arg_max(customer_id, pos) FILTER (customer_id IS NOT NULL) AS customer_id FROM timeline GROUP BY case_id
), reclassified AS (
    SELECT case_id, arg_max(reason, pos) AS reason FROM timeline
    WHERE type = 'case.reclassified' AND reason IS NOT NULL GROUP BY case_id
)
SELECT c.*  REPLACE (coalesce(r.reason, c.reason) AS reason), k.customer_id,
    c.contact_opened_at AS moment, coalesce(c.outcome = 'contact.abandoned', false) AS abandoned
FROM contact AS c JOIN customer AS k USING (case_id) LEFT JOIN reclassified AS r USING (case_id)
WHERE k.customer_id IS NOT NULL;

CREATE OR REPLACE TABLE customer_event AS
SELECT customer_id, moment, reason, case_id, contact_id, true AS is_contact FROM customer_contact
UNION ALL
SELECT f.customer_id, m.moment, f.reason, f.case_id, NULL, false
FROM machine AS m JOIN opening AS o USING (case_id)
JOIN customer_contact AS f ON f.case_id = m.case_id AND f.contact_id = o.contact_id
WHERE m.is_reopening;

CREATE OR REPLACE TABLE repeat AS
SELECT c.case_id, c.contact_id, bool_or(e.is_contact) AS by_contact, true AS by_any
FROM customer_contact AS c JOIN customer_event AS e ON e.customer_id = c.customer_id
 AND e.moment >= c.moment AND e.moment <= c.moment + getvariable('repeat_window')
WHERE (c.reason IS NULL OR e.reason = c.reason)
  AND (e.moment > c.moment OR (e.is_contact AND (e.contact_id, e.case_id) > (c.contact_id, c.case_id)))
GROUP BY c.case_id, c.contact_id;

CREATE OR REPLACE TABLE verdict AS
SELECT c.*, coalesce(r.by_any, false) AS repeated, coalesce(r.by_contact, false) AS repeated_by_contact,
    c.moment + getvariable('repeat_window') <= getvariable('watermark') AS certain
FROM customer_contact AS c LEFT JOIN repeat AS r USING (case_id, contact_id);

INSERT INTO fact
SELECT 'fcr_eligible', NULL, moment, cq, cc, p, 1, NULL FROM verdict WHERE NOT abandoned
UNION ALL SELECT 'fcr_resolved', NULL, moment, cq, cc, p, 1, NULL FROM verdict WHERE NOT abandoned AND NOT repeated
UNION ALL SELECT 'fcr_final_eligible', NULL, moment, cq, cc, p, 1, NULL FROM verdict WHERE NOT abandoned AND certain
UNION ALL SELECT 'fcr_final_resolved', NULL, moment, cq, cc, p, 1, NULL FROM verdict WHERE NOT abandoned AND NOT repeated AND certain
UNION ALL SELECT 'fcr_gross', NULL, moment, cq, cc, p, 1, NULL FROM verdict
UNION ALL SELECT 'fcr_gross_resolved', NULL, moment, cq, cc, p, 1, NULL FROM verdict WHERE NOT repeated
UNION ALL SELECT 'customer_contacts', NULL, moment, cq, cc, p, 1, NULL FROM verdict
UNION ALL SELECT 'customer_contacts_repeated', NULL, moment, cq, cc, p, 1, NULL FROM verdict WHERE repeated_by_contact
UNION ALL SELECT 'fcr_coarse', NULL, moment, cq, cc, p, 1, NULL FROM verdict WHERE reason IS NULL;
