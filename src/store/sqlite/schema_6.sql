-- Schema 6: pages and people are found by an index, however many incidents are open, and an incident has a random value
-- that tells it from one of the same number after a restored backup.

-- 16 bytes; NULL for incidents of before, whose codes and links stay as they were.
ALTER TABLE incident ADD COLUMN nonce BLOB;
CREATE INDEX incident_open_id ON incident (id) WHERE open = 1;

-- `asks`: the person whom a brief asks; NULL for every other page. `receipt`: what its provider calls it.
ALTER TABLE page ADD COLUMN asks    TEXT;
ALTER TABLE page ADD COLUMN channel TEXT;
ALTER TABLE page ADD COLUMN receipt TEXT;
UPDATE page SET channel = body->>'$.channel', receipt = body->>'$.receipt.id',
    asks = CASE body->>'$.purpose.purpose' WHEN 'brief' THEN body->>'$.person' END
    WHERE json_valid(body);
-- A page whose body can not be read was born by a line of the journal.
UPDATE page SET (channel, asks) = (
    SELECT line->>'$.page.channel', CASE line->>'$.page.purpose.purpose' WHEN 'brief' THEN line->>'$.page.person' END
    FROM (SELECT CASE WHEN json_valid(j.body) THEN j.body END AS line FROM journal j WHERE j.chain = 'INC-' || page.incident)
    WHERE line->>'$.event' = 'paged' AND line->>'$.page.n' = page.n)
    WHERE NOT json_valid(body);
CREATE INDEX page_asks ON page (asks, incident, n) WHERE asks IS NOT NULL;
CREATE INDEX page_receipt ON page (channel, receipt, incident, n) WHERE receipt IS NOT NULL;

-- Who was asked in which incident, whether it waits for them, and when it ended; NULL while it is open. Of incidents that
-- ended before there was this table it is the time of their last event.
CREATE TABLE asked (
    person   TEXT    NOT NULL,
    incident INTEGER NOT NULL,
    waits    INTEGER NOT NULL,
    ended    INTEGER,
    PRIMARY KEY (person, incident)
) WITHOUT ROWID;
INSERT INTO asked (person, incident, waits, ended)
    SELECT DISTINCT p.asks, p.incident, 0, CASE i.open WHEN 1 THEN NULL ELSE i.at END
    FROM page p JOIN incident i ON i.id = p.incident WHERE p.asks IS NOT NULL;
-- An open incident waits for whoever has a brief about a role that nobody has, and has not passed that on. One whose body
-- can not be read is taken to wait: it hides nothing from anybody.
UPDATE asked SET waits = 1 WHERE ended IS NULL AND EXISTS (
    SELECT 1 FROM page p JOIN body b ON b.incident = p.incident
    WHERE p.asks = asked.person AND p.incident = asked.incident AND (NOT json_valid(b.body) OR EXISTS (
        SELECT 1 FROM json_each(CASE WHEN json_valid(b.body) THEN b.body ELSE '{}' END, '$.engagements') e
        WHERE e.key = CASE WHEN json_valid(p.body) THEN p.body->>'$.role' END
            AND e.value->>'$.outcome' IS NULL
            AND NOT EXISTS (SELECT 1 FROM json_each(e.value, '$.unable') u WHERE u.value = p.asks))));
CREATE INDEX asked_open ON asked (person, waits, incident) WHERE ended IS NULL;
CREATE INDEX asked_ended ON asked (person, ended, incident) WHERE ended IS NOT NULL;
