"""Who is told of a session's changes."""
