"""What somebody without an account may send: one file for each kind of attack, with the measure that tells whether it works."""
