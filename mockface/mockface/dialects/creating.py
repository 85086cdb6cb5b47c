"""Reads the requests that create sessions; the versions differ only in their tables of fields."""

from __future__ import annotations

from mockface.dialects import reading
from mockface.dialects.errors import bad_body
from mockface.dialects.reading import Field
from mockface.sessions import Options
from mockface.wire import Request, WireError

_LONGEST_CORRELATION_ID = 64

COMMON = (
    Field(
        "livenessOperationMode",
        "mode",
        reading.one_of("Passive", "PassiveActive"),
        code="InvalidLivenessOperationMode",
        required=True,
    ),
    Field(
        "deviceCorrelationIdSetInClient", "device_correlation_id_set_in_client", reading.boolean()
    ),
    Field(
        "deviceCorrelationId",
        "device_correlation_id",
        reading.text(_LONGEST_CORRELATION_ID),
        code="InvalidDeviceCorrelationId",
    ),
    Field(
        "authTokenTimeToLiveInSeconds",
        "token_seconds",
        reading.integer(60, 86_400),
        code="InvalidTokenLifetime",
    ),
    Field("enableSessionImage", "enable_session_image", reading.boolean()),
)
VERIFY = (
    Field("returnVerifyImageHash", "return_verify_image_hash", reading.boolean()),
    Field("verifyConfidenceThreshold", "verify_threshold", reading.number(0, 1)),
)


def from_json(request: Request, table: tuple[Field, ...], model: str) -> Options:
    """The options in a JSON body; `model` is used where the caller names none.

    Raises:
        WireError: What is wrong with it.
    """
    return _options(table, reading.json_body(request), model)


def from_form(request: Request, table: tuple[Field, ...], model: str) -> tuple[Options, bytes]:
    """The options and the reference image in a form.

    Both forms are read in every version, since clients in the field post both: flat parts with
    `verifyImage` (v1.2), and `Parameters` with `VerifyImage` (previews). See contract section 3.3.

    Raises:
        WireError: What is wrong with it.
    """
    parts = reading.form(request)
    image = parts.get("VerifyImage") or parts.get("verifyImage")
    if image is None:
        raise bad_body("The part verifyImage (or VerifyImage) is missing.")
    if image.filename is None:
        # The official JavaScript client had to add one, so the service seems to want it.
        raise bad_body(f"The part {image.name} has no filename, so it is no file.")
    if "Parameters" in parts:
        values = reading.json_object(parts["Parameters"].data, "The part Parameters")
        return _options(table, values, model), image.data
    texts = {
        name: part.data.decode("utf-8", "replace")
        for name, part in parts.items()
        if part.filename is None
    }
    return _options(table, reading.from_text(table, texts), model), image.data


def one_device_id(options: Options) -> Options:
    """Passes options on whose device id comes from one side only.

    The specification demands it in every version; the previews' own official examples break it.

    Raises:
        WireError: The id is given, and yet the client is to set it.
    """
    if options.device_correlation_id is not None and options.device_correlation_id_set_in_client:
        raise WireError(
            400,
            "InvalidDeviceCorrelationId",
            "deviceCorrelationId must not be given where deviceCorrelationIdSetInClient is true.",
        )
    return options


def _options(table: tuple[Field, ...], values: dict[str, object], model: str) -> Options:
    options = Options(**({"model": model} | reading.fields(table, values)))
    if options.device_correlation_id is None and not options.device_correlation_id_set_in_client:
        raise WireError(
            400,
            "InvalidDeviceCorrelationId",
            "deviceCorrelationId is missing, and deviceCorrelationIdSetInClient is not true.",
        )
    return options
