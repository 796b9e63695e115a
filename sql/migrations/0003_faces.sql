-- Version 3: whoever does not like their generated face takes another one, or initials.

-- if users.id and no users.face
ALTER TABLE users ADD COLUMN face INTEGER NOT NULL DEFAULT 0;
