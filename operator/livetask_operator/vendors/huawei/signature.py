"""Huawei Cloud's signature SDK-HMAC-SHA256: from a request to the query and the headers that prove who asks.

Pure: the time comes in. Apart from the client so that the vendor's own signer can be held against it.
Source: vendor-apis.md, section 5.4; trap 34.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from livetask_operator.vendors.contract import Credential
from livetask_operator.vendors.huawei.credential import is_token

ALGORITHM = "SDK-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signed:
    """What to send, byte for byte."""

    query: str
    headers: Mapping[str, str] = field(repr=False)


def sign(
    *,
    method: str,
    host: str,
    path: str,
    project: str,
    params: Mapping[str, str],
    credential: Credential,
    date: datetime,
) -> Signed:
    """Signs a request without a body; a token goes along as it is, and there is nothing to sign with.

    host: as it is sent, with a port that is not the scheme's own. path: as it is sent, without the query.
    date: any zone; the vendor refuses what is more than 15 minutes old.
    """
    query = canonical_query(params)
    if is_token(credential):
        return Signed(query, {"host": host, "x-auth-token": credential.token or ""})
    headers = {
        "host": host,
        "x-project-id": project,
        "x-sdk-date": date.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"),
    }
    if credential.token is not None:
        headers["x-security-token"] = credential.token
    headers["authorization"] = authorization(method, path, query, headers, b"", credential)
    return Signed(query, headers)


def authorization(
    method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, credential: Credential
) -> str:
    """The Authorization header over a canonical query, all the headers given and the body.

    The headers hold the time as `x-sdk-date`.
    """
    canonical = {name.lower(): value.strip() for name, value in headers.items()}
    names = ";".join(sorted(canonical))
    lines = "".join(f"{name}:{canonical[name]}\n" for name in sorted(canonical))
    request = f"{method}\n{canonical_path(path)}\n{query}\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    to_sign = f"{ALGORITHM}\n{canonical['x-sdk-date']}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(credential.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Access={credential.key_id}, SignedHeaders={names}, Signature={signature}"


def canonical_path(path: str) -> str:
    """The path as it is signed: with a slash at its end, which the request itself does not have."""
    encoded = "/".join(_encoded(segment) for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else f"{encoded}/"


def canonical_query(params: Mapping[str, str]) -> str:
    """The query as it is both signed and sent: sorted by name, both sides percent-encoded after RFC 3986."""
    return "&".join(f"{_encoded(name)}={_encoded(params[name])}" for name in sorted(params))


def _encoded(text: str) -> str:
    return quote(text, safe="~")
