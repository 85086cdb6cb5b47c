"""Reads the requests that create sessions; the versions differ only in their tables of fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.dialects import reading
from mockface.dialects.errors import bad_body
from mockface.dialects.reading import Field
from mockface.sessions.nouns import Options
from mockface.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mockface.dialects.routes import Body, Call
    from mockface.forms import Part

LONGEST_CORRELATION_ID = 64

MODE = Field(
    "livenessOperationMode",
    "mode",
    reading.one_of("Passive", "PassiveActive"),
    code="InvalidLivenessOperationMode",
    required=True,
)
DEVICE_ID_SET_IN_CLIENT = Field(
    "deviceCorrelationIdSetInClient",
    "device_correlation_id_set_in_client",
    reading.boolean(),
    default=False,
)
DEVICE_ID = Field(
    "deviceCorrelationId",
    "device_correlation_id",
    reading.text(LONGEST_CORRELATION_ID),
    code="InvalidDeviceCorrelationId",
)
TOKEN_SECONDS = Field(
    "authTokenTimeToLiveInSeconds",
    "token_seconds",
    reading.integer(60, 86_400),
    code="InvalidTokenLifetime",
    default=600,
)
COMMON = (MODE, DEVICE_ID_SET_IN_CLIENT, DEVICE_ID, TOKEN_SECONDS)
SEND_RESULTS = Field(
    "sendResultsToClient", "send_results_to_client", reading.boolean(), default=False
)
SESSION_IMAGE = Field("enableSessionImage", "enable_session_image", reading.boolean())
VERIFY = (
    Field("returnVerifyImageHash", "return_verify_image_hash", reading.boolean()),
    Field("verifyConfidenceThreshold", "verify_threshold", reading.number(0, 1)),
)


def model(name: str, *versions: str) -> Field:
    """The field that chooses among these models; the first counts where none is chosen."""
    return Field(name, "model", reading.one_of(*versions), default=versions[0])


def from_json(call: Call, body: Body) -> Options:
    """The options in a JSON body.

    Raises:
        WireError: What is wrong with it.
    """
    return _options(call, body, reading.json_body(call.request))


def from_form(call: Call, body: Body) -> tuple[Options, bytes | None]:
    """The options and the reference image in a form; loosely, the image may be missing.

    Both forms are read in every version, since clients in the field post both: flat parts with
    `verifyImage` (v1.2), and `Parameters` with `VerifyImage` (previews). See contract section 3.3.

    Raises:
        WireError: What is wrong with it.
    """
    parts = reading.form(call.request)
    image = picture(call, parts)
    if image is None and not call.loose:
        raise bad_body("The part verifyImage (or VerifyImage) is missing.")
    if "Parameters" in parts:
        values = reading.json_object(parts["Parameters"].data, "The part Parameters")
    else:
        texts = {
            field.name: reading.text_of(parts[field.name])
            for field in body.fields
            if field.name in parts
        }
        values = reading.from_text(body.fields, texts)
    return _options(call, body, values), image


def picture(call: Call, parts: Mapping[str, Part]) -> bytes | None:
    """The reference image in a form, under either of its names, if it is there.

    Raises:
        WireError: The part is no file.
    """
    part = parts.get("VerifyImage") or parts.get("verifyImage")
    if part is None:
        return None
    if part.filename is None and not call.loose:
        # The official JavaScript client had to add one, so the service seems to want it.
        raise bad_body(
            f"The part {part.name} has no filename, so it is no file: give it one, any will do."
        )
    return part.data


def one_side_only(call: Call, options: Options) -> Options:
    """Passes options on whose correlation ids come from one side only.

    The specification demands it in every version; the previews' own official examples break it.

    Raises:
        WireError: An id is given, and yet the client is to set it.
    """
    if call.loose:
        return options
    if options.device_correlation_id is not None and options.device_correlation_id_set_in_client:
        raise WireError(
            400,
            "InvalidDeviceCorrelationId",
            "deviceCorrelationId must not be given where deviceCorrelationIdSetInClient is true.",
        )
    if options.user_correlation_id is not None and options.user_correlation_id_set_in_client:
        raise WireError(
            400,
            "BadArgument",
            "userCorrelationId must not be given where userCorrelationIdSetInClient is true.",
        )
    return options


def _options(call: Call, body: Body, values: Mapping[str, object]) -> Options:
    if call.loose:
        values = reading.from_text(body.fields, values)
    options = Options(**body.always, **reading.fields(body.fields, values))
    if options.device_correlation_id is None and not options.device_correlation_id_set_in_client:
        raise WireError(
            400,
            "InvalidDeviceCorrelationId",
            "deviceCorrelationId is missing, and deviceCorrelationIdSetInClient is not true.",
        )
    return options
