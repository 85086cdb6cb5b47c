"""The server in front of the service: HTTP/1.1 on one event loop."""
