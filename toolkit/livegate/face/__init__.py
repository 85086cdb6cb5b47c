"""The Face service over ``azure-ai-vision-face``; the port is in :mod:`livegate.protocols`."""
