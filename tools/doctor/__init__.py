"""The doctor: checks the chat from outside, as two people with browsers would use it, and explains what does not work."""
