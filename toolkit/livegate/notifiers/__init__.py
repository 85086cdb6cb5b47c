"""The built-in destinations of events: ``log`` by its URI, ``callback`` by its object."""
