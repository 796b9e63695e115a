"""Fills a database with people and messages by SQL. Through the chat it would take a day."""
OF_OTHERS = 1_000               # messages in each conversation of other people
FIRST_OF_OTHERS = 1_000         # ids of these conversations
PEOPLE_OF_OTHERS = 1_000_000    # ids of these people
WRITERS = 50                    # members of a room who have written in it, in turns
SYLLABLES = ("ba", "be", "da", "di", "fo", "ga", "ka", "la", "li", "lu", "ma", "mi", "na", "no", "pe", "ra", "ri", "sa",
             "se", "ta", "to", "va", "ve", "zo")


def people(subject, number):
    """Insert so many people, with all suffixes of their names, in a few statements."""
    names = [_name(n) for n in range(number)]
    run = subject.run
    for start in range(0, number, 1_000):
        part = names[start:start + 1_000]
        run("INSERT INTO users (username, username_key, password, created_at) VALUES "
            + ", ".join(["(%s, %s, '', '2026-01-01 00:00:00.000')"] * len(part)),
            [value for name in part for value in (name, name)])
    run("INSERT IGNORE INTO username_suffixes (suffix, user_id) SELECT SUBSTRING(username_key, n.seq), id"
        " FROM users JOIN seq_1_to_32 n ON n.seq <= CHAR_LENGTH(username_key)")
    # The names have small letters only, so the key is its own sort key.
    run("INSERT IGNORE INTO username_sort_keys (sort_key, user_id) SELECT username_key, id FROM users")
    run("ANALYZE TABLE users, username_suffixes, username_sort_keys")


def _name(n):
    parts, rest = [], n
    for _syllable in range(4):
        rest, which = divmod(rest * 7 + 5, len(SYLLABLES))
        parts.append(SYLLABLES[which])
    return "".join(parts) + str(n)


def open_conversation(subject, conversation_id, one, other, read_seq):
    """Insert a conversation in which both have read up to `read_seq`."""
    subject.run("INSERT INTO conversations (id, kind, lower_id, higher_id) VALUES (%s, 'direct', %s, %s)",
                (conversation_id, *sorted((one, other))))
    subject.run("INSERT INTO members (conversation_id, user_id, read_seq) VALUES (%s, %s, %s), (%s, %s, %s)",
                (conversation_id, one, read_seq, conversation_id, other, read_seq))


def room(subject, room_id, member_ids, messages=0):
    """Insert a room, where it is not there, of which the first member is the owner; the first ones write in turns."""
    subject.run("INSERT IGNORE INTO conversations (id, kind, name, topic, created_by, created_at)"
                " VALUES (%s, 'room', %s, '', %s, '2026-01-01 00:00:00.000')", (room_id, f"room {room_id}", member_ids[0]))
    subject.run("INSERT IGNORE INTO members (conversation_id, user_id, role, read_seq, joined_at) VALUES "
                + ", ".join(["(%s, %s, %s, %s, '2026-01-01 00:00:00.000')"] * len(member_ids)),
                [value for n, user_id in enumerate(member_ids) for value in (room_id, user_id, "member" if n else "owner", messages)])
    if messages:
        writers = member_ids[:WRITERS]
        writer = f"ELT(1 + seq % {len(writers)}, {', '.join(map(str, writers))})"
        subject.run(f"{INTO_MESSAGES} SELECT {room_id}, seq, {writer}, NULL, {TEXT}, CONCAT('r{room_id}-', LPAD(seq, 8, '0'))"
                    f" FROM seq_1_to_{messages}", bulk=True)


def talk(subject, conversation_id, one, other, number):
    """Insert a conversation of two people who write in turns."""
    open_conversation(subject, conversation_id, one, other, number)
    subject.run(f"{INTO_MESSAGES} {in_turns(conversation_id, one, other, number)}")


def reactions(subject, conversation_id, messages, number):
    """Give each message of a conversation so many reactions of different people, of three emoji, and a change for each."""
    subject.run("INSERT INTO reactions (conversation_id, seq, user_id, emoji, at)"
                f" SELECT {conversation_id}, 1 + s.seq DIV {number}, {PEOPLE_OF_OTHERS} + s.seq % {number}, ELT(1 + s.seq % 3, '👍', '❤️', '😂'), {LONG_AGO}"
                f" FROM seq_0_to_{messages * number - 1} s")
    changes(subject, conversation_id, messages, number, "react")


def changes(subject, conversation_id, messages, number, kind):
    """Let each message of a conversation have been changed so many times, in turns."""
    subject.run("INSERT INTO changes (conversation_id, number, seq, kind, actor_id, client_id, at)"
                f" SELECT {conversation_id}, s.seq, 1 + (s.seq - 1) % {messages}, '{kind}', {PEOPLE_OF_OTHERS}, CONCAT('c{conversation_id}-', s.seq), {LONG_AGO}"
                f" FROM seq_1_to_{messages * number} s")
    subject.run("UPDATE messages SET last_change = %s + seq, edited_at = IF(%s = 'edit', timestamp, NULL) WHERE conversation_id = %s",
                (messages * (number - 1), kind, conversation_id))


LONG_AGO = "'2026-01-01 00:00:00.000'"
INTO_MESSAGES = "INSERT INTO messages (conversation_id, seq, sender_id, receiver_id, message, timestamp, client_id)"
TEXT = "CONCAT('What was said as number ', seq, ', at some length.'), '2026-01-01 00:00:00.000'"


def fill(subject, me, talkative, quiet, scope):
    """Insert a long conversation (1), a short one (2), and those of other people, 1,000 messages each, up to the total.

    One statement, because MariaDB bulk-loads the rows of an INSERT into an empty table.
    """
    open_conversation(subject, 1, me, talkative, scope.long)
    open_conversation(subject, 2, me, quiet, scope.short)
    subject.run(" UNION ALL ".join([
        f"{INTO_MESSAGES} {in_turns(1, me, talkative, scope.long)}", in_turns(2, me, quiet, scope.short),
        f"SELECT {FIRST_OF_OTHERS} + seq DIV {OF_OTHERS}, 1 + seq % {OF_OTHERS}, {PEOPLE_OF_OTHERS} + seq DIV {OF_OTHERS},"
        f" {PEOPLE_OF_OTHERS}, {TEXT}, LPAD(seq, 8, '0') FROM seq_0_to_{scope.messages - scope.long - scope.short - 1}"]), bulk=True)


def in_turns(conversation_id, one, other, number):
    """Return the SELECT of a conversation in which two people write in turns."""
    return (f"SELECT {conversation_id}, seq, IF(seq % 2, {one}, {other}), IF(seq % 2, {other}, {one}), {TEXT},"
            f" CONCAT('c{conversation_id}-', LPAD(seq, 8, '0')) FROM seq_1_to_{number}")
