-- Schema 5: what can not be read any more is set aside, so that it stops nothing else. `row` names it as the command
-- line does, `body` says in JSON what is known of it and whether somebody has looked at it.
CREATE TABLE quarantine (
    row  TEXT PRIMARY KEY,
    body TEXT NOT NULL
) WITHOUT ROWID;

-- Keys of what Stentor opens itself are marked as its own. A trigger's key begins with its trigger's name, so that one
-- which begins otherwise, with one of these words, is such a key.
UPDATE incident SET key = CASE WHEN key GLOB 'drill:*' THEN 'drill:stentor:' || substr(key, 7) ELSE 'stentor:' || key END
WHERE open = 1 AND id IN (
    SELECT incident FROM (
        SELECT b.incident AS incident,
            CASE WHEN i.key GLOB 'drill:*' THEN substr(i.key, 7) ELSE i.key END AS plain,
            CASE WHEN json_valid(b.body) THEN b.body->>'$.trigger' END AS of_trigger
        FROM incident i JOIN body b ON b.incident = i.id WHERE i.open = 1
    )
    WHERE (plain GLOB 'channel/*' OR plain GLOB 'condition/*' OR plain GLOB 'by-hand/*' OR plain GLOB 'opt-out/*'
            OR plain GLOB 'run/*')
        AND of_trigger IS NOT NULL
        AND (of_trigger = 'by-hand' OR substr(plain, 1, length(of_trigger) + 1) <> of_trigger || '/')
);
