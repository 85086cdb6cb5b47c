"""What speaks to a running emulator, with the standard library alone: a hand, and a front end."""
