-- Schema 1. Times are microseconds since 1970 in UTC; bodies are JSON.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- An incident's small head: what every event changes.
CREATE TABLE incident (
    id       INTEGER PRIMARY KEY,
    key      TEXT    NOT NULL,
    open     INTEGER NOT NULL,
    deadline INTEGER,
    seq      INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    at       INTEGER NOT NULL
);
CREATE INDEX incident_open ON incident (key) WHERE open = 1;

-- The rest of an incident, without its plan and its pages: what a move of a ladder changes.
CREATE TABLE body (
    incident INTEGER PRIMARY KEY,
    plan     TEXT NOT NULL,
    body     TEXT NOT NULL
);

-- Frozen plans by the hash of their content: many incidents share one.
CREATE TABLE plan (
    hash TEXT PRIMARY KEY,
    body TEXT NOT NULL
);

-- The outbox. `owed`: there is still work for it, which `epoch` has claimed.
CREATE TABLE page (
    incident INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    owed     INTEGER NOT NULL,
    epoch    INTEGER,
    state    TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (incident, n)
) WITHOUT ROWID;
CREATE INDEX page_owed ON page (epoch, incident, n) WHERE owed = 1;

CREATE TABLE journal (
    pos   INTEGER PRIMARY KEY,
    chain TEXT    NOT NULL,
    seq   INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    hash  BLOB    NOT NULL,
    body  TEXT    NOT NULL,
    UNIQUE (chain, seq)
);

-- Heads of the chains that are not an incident's: sources, anchors.
CREATE TABLE chain (
    name TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL,
    hash BLOB    NOT NULL
) WITHOUT ROWID;

-- What triggers have counted.
CREATE TABLE observed (
    name TEXT PRIMARY KEY,
    at   INTEGER NOT NULL,
    body TEXT    NOT NULL
) WITHOUT ROWID;

-- Texts that were shown, by the hash of their content.
CREATE TABLE text (
    hash TEXT PRIMARY KEY,
    body TEXT NOT NULL
);
