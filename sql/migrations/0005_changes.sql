-- Version 5: messages that change. Each column is added at the end of its table, which moves no row.

-- if messages.seq and no messages.reply_to
ALTER TABLE messages ADD COLUMN reply_to INTEGER;
-- if messages.seq and no messages.edited_at
ALTER TABLE messages ADD COLUMN edited_at DATETIME(3);
-- if messages.seq and no messages.deleted_at
ALTER TABLE messages ADD COLUMN deleted_at DATETIME(3);
-- if messages.seq and no messages.last_change
ALTER TABLE messages ADD COLUMN last_change INTEGER NOT NULL DEFAULT 0;

-- if members.user_id and no members.unread_from
ALTER TABLE members ADD COLUMN unread_from INTEGER NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS changes (
    id               INTEGER NOT NULL PRIMARY KEY /*! AUTO_INCREMENT */,
    conversation_id  INTEGER NOT NULL,
    number           INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    kind             VARCHAR(16) NOT NULL,
    actor_id         INTEGER NOT NULL,
    client_id        VARCHAR(64) NOT NULL,
    at               DATETIME(3) NOT NULL,
    UNIQUE (conversation_id, number),
    UNIQUE (conversation_id, seq, number),
    UNIQUE (actor_id, client_id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS reactions (
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,
    emoji            VARCHAR(32) NOT NULL,
    at               DATETIME(3) NOT NULL,
    PRIMARY KEY (conversation_id, seq, user_id, emoji)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS pins (
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    user_id          INTEGER NOT NULL,
    at               DATETIME(3) NOT NULL,
    PRIMARY KEY (conversation_id, seq)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;
