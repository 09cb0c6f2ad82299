"""Checks of Huawei Cloud's signature, SDK-HMAC-SHA256.

Apart, because it is the one part that must be right to the byte; its tests hold it against vectors of the vendor's own
signer. Source: dossier section 5.4.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from livetask_simulator.accounts import Key
from livetask_simulator.exchange import Received
from livetask_simulator.huawei.errors import unauthenticated

ALGORITHM = "SDK-HMAC-SHA256"
CLOCK_WINDOW = timedelta(minutes=15)
DATE = "%Y%m%dT%H%M%SZ"
_ALWAYS_SIGNED = frozenset({"host", "x-sdk-date"})
_SIGNED_WHERE_SENT = frozenset({"x-security-token", "x-project-id", "x-sdk-content-sha256"})
_AUTHORIZATION = re.compile(
    r"SDK-HMAC-SHA256 Access=([^,\s]+),\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a request says about its own signature."""

    key_id: str
    signed_headers: tuple[str, ...]
    signature: str
    date: str
    token: str


def canonical_path(path: str) -> str:
    """The path as it is signed: each part encoded anew, and a slash at the end that the request does not have."""
    encoded = "/".join(_encode(part) for part in unquote(path, errors="surrogateescape").split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Parameters sorted by name, then value; both encoded."""
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(pairs))


def canonical_request(
    method: str,
    path: str,
    pairs: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    signed_headers: Iterable[str],
    content_sha256: str,
) -> str:
    """What is hashed: method, path, query, the signed headers and the hash of the body."""
    names = sorted(signed_headers)
    lines = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in names)
    query = canonical_query(pairs)
    return f"{method}\n{canonical_path(path)}\n{query}\n{lines}\n{';'.join(names)}\n{content_sha256}"


def string_to_sign(canonical: str, date: str) -> str:
    """The algorithm, the time and the hash of the canonical request."""
    return f"{ALGORITHM}\n{date}\n{hashlib.sha256(_bytes(canonical)).hexdigest()}"


def signature(secret: str, to_sign: str) -> str:
    """HMAC-SHA256 with the secret as it is, in lower-case hexadecimal."""
    return hmac.new(secret.encode(), _bytes(to_sign), hashlib.sha256).hexdigest()


def claimed_key_id(received: Received) -> str:
    """The key id that a request names; "" where it names none."""
    named = re.search(r"Access=([^,\s]+)", received.header("authorization"))
    return named[1] if named else ""


def read_claim(received: Received) -> Claim:
    """The signature that a request carries; raises APIGW.0301 where it carries none that could be checked."""
    if not received.header("authorization"):
        raise unauthenticated("x-auth-token not found")
    parts = _AUTHORIZATION.fullmatch(received.header("authorization").strip())
    if parts is None:
        raise unauthenticated("the Authorization header is not of the form SDK-HMAC-SHA256 Access=…")
    key_id, names, signed = parts.groups()
    headers = tuple(names.split(";"))
    if list(headers) != sorted(set(headers)):
        raise unauthenticated("SignedHeaders are not sorted")
    must_sign = _ALWAYS_SIGNED | (_SIGNED_WHERE_SENT & set(received.headers))
    if not_signed := sorted(must_sign - set(headers)):
        raise unauthenticated(f"these headers are not signed: {', '.join(not_signed)}")
    if not_sent := sorted(set(headers) - set(received.headers)):
        raise unauthenticated(f"these headers are signed and not sent: {', '.join(not_sent)}")
    return Claim(
        key_id=key_id,
        signed_headers=headers,
        signature=signed,
        date=received.header("x-sdk-date"),
        token=received.header("x-security-token"),
    )


def check_fresh(claim: Claim, now: datetime) -> None:
    """Refuse a time outside of the window. Nothing but the words tells this from any other refusal."""
    try:
        date = datetime.strptime(claim.date, DATE).replace(tzinfo=UTC)
    except ValueError:
        raise unauthenticated("calc aksk signature fail:x-sdk-date is no time") from None
    if abs(now - date) > CLOCK_WINDOW:
        times = f"signature time:{claim.date},server time:{now.strftime(DATE)}"
        raise unauthenticated(f"calc aksk signature fail:signature expired, {times}")


def check_token(claim: Claim, key: Key) -> None:
    """Refuse a temporary key without its token, and a token that is expired or not this key's."""
    if key.token_expired or not hmac.compare_digest(_bytes(key.token or ""), _bytes(claim.token)):
        raise unauthenticated("verify security token fail")


def check_signature(claim: Claim, received: Received, key: Key) -> None:
    """Refuse a wrong signature. The words echo what was signed, as the vendor's do: a careless client logs a token."""
    canonical = canonical_request(
        received.method,
        received.path,
        received.query_pairs(),
        received.headers,
        claim.signed_headers,
        hashlib.sha256(received.body).hexdigest(),
    )
    expected = signature(key.secret, string_to_sign(canonical, claim.date))
    if not hmac.compare_digest(_bytes(expected), _bytes(claim.signature)):
        echo = canonical.replace("\n", "|")
        raise unauthenticated(f"verify aksk signature fail, canonicalRequest:{echo}")


def _encode(text: str) -> str:
    return quote(text, safe="~", errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
