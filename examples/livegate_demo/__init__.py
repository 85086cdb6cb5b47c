"""The demo application of livegate."""
