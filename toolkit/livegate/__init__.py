"""Runs face liveness sessions with Azure AI Face, safely by default."""
