-- Schema 9: the keys with which the packets of requests are encrypted. A key that was destroyed is not here any more.
CREATE TABLE request_key (
    incident INTEGER PRIMARY KEY,
    key      BLOB    NOT NULL
);
