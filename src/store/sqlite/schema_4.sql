-- Schema 4: runs of drills, and when the scheduled ones run next. Times are microseconds since 1970 in UTC; bodies are JSON.
CREATE TABLE drill_run (
    id       INTEGER PRIMARY KEY,
    scenario TEXT    NOT NULL,
    hash     TEXT    NOT NULL,
    started  INTEGER NOT NULL,
    ended    INTEGER,
    state    TEXT    NOT NULL,
    body     TEXT    NOT NULL
);

CREATE TABLE drill_turn (
    scenario TEXT PRIMARY KEY,
    next     INTEGER NOT NULL,
    body     TEXT    NOT NULL
) WITHOUT ROWID;
