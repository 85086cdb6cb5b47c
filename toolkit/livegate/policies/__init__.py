"""The rules that come with livegate; each is a plugin like any other."""
