"""`mockface attempt`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mockface.commands.parts import FAILED, url

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser

EXAMPLES = """\
examples:
  mockface attempt --token "$AUTH_TOKEN"
  mockface attempt --token "$AUTH_TOKEN" --scenario spoof
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    parser.option("--token", required=True, help="the session's authToken")
    parser.option("--endpoint", type=url, metavar="URL", help="default: the one in the token")
    parser.option("--scenario", metavar="NAME", help="what the attempt is to be")
    parser.option(
        "--seed", help="who is in front of the camera: the person whose portrait has this seed"
    )


def run(options: argparse.Namespace) -> int:
    """Makes an attempt, and prints what the page would learn."""
    from mockface.client import LivenessDetectionError, SimulatedClient  # noqa: PLC0415 - the help needs none

    client = SimulatedClient(endpoint=options.endpoint, scenario=options.scenario)
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
