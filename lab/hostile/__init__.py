"""`manage.py prove --hostile`: ordinary people beside all attacks at once, and what the people notice of them."""
