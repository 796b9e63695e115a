-- Version 2: tables are called what the field calls what they hold.
--
-- A statement below `-- if ...` is run where those tables, or columns, are there. MySQL keeps each statement on its own,
-- and a process may end between any two: whatever is here can be run again. docs/upgrading.md says how to write one.

-- Both are there where somebody has imported schema.sql of version 2 by hand beside the tables of version 1.
-- if marks.seq and receipts.seq
INSERT INTO receipts (conversation_id, user_id, kind, seq, at)
    SELECT conversation_id, user_id, kind, seq, at FROM marks m WHERE NOT EXISTS (
        SELECT 1 FROM receipts r WHERE r.conversation_id = m.conversation_id AND r.user_id = m.user_id
                                   AND r.kind = m.kind AND r.seq = m.seq);

-- if marks.seq and receipts.seq
DROP TABLE marks;

-- if marks.seq
ALTER TABLE marks RENAME TO receipts;

-- What is stored beside a username is made of the usernames: chat/accounts/name_index.py makes it anew at the same start.
CREATE TABLE IF NOT EXISTS username_skeletons (
    skeleton      VARCHAR(128) NOT NULL PRIMARY KEY,
    user_id       INTEGER NOT NULL,
    UNIQUE (user_id, skeleton)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS username_sort_keys (
    sort_key      VARCHAR(128) NOT NULL,
    user_id       INTEGER NOT NULL,
    PRIMARY KEY (sort_key, user_id),
    UNIQUE (user_id)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

CREATE TABLE IF NOT EXISTS username_suffixes (
    suffix        VARCHAR(128) NOT NULL,
    user_id       INTEGER NOT NULL,
    PRIMARY KEY (suffix, user_id),
    UNIQUE (user_id, suffix)
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- if name_skeletons.skeleton
DROP TABLE name_skeletons;

-- if name_order.sort_key
DROP TABLE name_order;

-- if name_endings.ending
DROP TABLE name_endings;
