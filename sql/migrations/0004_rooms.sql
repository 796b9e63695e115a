-- Version 4: conversations of more than two people.

-- if conversations.id and no conversations.name
ALTER TABLE conversations ADD COLUMN name VARCHAR(64);
-- if conversations.id and no conversations.topic
ALTER TABLE conversations ADD COLUMN topic VARCHAR(256);
-- if conversations.id and no conversations.icon
ALTER TABLE conversations ADD COLUMN icon VARCHAR(16);
-- if conversations.id and no conversations.color
ALTER TABLE conversations ADD COLUMN color INTEGER DEFAULT 0;
-- if conversations.id and no conversations.open
ALTER TABLE conversations ADD COLUMN open INTEGER DEFAULT 0;
-- if conversations.id and no conversations.created_by
ALTER TABLE conversations ADD COLUMN created_by INTEGER;
-- if conversations.id and no conversations.created_at
ALTER TABLE conversations ADD COLUMN created_at DATETIME(3);
-- if conversations.id and no conversations.archived_at
ALTER TABLE conversations ADD COLUMN archived_at DATETIME(3);

-- if members.user_id and no members.role
ALTER TABLE members ADD COLUMN role VARCHAR(16) NOT NULL DEFAULT 'member';
-- if members.user_id and no members.notify
ALTER TABLE members ADD COLUMN notify VARCHAR(16) NOT NULL DEFAULT 'all';
-- if members.user_id and no members.joined_at
ALTER TABLE members ADD COLUMN joined_at DATETIME(3);

-- A message to a room has no receiver. SQLite cannot make a column nullable, so the rows move into a new table.
-- if messages.seq and no messages.kind
CREATE TABLE IF NOT EXISTS messages_of_version_4 (
    id               INTEGER NOT NULL PRIMARY KEY /*! AUTO_INCREMENT */,
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    sender_id        INTEGER NOT NULL,
    receiver_id      INTEGER,
    message          TEXT NOT NULL,
    timestamp        DATETIME(3) NOT NULL,
    client_id        VARCHAR(64) NOT NULL,
    kind             VARCHAR(16) NOT NULL DEFAULT 'text',
    mentions         VARCHAR(512) NOT NULL DEFAULT '',
    UNIQUE (conversation_id, seq),
    UNIQUE (sender_id, client_id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- if messages.seq and no messages.kind
-- in batches of messages.id
INSERT INTO messages_of_version_4 (id, conversation_id, seq, sender_id, receiver_id, message, timestamp, client_id)
    SELECT id, conversation_id, seq, sender_id, receiver_id, message, timestamp, client_id FROM messages
    WHERE id > %s AND id <= %s AND id > (SELECT COALESCE(MAX(id), 0) FROM messages_of_version_4);

-- if messages_of_version_4.kind and messages.seq and no messages.kind
DROP TABLE messages;

-- if messages_of_version_4.kind and no messages.seq
ALTER TABLE messages_of_version_4 RENAME TO messages;

CREATE TABLE IF NOT EXISTS mentions (
    user_id          INTEGER NOT NULL DEFAULT 0,
    conversation_id  INTEGER NOT NULL,
    seq              INTEGER NOT NULL,
    sender_id        INTEGER NOT NULL,
    PRIMARY KEY (user_id, conversation_id, seq)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;
