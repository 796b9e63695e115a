-- Version 7: names are compared in capitals too, and searched by the base letters of more alphabets.
--
-- What is stored beside a username is made of the usernames: chat/accounts/name_index.py makes it anew at the same start.

-- in batches of username_sort_keys.user_id
DELETE FROM username_sort_keys WHERE user_id > %s AND user_id <= %s;

-- in batches of username_skeletons.user_id
DELETE FROM username_skeletons WHERE user_id > %s AND user_id <= %s;

-- in batches of username_suffixes.user_id
DELETE FROM username_suffixes WHERE user_id > %s AND user_id <= %s;
