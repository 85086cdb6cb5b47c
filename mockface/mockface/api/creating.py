"""The requests that create sessions, a model for each version and kind, and how they are read."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from mockface.api import reading
from mockface.api.errors import bad_body
from mockface.api.models import File, Mode
from mockface.responses import WireError
from mockface.sessions.nouns import Options
from mockface.validation import CODE, Words, given, integer, length, number, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mockface.forms import Part
    from mockface.operations import Call

_DEVICE_ID = "InvalidDeviceCorrelationId"

DeviceId = Annotated[str, length(64, error=_DEVICE_ID)]
UserId = Annotated[str, length(64)]
Threshold = Annotated[float, number(0, 1)]

# Python's addresses have zones and its blocks netmasks besides.
_BLOCK = re.compile(r"[0-9A-Fa-f.:]+(/[0-9]{1,3})?")


class PreviewModel(Words):
    """The models of v1.2-preview.1; the first counts where none is chosen."""

    NEWER = "2023-12-20-preview.06"
    OLDER = "2022-10-15-preview.04"


class LivenessModel(Words):
    """The models of v1.2: official answers show the first, an example of 2026 the second."""

    FIRST = "2024-11-15"
    SECOND = "2025-05-20"


class _Create(Struct, kw_only=True):
    """What every version knows; the attributes are those of `Options`."""

    mode: Annotated[
        Mode, Meta(extra_json_schema={CODE: "InvalidLivenessOperationMode", "type": "string"})
    ] = field(name="livenessOperationMode")
    device_correlation_id_set_in_client: bool = field(
        name="deviceCorrelationIdSetInClient", default=False
    )
    device_correlation_id: DeviceId | UnsetType = field(name="deviceCorrelationId", default=UNSET)
    token_seconds: Annotated[int, integer(60, 86_400, "InvalidTokenLifetime")] = field(
        name="authTokenTimeToLiveInSeconds", default=600
    )


class CreateV11(_Create):
    """v1.1-preview.1, both kinds: nothing about the comparison can be chosen yet."""

    send_results_to_client: bool = field(name="sendResultsToClient", default=False)


class CreateV12Preview(CreateV11):
    """v1.2-preview.1."""

    enable_session_image: bool | UnsetType = field(name="enableSessionImage", default=UNSET)
    model: PreviewModel = field(name="livenessSingleModalModel", default=PreviewModel.NEWER)


class CreateVerifyV12Preview(CreateV12Preview):
    """v1.2-preview.1, with verification."""

    return_verify_image_hash: bool | UnsetType = field(name="returnVerifyImageHash", default=UNSET)
    verify_threshold: Threshold | UnsetType = field(name="verifyConfidenceThreshold", default=UNSET)


class CreateV12(_Create):
    """v1.2."""

    enable_session_image: bool | UnsetType = field(name="enableSessionImage", default=UNSET)
    model: LivenessModel = field(name="livenessModelVersion", default=LivenessModel.FIRST)


class CreateVerifyV12(CreateV12):
    """v1.2, with verification."""

    return_verify_image_hash: bool | UnsetType = field(name="returnVerifyImageHash", default=UNSET)
    verify_threshold: Threshold | UnsetType = field(name="verifyConfidenceThreshold", default=UNSET)


class CreateV13(CreateV12):
    """v1.3-preview.1."""

    attempts: Annotated[int, integer(1, 3)] = field(name="numberOfClientAttemptsAllowed", default=1)
    user_correlation_id: UserId | UnsetType = field(name="userCorrelationId", default=UNSET)
    user_correlation_id_set_in_client: bool = field(
        name="userCorrelationIdSetInClient", default=False
    )
    expected_client_ip: str | UnsetType = field(name="expectedClientIpAddress", default=UNSET)


class CreateVerifyV13(CreateV13):
    """v1.3-preview.1, with verification."""

    return_verify_image_hash: bool | UnsetType = field(name="returnVerifyImageHash", default=UNSET)
    verify_threshold: Threshold | UnsetType = field(name="verifyConfidenceThreshold", default=UNSET)


class FormV11(Struct):
    """The form of the previews: the options as JSON in one part, the reference image in another."""

    parameters: CreateV11 = field(name="Parameters")
    verify_image: File = field(name="VerifyImage")


class FormV12Preview(Struct):
    """The same in v1.2-preview.1."""

    parameters: CreateVerifyV12Preview = field(name="Parameters")
    verify_image: File = field(name="VerifyImage")


class FormV12(CreateVerifyV12, kw_only=True):
    """The form of v1.2: a part for each option, and the reference image."""

    verify_image: File = field(name="verifyImage")


class FormV13(CreateVerifyV13, kw_only=True):
    """The same in v1.3-preview.1."""

    verify_image: File = field(name="verifyImage")


OLDEST_MODEL = "2023-03-02-preview.05"
"""In v1.1-preview.1 no model can be chosen; this is the newest that its enumeration knows."""


def from_json(call: Call, model: type[_Create]) -> Options:
    """The options in a JSON body.

    Raises:
        WireError: What is wrong with it.
    """
    return _options(call, model, reading.json_body(call.request), is_text=False)


def from_form(call: Call, model: type[_Create]) -> tuple[Options, bytes | None]:
    """The options and the reference image in a form; without one, the client has to give it.

    Both forms are read in every version, since clients in the field post both: flat parts with
    `verifyImage` (v1.2), and `Parameters` with `VerifyImage` (previews). See contract section 3.3.

    Raises:
        WireError: What is wrong with it.
    """
    parts = reading.form(call.request)
    image = picture(call, parts)
    known = {*model.__struct_encode_fields__, "Parameters"}
    files = [part.name for part in parts.values() if part.filename is not None]
    if image is None and not call.loose and not known.issuperset(files):
        raise bad_body(f"The part verifyImage is missing; there is a file {files[0][:64]!r}.")
    if "Parameters" in parts:
        values = reading.json_object(parts["Parameters"].data, "The part Parameters")
        return _options(call, model, values, is_text=False), image
    texts = {name: reading.text_of(part) for name, part in parts.items() if name in known}
    return _options(call, model, texts, is_text=True), image


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
            _DEVICE_ID,
            "deviceCorrelationId must not be given where deviceCorrelationIdSetInClient is true.",
        )
    if options.user_correlation_id is not None and options.user_correlation_id_set_in_client:
        raise WireError(
            400,
            "BadArgument",
            "userCorrelationId must not be given where userCorrelationIdSetInClient is true.",
        )
    return options


def _options(
    call: Call, model: type[_Create], values: Mapping[str, object], *, is_text: bool
) -> Options:
    asked = read(model, values, loose=call.loose or is_text)
    options = Options(**{"model": OLDEST_MODEL} | given(asked))
    if options.device_correlation_id is None and not options.device_correlation_id_set_in_client:
        raise WireError(
            400,
            _DEVICE_ID,
            "deviceCorrelationId is missing, and deviceCorrelationIdSetInClient is not true.",
        )
    if options.expected_client_ip is not None and not _is_network(options.expected_client_ip):
        raise WireError(
            400,
            "BadArgument",
            "expectedClientIpAddress must be an IP address or a block in CIDR notation.",
        )
    return options


def _is_network(value: str) -> bool:
    try:
        ip_network(value if _BLOCK.fullmatch(value) else "", strict=False)
    except ValueError:
        return False
    return True
