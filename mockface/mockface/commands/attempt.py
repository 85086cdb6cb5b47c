"""`mockface attempt`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mockface.commands.parts import FAILED, USAGE, CommandError, one_of, url
from mockface.errors import UnknownScenarioError
from mockface.remote.client_failures import CLIENT_FAILURES, RECOGNITION_FAILURES
from mockface.scenarios import scenario

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser

EXAMPLES = """\
examples:
  mockface attempt --token "$AUTH_TOKEN"
  mockface attempt --token "$AUTH_TOKEN" --outcome spoof
  mockface attempt --token "$AUTH_TOKEN" --outcome CameraPermissionDenied
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    parser.option("--token", required=True, help="the session's authToken")
    parser.option("--endpoint", type=url, metavar="URL", help="default: the one in the token")
    parser.option(
        "--outcome",
        metavar="NAME",
        help="what the attempt is to be: a scenario, or the web element's name for a failure on "
        "the device",
    )
    parser.option(
        "--recognition-failure",
        metavar="NAME",
        type=one_of(*RECOGNITION_FAILURES),
        help="the web element's name for what went wrong with the comparison",
    )
    parser.option(
        "--device-correlation-id",
        metavar="ID",
        help="whose device it is, where the app server leaves that to the client",
    )
    parser.option(
        "--seed", help="who is in front of the camera: the person whose portrait has this seed"
    )


def run(options: argparse.Namespace) -> int:
    """Makes an attempt, and prints what the page would learn."""
    outcome = options.outcome
    failure = outcome if outcome in CLIENT_FAILURES else None
    if outcome is not None and failure is None:
        _check(outcome)
    from mockface.remote.simulated_client import LivenessDetectionError, SimulatedClient  # noqa: PLC0415 - the help needs none

    client = SimulatedClient(
        endpoint=options.endpoint,
        scenario=None if failure else outcome,
        failure=failure,
        recognition_failure=options.recognition_failure,
        device_correlation_id=options.device_correlation_id,
    )
    content = None
    if options.seed is not None:
        from mockface.images import portrait  # noqa: PLC0415 - see above
        from mockface.people import person  # noqa: PLC0415 - see above

        client.user_agent = person(options.seed).user_agent
        content = portrait(options.seed)
    try:
        success = client.start(options.token, content=content)
    except LivenessDetectionError as error:
        said = {"livenessError": error.liveness_error, "recognitionError": error.recognition_error}
        print(json.dumps(said))
        return FAILED
    print(json.dumps({"resultId": success.result_id, "digest": success.digest}))
    return 0


def _check(outcome: str) -> None:
    try:
        scenario(outcome)
    except UnknownScenarioError as unknown:
        failures = ", ".join(CLIENT_FAILURES)
        raise CommandError(f"{unknown} Failures on the device are: {failures}.", USAGE) from None
