"""The HTTP contract, whatever the framework.

A :class:`Request` goes in, a :class:`Response` comes out; an adapter turns its framework's own into
the one and out of the other.
"""

from livegate.http.endpoints import handle
from livegate.http.messages import MAX_BODY, Request, Response
from livegate.http.problems import refuse

__all__ = ["MAX_BODY", "Request", "Response", "handle", "refuse"]
