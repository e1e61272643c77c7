-- Schema 8: what requests with an idempotency key were told, for a day: one that comes again is told the same and does
-- nothing. `body` is JSON.
CREATE TABLE response (
    source    TEXT    NOT NULL,
    operation TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    body      TEXT    NOT NULL,
    PRIMARY KEY (source, operation, key)
) WITHOUT ROWID;
