"""A simulated front end: makes the attempt that the SDK of a page would make.

It needs the standard library only.
"""

from __future__ import annotations

import base64
import binascii
import json
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from types import NoneType
from typing import TYPE_CHECKING, Any

from mockface.remote.client_failures import CLIENT_FAILURES, RECOGNITION_FAILURES, Reach
from mockface.remote.sending import over_http
from mockface.scenarios import FAILURE_CODES
from mockface.scenarios import scenario as known_scenario

if TYPE_CHECKING:
    from collections.abc import Collection

    from mockface.remote.sending import Reply, Send

_BOUNDARY = "mockface-simulated-client"
_FORM, _JSON = f"multipart/form-data; boundary={_BOUNDARY}", "application/json"
_CLIP = b"RIFF\x00\x04\x00\x00WEBPVP8 " + bytes(1024)
_USER_AGENT = "mockface-simulated-client"
_DETECT = {"liveness": "detectLiveness", "liveness-with-verify": "detectLivenessWithVerify"}

_BAD_REQUEST, _UNAUTHORIZED, _SERVER_ERROR = 400, 401, 500
_CLIENT_ERRORS = range(401, 410)

ATTEMPT_FAILURES = frozenset((*FAILURE_CODES, "VerifyImageNotProvided"))
"""Codes of the service that the web element reports under the same name."""


@dataclass(frozen=True, slots=True)
class LivenessDetectionSuccess:
    """What the web element resolves to: the check ran. It does not say whether the face is real.

    Attributes:
        result_id: The `apim-request-id` of the attempt.
        digest: What the service's result has to repeat.
    """

    result_id: str
    digest: str


class LivenessDetectionError(Exception):
    """What the web element rejects with.

    Args:
        liveness_error: One of the element's names, such as `InvalidToken` or
            `FaceWithMaskDetected`.
        recognition_error: The same for the comparison; `None` as a word if it is not about that.
    """

    def __init__(self, liveness_error: str, recognition_error: str = "None") -> None:
        super().__init__(liveness_error)
        self.liveness_error = liveness_error
        self.recognition_error = recognition_error


