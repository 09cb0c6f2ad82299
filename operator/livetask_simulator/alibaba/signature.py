"""Checks of Alibaba Cloud's two signatures: ACS3-HMAC-SHA256 (headers) and RPC v1, HMAC-SHA1 (parameters).

Apart, because it is the one part that must be right to the byte; its tests hold it against vectors of the vendor's own
signer. Sources: dossier sections 5.1 and 5.2, help.aliyun.com "V3 request structure and signature mechanism".
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from livetask_simulator.accounts import Key
from livetask_simulator.alibaba.errors import ApiError
from livetask_simulator.exchange import Received

ACS3 = "ACS3-HMAC-SHA256"
CLOCK_WINDOW = timedelta(minutes=15)
NONCES_KEPT_S = 2 * CLOCK_WINDOW.total_seconds()  # an older one is refused for its date, early or late
_AUTHORIZATION = re.compile(
    r"ACS3-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})"
)

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a request says about its own signature."""

    key_id: str
    signature: str
    nonce: str
    date: str
    token: str
    signed_headers: tuple[str, ...] | None
    """The headers under an ACS3 signature; None for RPC v1, which signs parameters alone."""


def encode(text: str) -> str:
    """Percent-encoding by RFC 3986: only letters, digits and `-_.~` stay."""
    return quote(text, safe="~", errors="surrogateescape")


def canonical_query(pairs: Pairs) -> str:
    """Parameters as both signatures see them: sorted by name, names and values encoded."""
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(pairs))


def rpc_string_to_sign(method: str, pairs: Pairs) -> str:
    """What RPC v1 signs: all parameters but the signature itself."""
    signed = [(name, value) for name, value in pairs if name != "Signature"]
    return f"{method}&%2F&{encode(canonical_query(signed))}"


def rpc_signature(secret: str, string_to_sign: str) -> str:
    """HMAC-SHA1 with the secret and an ampersand, in base64."""
    digest = hmac.digest(f"{secret}&".encode(), _bytes(string_to_sign), hashlib.sha1)
    return base64.b64encode(digest).decode()


def acs3_canonical_request(
    method: str, path: str, pairs: Pairs, headers: Mapping[str, str], signed_headers: Iterable[str], content_sha256: str
) -> str:
    """What ACS3 hashes: method, path, query, the signed headers and the hash of the body."""
    names = sorted(signed_headers)
    lines = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in names)
    return f"{method}\n{path}\n{canonical_query(pairs)}\n{lines}\n{';'.join(names)}\n{content_sha256}"


def acs3_string_to_sign(canonical_request: str) -> str:
    """The algorithm and the hash of the canonical request."""
    return f"{ACS3}\n{hashlib.sha256(_bytes(canonical_request)).hexdigest()}"


def acs3_signature(secret: str, string_to_sign: str) -> str:
    """HMAC-SHA256 with the secret as it is, in lower-case hexadecimal."""
    return hmac.new(secret.encode(), _bytes(string_to_sign), hashlib.sha256).hexdigest()


def claimed_key_id(received: Received, parameters: Mapping[str, str]) -> str:
    """The key id that a request names, wherever it does; "" where it names none."""
    authorization = received.header("authorization")
    if authorization:
        named = re.search(r"Credential=([^,\s]+)", authorization)
        return named[1] if named else ""
    return parameters.get("AccessKeyId", "")


def read_claim(received: Received, parameters: Mapping[str, str]) -> Claim:
    """The signature that a request carries; raises IncompleteSignature where it carries none that could be checked."""
    if received.header("authorization"):
        return _read_acs3(received)
    return _read_rpc(parameters)


