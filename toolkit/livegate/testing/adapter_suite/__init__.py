"""The parts of :class:`livegate.testing.AdapterContract`."""
