-- Schema 3: when each person was last proven to be reached by each channel. Kept apart from the incidents, which
-- retention may drop.
CREATE TABLE contact_proof (
    person   TEXT    NOT NULL,
    channel  TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    how      TEXT    NOT NULL,
    drill    INTEGER NOT NULL,
    incident INTEGER NOT NULL,
    PRIMARY KEY (person, channel)
) WITHOUT ROWID;
