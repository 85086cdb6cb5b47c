"""What goes wrong on command: which answers are hit, what becomes of them, and rate limits."""
