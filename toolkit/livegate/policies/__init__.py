"""The built-in policies; each is a plugin like any other."""
