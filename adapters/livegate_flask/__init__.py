"""livegate for Flask."""
