"""Checks of Tencent Cloud's signature, TC3-HMAC-SHA256.

Apart, because it is the one part that must be right to the byte; its tests hold it against vectors of the vendor's own
signer. Source: dossier section 5.3.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from livetask_simulator.accounts import Key
from livetask_simulator.exchange import Received
from livetask_simulator.tencent.errors import ApiError

TC3 = "TC3-HMAC-SHA256"
SERVICE = "trtc"
CLOCK_WINDOW_S = 5 * 60
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
MUST_SIGN = frozenset({"content-type", "host"})
_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/,\s]+)/(\d{4}-\d{2}-\d{2})/([a-z0-9_-]+)/tc3_request,"
    r"\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a request says about its own signature."""

    key_id: str
    day: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: int
    token: str


def canonical_request(
    method: str, path: str, query: str, headers: Mapping[str, str], signed_headers: Iterable[str], payload: bytes
) -> str:
    """What is hashed: method, path, query, the signed headers and the hash of the body."""
    names = sorted(signed_headers)
    lines = "".join(f"{name}:{headers.get(name, '').strip().lower()}\n" for name in names)
    return f"{method}\n{path}\n{query}\n{lines}\n{';'.join(names)}\n{hashlib.sha256(payload).hexdigest()}"


def string_to_sign(canonical: str, timestamp: int, day: str) -> str:
    """The algorithm, the time, the scope and the hash of the canonical request."""
    return f"{TC3}\n{timestamp}\n{day}/{SERVICE}/tc3_request\n{hashlib.sha256(_bytes(canonical)).hexdigest()}"


def signature(secret: str, day: str, to_sign: str) -> str:
    """HMAC-SHA256 with a key that is derived for the day and the service, in lower-case hexadecimal."""
    key = f"TC3{secret}".encode()
    for part in (day, SERVICE, "tc3_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return hmac.new(key, _bytes(to_sign), hashlib.sha256).hexdigest()


def claimed_key_id(received: Received) -> str:
    """The key id that a request names; "" where it names none."""
    named = re.search(r"Credential=([^/,\s]+)", received.header("authorization"))
    return named[1] if named else ""


def read_claim(received: Received) -> Claim:
    """The signature that a request carries; raises AuthFailure.InvalidAuthorization where it cannot be checked."""
    parts = _AUTHORIZATION.fullmatch(received.header("authorization").strip())
    if parts is None:
        raise _invalid("it is not of the form TC3-HMAC-SHA256 Credential=…")
    key_id, day, service, names, signed = parts.groups()
    if service != SERVICE:
        raise _invalid(f"its scope is {service}, not {SERVICE}")
    headers = tuple(names.split(";"))
    if list(headers) != sorted(set(headers)):
        raise _invalid("SignedHeaders are not sorted")
    if not_signed := sorted(MUST_SIGN - set(headers)):
        raise _invalid(f"these headers are not signed: {', '.join(not_signed)}")
    if not_sent := sorted(name for name in headers if not received.header(name)):
        raise _invalid(f"these headers are signed but not sent: {', '.join(not_sent)}")
    return Claim(
        key_id=key_id,
        day=day,
        signed_headers=headers,
        signature=signed,
        timestamp=_timestamp(received),
        token=received.header("x-tc-token"),
    )


def check_fresh(claim: Claim, now: datetime) -> None:
    """Refuse a time outside of the window, and a scope of another day than the time's."""
    if abs(now.timestamp() - claim.timestamp) > CLOCK_WINDOW_S:
        raise ApiError("AuthFailure.SignatureExpire")
    if claim.day != datetime.fromtimestamp(claim.timestamp, UTC).strftime("%Y-%m-%d"):
        raise _signature_failure("the scope's date is not the UTC date of X-TC-Timestamp")


def check_token(claim: Claim, key: Key) -> None:
    """Refuse a temporary key without its token, and a token that is expired or not this key's."""
    if key.token is not None and not claim.token:
        raise ApiError("AuthFailure.SecretIdNotFound")  # a temporary key alone is no key
    if key.token_expired or not hmac.compare_digest(_bytes(key.token or ""), _bytes(claim.token)):
        raise ApiError("AuthFailure.TokenFailure")


def check_signature(claim: Claim, received: Received, key: Key) -> None:
    """Refuse a wrong signature. The words echo what was signed: a careless client logs it."""
    unsigned = received.header("x-tc-content-sha256") == UNSIGNED_PAYLOAD
    payload = UNSIGNED_PAYLOAD.encode() if unsigned else received.body
    canonical = canonical_request(
        received.method, received.path, received.query, received.headers, claim.signed_headers, payload
    )
    expected = signature(key.secret, claim.day, string_to_sign(canonical, claim.timestamp, claim.day))
    if not hmac.compare_digest(_bytes(expected), _bytes(claim.signature)):
        raise _signature_failure(f"the server's canonical request is [{canonical}], token [{claim.token}]")


def _timestamp(received: Received) -> int:
    text = received.header("x-tc-timestamp")
    if not text:
        raise ApiError("MissingParameter", "The request is missing the header X-TC-Timestamp.")
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ApiError("InvalidParameter", "X-TC-Timestamp is not a number of seconds.")
    return int(text)


def _invalid(why: str) -> ApiError:
    return ApiError("AuthFailure.InvalidAuthorization", f"The Authorization header is not valid: {why}.")


def _signature_failure(why: str) -> ApiError:
    return ApiError("AuthFailure.SignatureFailure", f"The provided credentials could not be validated: {why}.")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