def check_fresh(claim: Claim, now: datetime) -> None:
    """Refuse a date outside of the window; raises InvalidTimeStamp.Format or .Expired."""
    try:
        date = datetime.strptime(claim.date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ApiError("InvalidTimeStamp.Format") from None
    if abs(now - date) > CLOCK_WINDOW:
        raise ApiError("InvalidTimeStamp.Expired")


def check_token(claim: Claim, key: Key) -> None:
    """Refuse a temporary key without its token, and a token that is expired or not this key's."""
    if key.token is not None and not claim.token:
        raise ApiError("InvalidAccessKeyId.NotFound")  # a temporary key alone is no key
    if key.token is None and claim.token:
        raise ApiError("InvalidSecurityToken.Malformed")
    if key.token is not None and not hmac.compare_digest(_bytes(key.token), _bytes(claim.token)):
        raise ApiError("InvalidSecurityToken.Malformed")
    if key.token_expired:
        raise ApiError("InvalidSecurityToken.Expired")


def check_signature(claim: Claim, received: Received, key: Key) -> None:
    """Refuse a wrong signature. The words echo what was signed, as the vendor's do: a careless client logs a token."""
    if claim.signed_headers is None:
        string_to_sign = rpc_string_to_sign(received.method, received.query_pairs() + received.form_pairs())
        expected = rpc_signature(key.secret, string_to_sign)
        echo = f"server string to sign is:{string_to_sign}"
    else:
        canonical = acs3_canonical_request(
            received.method,
            received.path,
            received.query_pairs(),
            received.headers,
            claim.signed_headers,
            hashlib.sha256(received.body).hexdigest(),
        )
        string_to_sign = acs3_string_to_sign(canonical)
        expected = acs3_signature(key.secret, string_to_sign)
        echo = f"server StringToSign is [{string_to_sign}] server CanonicalRequest is [{canonical}]"
    if not hmac.compare_digest(_bytes(expected), _bytes(claim.signature)):
        raise ApiError("SignatureDoesNotMatch", f"Specified signature is not matched with our calculation. {echo}")


def check_nonce(claim: Claim, key: Key, monotonic_s: float) -> None:
    """Refuse a nonce that this key has used; remember it otherwise."""
    while key.nonces:
        oldest = next(iter(key.nonces))
        if key.nonces[oldest] > monotonic_s - NONCES_KEPT_S:
            break
        del key.nonces[oldest]
    if claim.nonce in key.nonces:
        raise ApiError("SignatureNonceUsed")
    key.nonces[claim.nonce] = monotonic_s


def _read_acs3(received: Received) -> Claim:
    parts = _AUTHORIZATION.fullmatch(received.header("authorization").strip())
    if parts is None:
        raise _incomplete("the Authorization header is not of the form ACS3-HMAC-SHA256 Credential=…")
    key_id, names, signature = parts.groups()
    signed = tuple(names.split(";"))
    if list(signed) != sorted(set(signed)):
        raise _incomplete("SignedHeaders are not sorted")
    must_sign = {"host"} | {name for name in received.headers if name.startswith("x-acs-")}
    if received.body and "content-type" in received.headers:
        must_sign.add("content-type")
    if unsigned := sorted(must_sign - set(signed)):
        raise _incomplete(f"these headers are sent but not signed: {', '.join(unsigned)}")
    for name in ("x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"):
        if not received.header(name):
            raise _incomplete(f"the header {name} is missing")
    if received.header("x-acs-content-sha256") != hashlib.sha256(received.body).hexdigest():
        raise ApiError("SignatureDoesNotMatch", "The x-acs-content-sha256 is not the hash of the body that came.")
    token = received.header("x-acs-security-token")
    if token and received.header("x-acs-accesskey-id") not in ("", key_id):
        raise _incomplete("x-acs-accesskey-id is not the key of the Authorization header")
    return Claim(
        key_id=key_id,
        signature=signature,
        nonce=received.header("x-acs-signature-nonce"),
        date=received.header("x-acs-date"),
        token=token,
        signed_headers=signed,
    )


def _read_rpc(parameters: Mapping[str, str]) -> Claim:
    for name in ("AccessKeyId", "Signature", "SignatureNonce", "Timestamp"):
        if not parameters.get(name):
            raise _incomplete(f"there is no Authorization header, and the parameter {name} is missing")
    if parameters.get("SignatureMethod") != "HMAC-SHA1" or parameters.get("SignatureVersion") != "1.0":
        raise _incomplete("SignatureMethod is not HMAC-SHA1 or SignatureVersion is not 1.0")
    return Claim(
        key_id=parameters["AccessKeyId"],
        signature=parameters["Signature"],
        nonce=parameters["SignatureNonce"],
        date=parameters["Timestamp"],
        token=parameters.get("SecurityToken", ""),
        signed_headers=None,
    )


def _incomplete(why: str) -> ApiError:
    return ApiError("IncompleteSignature", f"The request signature does not conform to Aliyun standards: {why}.")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
