/** Which texts are invisible. The server says the same: chat/accounts/characters.py has the list too. */

const BLANK =
  /^[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\u{13441}\u{13442}\u{16FE4}\u{1D159}]*$/u;

/** Whether the whole text is invisible. */
export const isBlank = (text) => BLANK.test(text);
