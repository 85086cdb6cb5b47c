"""The plugins of an orchestrator: the hooks, their registration and their calls."""
