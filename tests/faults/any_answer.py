"""Answers of every kind: a vendor's documented ones, changed a little or much, and the HTTP around them bent.

What hypothesis draws is what a vendor, its gateway, or a proxy on the way may one day say.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.faults.vendor_calls import CALLS, Call, Document, Said


@dataclass(frozen=True)
class Wire:
    """What comes over a connection."""

    raw: bytes
    closes: bool
    """The connection ends after it."""
    status: int
    body: bytes
    is_whole: bool
    """Whether HTTP lets a reader know that it has the whole body, and that it may take it as it is."""

    def __repr__(self) -> str:
        return f"Wire({self.raw[:3000]!r}, closes={self.closes})"


@dataclass(frozen=True)
class _Bent:
    """A way to put a body on the wire. `{}` of a head is the length of the body."""

    head: bytes
    wrap: Callable[[bytes], bytes] = lambda body: body
    closes: bool = False
    is_whole: bool = True
    before: bytes = b""


def _chunked(body: bytes, at: int = 7) -> bytes:
    parts = [body[start : start + at] for start in range(0, len(body), at)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


_LENGTH, _CHUNKS = b"Content-Length: {}", b"Transfer-Encoding: chunked"
BENT = (
    # As it should be, in HTTP's several ways.
    *[_Bent(_LENGTH)] * 6,
    _Bent(_CHUNKS, _chunked),
    _Bent(b"X-Nothing: ", closes=True),
    _Bent(_LENGTH + b"\r\nConnection: close", closes=True),
    _Bent(_LENGTH, before=b"HTTP/1.1 100 Continue\r\n\r\n"),
    _Bent(_LENGTH + b"\r\nContent-Type: text/html;charset=gbk"),
    _Bent(_LENGTH + b"\r\nRetry-After: -1\r\nDate: the day after\r\nx-acs-retry-after: 1e9"),
    _Bent(_LENGTH + b"\r\nSet-Cookie: a=b; Domain=.com\r\nX-Bytes: \xff\xfe\x80"),
    # Cut off.
    _Bent(_LENGTH, lambda body: body[: len(body) // 2], closes=True, is_whole=False),
    _Bent(_LENGTH, lambda body: b"", closes=True, is_whole=False),
    _Bent(_CHUNKS, lambda body: _chunked(body)[:-7], closes=True, is_whole=False),
    _Bent(_CHUNKS, lambda body: b"zz\r\n" + body, closes=True, is_whole=False),
    _Bent(_LENGTH[:9], lambda body: b"", closes=True, is_whole=False),
    # Compressed, which was not asked for.
    _Bent(_CHUNKS + b"\r\nContent-Encoding: gzip", lambda body: _chunked(gzip.compress(body)), is_whole=False),
    _Bent(_CHUNKS + b"\r\nContent-Encoding: br", _chunked, is_whole=False),
    _Bent(b"Content-Encoding: gzip", lambda body: gzip.compress(body)[:-9], closes=True, is_whole=False),
    # Against the rules: two lengths, none that is one, more than was promised.
    _Bent(_LENGTH + b"\r\nContent-Length: 5", closes=True, is_whole=False),
    _Bent(b"Content-Length: -5", closes=True, is_whole=False),
    _Bent(b"Content-Length: 99999999999999999999", closes=True, is_whole=False),
    _Bent(_LENGTH, lambda body: body + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    _Bent(_LENGTH, lambda body: body + body),
)

ODD: Sequence[object] = (
    None, True, False, 0, 1, 2, 6, -1, 7, 10**30, 1.0, 2.5, 1e308, "", " ", "0", "2", "2 ", "\uff16", "-0", "1e0",
    "InProgress", "NotExist", "running", "finished", "Failed", "100%", "200%", "\x00", "\ud800", "\u202e", "流" * 300,
    "x" * 5000, [], {}, [[]], {"": {}}, "LIVE.1", "InvalidTask.NotFound", "FailedOperation.TaskNotExist", "2026-11-21",
)  # fmt: skip
"""Values of other types, words of another meaning, and what looks like a number and is none."""


@st.composite
def wires(draw: st.DrawFn, call: Call) -> Wire:
    """An answer to a call: mostly one of its own, sometimes another call's."""
    said = draw(st.sampled_from(call.answers) if draw(st.integers(0, 9)) else st.sampled_from(_OTHERS))
    document = copy.deepcopy(said.document)
    for _ in range(draw(st.integers(0, 3))):
        document = _changed(draw, document)
    body = draw(st.sampled_from(_WRITTEN))(json.dumps(document))
    status = draw(st.sampled_from([said.status] * 4 + [200, 201, 204, 299, 302, 400, 403, 404, 429, 500, 503, 700]))
    bent = draw(st.sampled_from(BENT))
    head = bent.head.replace(b"{}", b"%d" % len(body))
    raw = bent.before + b"HTTP/1.1 %d Said\r\n%s\r\n\r\n%s" % (status, head, bent.wrap(body))
    return Wire(raw, bent.closes, status, body, bent.is_whole and status not in (204, 302))


_OTHERS: Sequence[Said] = [said for call in CALLS for said in call.answers]


def _changed(draw: st.DrawFn, document: Document) -> Document:
    """One place of a document is otherwise."""
    places = list(_places(document))
    if not places:
        return copy.deepcopy(draw(st.sampled_from(ODD)))
    holder, key = draw(st.sampled_from(places))
    match draw(st.sampled_from(["odd", "odd", "gone", "renamed", "wrapped", "twice", "grafted"])):
        case "odd":
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
        case "gone":
            del holder[key]
        case "renamed" if isinstance(key, str):
            holder[draw(st.sampled_from([key.lower(), key.upper(), "Code", "error_code", "Status", "Error"]))] = (
                holder.pop(key)
            )
        case "wrapped":
            holder[key] = [holder[key]]
        case "twice" if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case _:
            holder[key] = copy.deepcopy(draw(st.sampled_from(_OTHERS)).document)
    return document


def _places(document: Document) -> Iterator[tuple[Any, Any]]:
    """Each value of a document, by what holds it."""
    match document:
        case dict():
            inside: Sequence[tuple[Any, Any]] = list(document.items())
        case list():
            inside = list(enumerate(document))
        case _:
            return
    for key, value in inside:
        yield document, key
        yield from _places(value)


# A document's text as bytes. Most are as they should be.
_WRITTEN: Sequence[Callable[[str], bytes]] = (
    *[str.encode] * 12,
    lambda text: text.encode("utf-16"),
    lambda text: text.encode("utf-8-sig"),
    lambda text: json.dumps(json.loads(text), ensure_ascii=False).encode("gbk", "replace"),
    lambda text: json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "surrogatepass"),
    lambda text: text[: len(text) // 2].encode(),
    lambda text: (text + text).encode(),
    lambda text: text.replace("{", '{"Status": 2, ', 1).encode(),
    lambda text: text.replace("{", '{"Status": NaN, ', 1).encode(),
    lambda text: text.replace(":", ": " + "9" * 5000 + ",", 1).encode(),
    lambda text: ("[" * 100_000 + text).encode(),
    lambda text: ('{"a":' * 5_000 + text + "}" * 5_000).encode(),
    lambda text: f"<html><body>{text}</body></html>".encode(),
    lambda text: b"",
    lambda text: b"\x00\xff\xfe" + text.encode(),
)
