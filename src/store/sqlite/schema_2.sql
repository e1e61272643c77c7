-- Schema 2: an alert that joins leaves the body as it is. The head says how many there were, and which journal line
-- has the newest one that joined since the body was written. Incidents of schema 1 have all of that in their body.
ALTER TABLE incident ADD COLUMN alerts INTEGER;
ALTER TABLE incident ADD COLUMN joined INTEGER;
