-- Schema 7: alerts that only repeat themselves are counted, and one line of the journal tells of many.

-- What was counted since the last line that tells of some, in JSON with the last of them; NULL where nothing was.
ALTER TABLE incident ADD COLUMN repeats TEXT;

-- Alerts of a source that opened nothing: how many of one kind had the same result since when, in JSON. The first ones
-- are in the journal.
CREATE TABLE tally (
    source TEXT NOT NULL,
    name   TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (source, name)
) WITHOUT ROWID;
