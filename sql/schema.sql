-- The tables of the chat, for MySQL, MariaDB and SQLite alike.
--
-- MySQL and MariaDB run what stands in /*! ... */, SQLite reads it as a comment. The server runs this file on an empty
-- database; it can also be imported by hand, with phpMyAdmin or: mysql chat < sql/schema.sql
-- A database of an earlier version gets here by sql/migrations: what changes here is a new file there.
--
-- Every index is written as a UNIQUE constraint inside its table, the one form that all three engines share.
-- There are no foreign keys: no user, conversation or message row is ever deleted, and each would cost a message one look-up more.

-- utf8mb4_bin everywhere: what is equal is decided in Python, once, and not by each engine's collation.

CREATE TABLE IF NOT EXISTS users (
    id            INTEGER NOT NULL PRIMARY KEY /*! AUTO_INCREMENT */,
    username      VARCHAR(64) NOT NULL,        -- as it is shown
    username_key  VARCHAR(128) NOT NULL,       -- the canonical form when the account was made: alice, Alice and ALICE are one
    password      VARCHAR(72) NOT NULL,        -- a bcrypt hash
    created_at    DATETIME(3) NOT NULL,        -- UTC
    face          INTEGER NOT NULL DEFAULT 0,  -- which avatar: 0 the first one, others as chat/web/avatars.py numbers them
    UNIQUE (username_key)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- What a name looks like: nobody new may share a form with somebody who is there. chat/accounts/name_index.py completes these
-- three tables for accounts that are older than they are; of two that look alike the older one has the row.
CREATE TABLE IF NOT EXISTS username_skeletons (
    skeleton      VARCHAR(128) NOT NULL PRIMARY KEY,
    user_id       INTEGER NOT NULL,
    UNIQUE (user_id, skeleton)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- One row for each person: the list of people in the order of Unicode's collation.
CREATE TABLE IF NOT EXISTS username_sort_keys (
    sort_key      VARCHAR(128) NOT NULL,
    user_id       INTEGER NOT NULL,
    PRIMARY KEY (sort_key, user_id),
    UNIQUE (user_id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- Each suffix of each name, as base letters: "contains" becomes "begins with", which an index answers.
CREATE TABLE IF NOT EXISTS username_suffixes (
    suffix        VARCHAR(128) NOT NULL,
    user_id       INTEGER NOT NULL,
    PRIMARY KEY (suffix, user_id),
    UNIQUE (user_id, suffix)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS conversations (
    id            INTEGER NOT NULL PRIMARY KEY /*! AUTO_INCREMENT */,
    kind          VARCHAR(16) NOT NULL,        -- 'direct' or 'room'
    lower_id      INTEGER,                     -- the two people of a direct one, the smaller id first,
    higher_id     INTEGER,                     -- so that a pair can have one conversation only; NULL in a room, as below in a direct one
    name          VARCHAR(64),
    topic         VARCHAR(256),
    icon          VARCHAR(16),                 -- one of chat/conversations/room.py
    color         INTEGER DEFAULT 0,           -- the number of a tint
    open          INTEGER DEFAULT 0,           -- 1: it is listed, and anyone may join
    created_by    INTEGER,
    created_at    DATETIME(3),                 -- UTC
    archived_at   DATETIME(3),                 -- UTC; from then on nothing more is written
    UNIQUE (lower_id, higher_id),
    UNIQUE (higher_id, lower_id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS members (
    conversation_id  INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,
    read_seq         INTEGER NOT NULL DEFAULT 0,   -- the last seq this person has read; it only grows
    role             VARCHAR(16) NOT NULL DEFAULT 'member',    -- 'owner' or 'member'
    notify           VARCHAR(16) NOT NULL DEFAULT 'all',       -- of what an open tab tells: 'all', 'mentions' or 'none'
    joined_at        DATETIME(3),                  -- UTC; NULL in a direct conversation
    unread_from      INTEGER NOT NULL DEFAULT 0,   -- the seq from which this person wants it shown as unread; 0: none
    PRIMARY KEY (conversation_id, user_id),
    UNIQUE (user_id, conversation_id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- When a person's delivered or read mark reached a seq. The times in the details of a message come from here.
CREATE TABLE IF NOT EXISTS receipts (
    conversation_id  INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,
    kind             VARCHAR(16) NOT NULL,     -- 'delivered' or 'read'
    seq              INTEGER NOT NULL,         -- everything up to it
    at               DATETIME(3) NOT NULL,     -- UTC, the server's clock
    PRIMARY KEY (conversation_id, user_id, kind, seq)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS messages (
    id               INTEGER NOT NULL PRIMARY KEY /*! AUTO_INCREMENT */,
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,         -- 1, 2, 3 ... without a gap in each conversation
    sender_id        INTEGER NOT NULL,
    receiver_id      INTEGER,                  -- NULL in a room
    message          TEXT NOT NULL,            -- of a notice: what happened, as JSON; empty once it is deleted
    timestamp        DATETIME(3) NOT NULL,     -- UTC, the server's clock; order never depends on it
    client_id        VARCHAR(64) NOT NULL,     -- made by the sender's browser; the same one again stores nothing
    kind             VARCHAR(16) NOT NULL DEFAULT 'text',      -- 'text' or 'notice'
    mentions         VARCHAR(512) NOT NULL DEFAULT '',         -- id:start:length of each, with a space between; id 0: everybody
    reply_to         INTEGER,                  -- the seq of the message that this one answers
    edited_at        DATETIME(3),              -- UTC
    deleted_at       DATETIME(3),              -- UTC
    last_change      INTEGER NOT NULL DEFAULT 0,   -- the number of the latest row in `changes` about it
    files            INTEGER NOT NULL DEFAULT 0,   -- how many it has: only where there are some, message_files is asked
    UNIQUE (conversation_id, seq),
    UNIQUE (sender_id, client_id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- The same mentions by user: a badge counts those after the read mark.
CREATE TABLE IF NOT EXISTS mentions (
    user_id          INTEGER NOT NULL DEFAULT 0,   -- 0: everybody
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    sender_id        INTEGER NOT NULL,
    PRIMARY KEY (user_id, conversation_id, seq)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- What has happened to messages that are there. A row is a pointer and no difference: "message 7 is another now".
-- So a text that was deleted is in none of them.
CREATE TABLE IF NOT EXISTS changes (
    id               INTEGER NOT NULL PRIMARY KEY /*! AUTO_INCREMENT */,
    conversation_id  INTEGER NOT NULL,
    number           INTEGER NOT NULL,         -- 1, 2, 3 ... without a gap in each conversation
    seq              INTEGER NOT NULL,         -- of the message
    kind             VARCHAR(16) NOT NULL,     -- 'edit', 'delete', 'react', 'unreact', 'pin' or 'unpin'
    actor_id         INTEGER NOT NULL,
    client_id        VARCHAR(64) NOT NULL,     -- made by the actor's browser; the same one again changes nothing
    at               DATETIME(3) NOT NULL,     -- UTC, the server's clock
    UNIQUE (conversation_id, number),
    UNIQUE (conversation_id, seq, number),
    UNIQUE (actor_id, client_id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS reactions (
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,
    emoji            VARCHAR(32) NOT NULL,
    at               DATETIME(3) NOT NULL,     -- UTC
    PRIMARY KEY (conversation_id, seq, user_id, emoji)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS pins (
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,         -- who has pinned it
    at               DATETIME(3) NOT NULL,     -- UTC
    PRIMARY KEY (conversation_id, seq)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- What people have uploaded. The content itself is in a folder or in S3, under its hash: two files with the same one share it.
CREATE TABLE IF NOT EXISTS files (
    id            INTEGER NOT NULL PRIMARY KEY /*! AUTO_INCREMENT */,
    user_id       INTEGER NOT NULL,            -- who has uploaded it
    client_id     VARCHAR(64) NOT NULL,        -- made by the uploader's browser; the same one again uploads nothing
    hash          VARCHAR(64) NOT NULL,        -- SHA-256 of the content as it is kept, in hexadecimal
    name          VARCHAR(255) NOT NULL,       -- as the uploader's machine calls it; nothing is opened by it
    type          VARCHAR(64) NOT NULL,        -- by its content
    size          INTEGER NOT NULL DEFAULT 0,  -- bytes
    width         INTEGER,                     -- of an image, in pixels
    height        INTEGER,
    alt           VARCHAR(1000),               -- what an image shows, in words
    duration      INTEGER,                     -- milliseconds, as the uploader says
    is_animated   INTEGER NOT NULL DEFAULT 0,
    has_preview   INTEGER NOT NULL DEFAULT 0,  -- 1: the store has a small picture of it
    created_at    DATETIME(3) NOT NULL,        -- UTC
    unheld_since  DATETIME(3),                 -- UTC; NULL while a message holds it. A day later it is removed
    UNIQUE (user_id, client_id),
    UNIQUE (hash, id),
    UNIQUE (unheld_since, id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- Which message holds which files: who sees the message may fetch them.
CREATE TABLE IF NOT EXISTS message_files (
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    position         INTEGER NOT NULL DEFAULT 0,   -- in the message, from 0
    file_id          INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, seq, position),
    UNIQUE (file_id, conversation_id, seq)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- Contents that a process is removing just now: whoever uploads the same content waits until it is done.
CREATE TABLE IF NOT EXISTS content_removals (
    hash          VARCHAR(64) NOT NULL PRIMARY KEY,
    at            DATETIME(3) NOT NULL         -- UTC; after a minute another process takes over
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- Which version of the schema this is, and how it came about: python3 manage.py migrate --list shows it.
CREATE TABLE IF NOT EXISTS schema_migrations (
    version  INTEGER NOT NULL PRIMARY KEY,     -- 0: the lease of the process that changes the schema just now
    name     VARCHAR(64) NOT NULL,             -- the file that led there; of 0 whose lease it is
    state    VARCHAR(16) NOT NULL,             -- 'found', 'running' or 'done'; of 0 'lease'
    at       DATETIME(3) NOT NULL              -- UTC; of 0 when it was renewed
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;