class SimulatedClient:
    """Stands in for `<azure-ai-vision-face-ui>`.

    Args:
        endpoint: Where the service is; by default the token says it.
        api_version: The version in the path.
        scenario: What the attempt is to be; by default what the emulator was told.
        failure: What goes wrong on the device, by the element's name for it; how far each gets is
            told in `client_failures`.
        recognition_failure: What goes wrong with the comparison, by the element's name for it; the
            picture is sent and judged, and the app server may read a result (assumption).
        device_correlation_id: Whose device it is, where the app server leaves that to the client.
        user_agent: What the client calls itself.
        timeout: Seconds to wait for the service.
        send: How the service is reached; by default over HTTP.

    Raises:
        ValueError: The element has no such failure, or the emulator no such scenario.
        TypeError: The scenario is no text.
    """

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        api_version: str = "v1.2",
        scenario: str | None = None,
        failure: str | None = None,
        recognition_failure: str | None = None,
        device_correlation_id: str | None = None,
        user_agent: str = _USER_AGENT,
        timeout: float = 30.0,
        send: Send | None = None,
    ) -> None:
        _check(failure, CLIENT_FAILURES)
        _check(recognition_failure, RECOGNITION_FAILURES)
        _must_be("scenario", scenario, (str, NoneType), "the name of a scenario, or None")
        if scenario is not None:
            known_scenario(scenario)  # the page would learn no more than `Unexpected`
        self._failures = (failure or "None", recognition_failure or "None")
        self._gives_up = Reach.SENT if recognition_failure else None
        if failure is not None:
            self._gives_up = CLIENT_FAILURES[failure]
        ids = (
            {} if device_correlation_id is None else {"deviceCorrelationId": device_correlation_id}
        )
        self._ids = json.dumps(ids).encode("ascii")
        self._endpoint = endpoint
        self._api_version = api_version
        self._send = send or over_http(timeout)
        self.user_agent = user_agent
        self._scenario = {} if scenario is None else {"x-mockface-scenario": scenario}

    def start(
        self, token: str, *, content: bytes | None = None, verify_image: bytes | None = None
    ) -> LivenessDetectionSuccess:
        """Makes one attempt.

        Args:
            token: The session's `authToken`.
            content: What the camera saw; by default a clip that shows nobody in particular.
            verify_image: A reference image, where the app server gave none.

        Returns:
            The id and the digest.

        Raises:
            LivenessDetectionError: The attempt did not end in a decision. What the page does not
                learn is in the error's notes and its cause: what was answered, or why nothing was.
            TypeError: The token is no text, or a picture no bytes.
        """
        _must_be("token", token, str, "the session's authToken, a text")
        for name, data in {"content": content, "verify_image": verify_image}.items():
            _must_be(name, data, (bytes, NoneType), "the bytes of a file, or None")
        claims = _peek(token)
        kind = _DETECT.get(str(claims.get("kind")))
        endpoint = self._endpoint or claims.get("endpoint")
        if kind is None or not isinstance(endpoint, str):
            invalid = LivenessDetectionError("InvalidToken")
            invalid.add_note("The token is not the authToken of a session of mockface.")
            raise invalid
        base = f"{endpoint.rstrip('/')}/face/{self._api_version}"
        ask = partial(self._ask, base, token)
        detect = partial(ask, f"{kind}/singleModal", _form(content or _CLIP, verify_image), _FORM)
        end = partial(ask, "session/attempt/end", b"{}")

        if self._gives_up is Reach.NOWHERE:
            raise LivenessDetectionError(*self._failures)
        ask("session/start", self._ids)
        if self._gives_up is Reach.STARTED:
            end()
            raise LivenessDetectionError(*self._failures)
        if self._gives_up is Reach.SENT:
            with suppress(LivenessDetectionError):
                detect()
            raise LivenessDetectionError(*self._failures)
        reply = detect()
        end()
        return LivenessDetectionSuccess(
            result_id=reply.headers.get("apim-request-id", ""),
            digest=reply.headers.get("x-mockface-digest", ""),
        )

    def _ask(
        self, base: str, token: str, path: str, body: bytes, content_type: str = _JSON
    ) -> Reply:
        """One call; whatever is no good answer to it raises `LivenessDetectionError`."""
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": content_type,
            "User-Agent": self.user_agent,
            **self._scenario,
        }
        try:
            reply = self._send("POST", f"{base}/{path}", headers, body)
        except TimeoutError as late:
            raise LivenessDetectionError("ServerRequestTimedOut") from late
        except (OSError, HTTPException) as wrong:
            raise LivenessDetectionError("Unexpected") from wrong
        except ValueError:  # what it says may have the token in it
            raise LivenessDetectionError("Unexpected") from None
        if reply.status >= _BAD_REQUEST:
            name, message = _error(reply.status, reply.body)
            error = LivenessDetectionError(name)
            error.add_note(f"{path} was answered with {reply.status}: {message}")
            raise error
        return reply


def _check(failure: str | None, known: Collection[str]) -> None:
    if failure is not None and failure not in known:
        names = ", ".join(known)
        raise ValueError(f"The web element has no failure {failure!r}; it has: {names}.")


def _must_be(name: str, value: object, kind: type | tuple[type, ...], what: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {what}, not {type(value).__name__}.")


def _peek(token: str) -> dict[str, Any]:
    """What a token says of itself, unchecked: the service checks it."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""  # noqa: PLR2004 - a JWT has three parts
    try:
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _form(content: bytes, verify_image: bytes | None) -> bytes:
    parts = [
        _part('name="Metadata"', b"{}"),
        _part('name="Content"; filename="video.webp"', content),
    ]
    if verify_image is not None:
        parts.append(_part('name="VerifyImage"; filename="verify-image"', verify_image))
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode("ascii")


def _part(disposition: str, data: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode("ascii") + data + b"\r\n"


def _error(status: int, body: bytes) -> tuple[str, str]:
    """The element's name for an error of the service, and the service's own message.

    The iOS documentation has the ranges.
    """
    try:
        said = json.loads(body)["error"]
        code, message = said["code"], said["message"]
    except (ValueError, TypeError, KeyError):
        code, message = "", "no error of the service"
    if code in ATTEMPT_FAILURES:
        return str(code), message
    if status == _UNAUTHORIZED:
        return "InvalidToken", message
    if status >= _SERVER_ERROR:
        return "UnexpectedServerError", message
    return "UnexpectedClientError" if status in _CLIENT_ERRORS else "Unexpected", message
