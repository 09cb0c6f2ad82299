"""Tencent Cloud's signature version 3, TC3-HMAC-SHA256: from a call to the headers that prove who asks.

Pure: the time comes in. Apart from the client so that the vendor's own signer can be held against it.
Source: vendor-apis.md, section 5.3.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from livetask_operator.vendors.contract import Credential

ALGORITHM = "TC3-HMAC-SHA256"
SERVICE = "trtc"
"""In the signature it is so at every host, the international one included."""
CONTENT_TYPE = "application/json"
SIGNED_HEADERS = "content-type;host"


def sign(
    *,
    host: str,
    action: str,
    version: str,
    region: str,
    body: bytes,
    credential: Credential,
    date: datetime,
) -> Mapping[str, str]:
    """All the headers of a POST with this JSON body.

    host: as it is sent, with a port that is not the scheme's own.
    date: any zone; the vendor refuses what is more than 5 minutes off. Action, region and token are not signed.
    """
    headers = {
        "host": host,
        "content-type": CONTENT_TYPE,
        "x-tc-action": action,
        "x-tc-version": version,
        "x-tc-region": region,
        "x-tc-timestamp": str(_seconds(date)),
        "authorization": authorization(host, body, credential, date),
    }
    if credential.token is not None:
        headers["x-tc-token"] = credential.token
    return headers


def authorization(host: str, body: bytes, credential: Credential, date: datetime) -> str:
    """The Authorization header of a POST of this JSON body to this host."""
    day = date.astimezone(UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{SERVICE}/tc3_request"
    to_sign = f"{ALGORITHM}\n{_seconds(date)}\n{scope}\n{_sha256(canonical_request(host, body).encode())}"
    key = f"TC3{credential.secret}".encode()
    for part in (day, SERVICE, "tc3_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={credential.key_id}/{scope}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"


def canonical_request(host: str, body: bytes) -> str:
    """What is hashed: method, path, an empty query, the two signed headers and the hash of the body."""
    return f"POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\n\n{SIGNED_HEADERS}\n{_sha256(body)}"


def _seconds(date: datetime) -> int:
    return int(date.timestamp())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
