"""The doctor: visits the chat through its front door as two people do, and says in words what they would meet."""
