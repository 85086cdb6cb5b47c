"""Arbitrary sessions, as hypothesis strategies."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from livegate.session import (
    Attempt,
    AttemptStatus,
    LivenessSession,
    OperationMode,
    RemoteState,
    SessionKind,
    SessionState,
)

names = st.text(max_size=20)
"""Ids, subjects, keys: any Unicode text. (st.text() makes no lone surrogates.)"""

words = st.text(st.characters(), max_size=20)
"""What is kept as it came: lone surrogates too, since JSON can bring them."""

times = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis wants the bounds naive
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)

attempts = st.builds(
    Attempt,
    number=st.integers(min_value=1),
    status=st.sampled_from(AttemptStatus),
    decision=st.none() | words,
    error_code=st.none() | words,
    digest=st.none() | words,
    is_identical=st.none() | st.booleans(),
    match_confidence=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    reference_sha256=st.none() | words,
    abuse_detected=st.none() | st.booleans(),
)

sessions = st.builds(
    LivenessSession,
    id=names,
    subject=names,
    purpose=words,
    kind=st.sampled_from(SessionKind),
    mode=st.sampled_from(OperationMode),
    api_version=words,
    correlation_id=words,
    created_at=times,
    updated_at=times,
    expires_at=times,
    version=st.integers(min_value=1, max_value=2**63 - 1),
    state=st.sampled_from(SessionState),
    idempotency_key=st.none() | names,
    fingerprint=words,
    asked_at=st.none() | times,
    remote=st.sampled_from(RemoteState),
    remote_id=st.none() | words,
    remote_retry_at=st.none() | times,
    remote_tries=st.integers(min_value=0),
    reference_sha256=st.none() | words,
    client_digests=st.lists(words, max_size=3).map(tuple),
    client_error=st.none() | words,
    attempts=st.lists(attempts, max_size=3).map(tuple),
    reasons=st.lists(words, max_size=3).map(tuple),
    consumed_at=st.none() | times,
)
"""Any session whose fields have the types they claim; whether its life could be is not asked."""
