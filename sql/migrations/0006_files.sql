-- Version 6: files with messages.

-- if messages.seq and no messages.files
ALTER TABLE messages ADD COLUMN files INTEGER NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS files (
    id            INTEGER NOT NULL PRIMARY KEY /*! AUTO_INCREMENT */,
    user_id       INTEGER NOT NULL,
    client_id     VARCHAR(64) NOT NULL,
    hash          VARCHAR(64) NOT NULL,
    name          VARCHAR(255) NOT NULL,
    type          VARCHAR(64) NOT NULL,
    size          INTEGER NOT NULL DEFAULT 0,
    width         INTEGER,
    height        INTEGER,
    alt           VARCHAR(1000),
    duration      INTEGER,
    is_animated   INTEGER NOT NULL DEFAULT 0,
    has_preview   INTEGER NOT NULL DEFAULT 0,
    created_at    DATETIME(3) NOT NULL,
    unheld_since  DATETIME(3),
    UNIQUE (user_id, client_id),
    UNIQUE (hash, id),
    UNIQUE (unheld_since, id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS message_files (
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    position         INTEGER NOT NULL DEFAULT 0,
    file_id          INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, seq, position),
    UNIQUE (file_id, conversation_id, seq)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS content_removals (
    hash          VARCHAR(64) NOT NULL PRIMARY KEY,
    at            DATETIME(3) NOT NULL
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;
