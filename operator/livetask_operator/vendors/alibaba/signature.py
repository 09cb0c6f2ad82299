"""Alibaba Cloud's signature version 3, ACS3-HMAC-SHA256: from a call to the query and the headers that prove who asks.

Pure: time and nonce come in. Apart from the client so that the vendor's own signer can be held against it.
Source: vendor-apis.md, section 5.2.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from livetask_operator.vendors.contract import Credential

ALGORITHM = "ACS3-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signed:
    """What to send, byte for byte."""

    query: str
    headers: Mapping[str, str] = field(repr=False)


def sign(
    *,
    method: str,
    host: str,
    action: str,
    version: str,
    params: Mapping[str, str],
    credential: Credential,
    date: datetime,
    nonce: str,
) -> Signed:
    """Signs an RPC call without a body: the parameters in the query, action and version in headers.

    host: as it is sent, with a port that is not the scheme's own.
    date: any zone; the vendor refuses what is more than 15 minutes off. nonce: never used before.
    """
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    if credential.token is not None:
        headers["x-acs-accesskey-id"] = credential.key_id
        headers["x-acs-security-token"] = credential.token
    query = canonical_query(params)
    headers["authorization"] = authorization(method, query, headers, credential)
    return Signed(query=query, headers=headers)


def authorization(method: str, query: str, headers: Mapping[str, str], credential: Credential) -> str:
    """The Authorization header over a canonical query and all the headers given.

    The headers hold the body's hash as `x-acs-content-sha256`.
    """
    canonical = {name.lower(): value.strip() for name, value in headers.items()}
    names = ";".join(sorted(canonical))
    lines = "".join(f"{name}:{canonical[name]}\n" for name in sorted(canonical))
    request = f"{method}\n/\n{query}\n{lines}\n{names}\n{canonical['x-acs-content-sha256']}"
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(credential.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={credential.key_id},SignedHeaders={names},Signature={signature}"


def canonical_query(params: Mapping[str, str]) -> str:
    """The query as it is both signed and sent: sorted by name, both sides percent-encoded after RFC 3986."""
    return "&".join(f"{_encoded(name)}={_encoded(params[name])}" for name in sorted(params))


def _encoded(text: str) -> str:
    return quote(text, safe="~")
