"""The parts of :class:`livegate.testing.StoreContract`, one module for each kind of promise.

Nothing is imported here: the child processes of the suite use some of the modules without pytest.
"""
