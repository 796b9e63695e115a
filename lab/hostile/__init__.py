"""`manage.py prove --hostile`: all attacks at once, and what ordinary people notice of them."""
