"""The search for secrets in what the operator says: in each form in which one may slip out.

Apart from the tests that search, because a search that finds nothing is worth what it can find: its own test plants.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import quote, quote_plus

SHORT = 12
"""A secret that was cut short is still one: so much of its head or its tail is searched for, too."""


def leaks(outputs: Mapping[str, str], secrets: Collection[str]) -> list[str]:
    """Where secrets show, each as `output: form`; neither the secret nor what is around it is told again."""
    found = []
    for secret in secrets:
        for form, text in forms(secret):
            found += [f"{name}: {form}" for name, output in outputs.items() if text in output]
    return sorted(set(found))


def forms(secret: str) -> Iterator[tuple[str, str]]:
    """What a secret looks like: its form in words, and the text to search for."""
    if len(secret) < SHORT:
        raise ValueError(f"a secret of {len(secret)} characters would be found by accident: {SHORT} at least")
    for part, text in (("", secret), ("the head of it, ", secret[:SHORT]), ("the tail of it, ", secret[-SHORT:])):
        yield f"{part}plain", text
        for escaped in {json.dumps(text)[1:-1], json.dumps(text).replace("/", "\\/")[1:-1], repr(text)[1:-1]}:
            yield f"{part}escaped", escaped
        for encoded in {quote(text), quote(text, safe=""), quote_plus(text), _small(quote(text, safe=""))}:
            yield f"{part}URL-encoded", encoded
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            for before in range(3):
                yield f"{part}base64", _core(alphabet(b"." * before + text.encode()).decode(), before)


def _small(encoded: str) -> str:
    """With %2f in the place of %2F."""
    return re.sub("%..", lambda found: found[0].lower(), encoded)


def _core(encoded: str, before: int) -> str:
    """Base64 without what depends on the neighbours: a secret may stand anywhere in what was encoded."""
    last = encoded.rstrip("=")
    whole = last if len(last) == len(encoded) else last[:-1]
    return whole[(0, 2, 3)[before] :]
