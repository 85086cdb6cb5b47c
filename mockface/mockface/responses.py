"""Makes answers: JSON, and the errors of the service."""

from __future__ import annotations

import msgspec

from mockface.wire import JSON, Response


class WireError(Exception):
    """A request that is answered with an error of the service's shape.

    Args:
        status: The HTTP status.
        code: The service's code.
        message: A sentence that names what is wrong.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> Response:
        """The answer."""
        return error(self.status, self.code, self.message)


def answer(status: int, value: object) -> Response:
    """A JSON answer; the value may be made of models."""
    return Response(status, msgspec.json.encode(value), {"Content-Type": JSON})


def error(status: int, code: str, message: str) -> Response:
    """An error as all versions of the service give it: body and `x-ms-error-code`."""
    response = answer(status, {"error": {"code": code, "message": message}})
    response.headers["x-ms-error-code"] = code
    return response
