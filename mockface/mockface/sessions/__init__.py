"""The sessions of a resource key: what they are, what one can do, how attempts are judged."""
