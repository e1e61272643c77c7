-- Schema 10: what triggers know of the alerts of one key besides their counts, and the alerts that wait.
CREATE TABLE judgement (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
) WITHOUT ROWID;
