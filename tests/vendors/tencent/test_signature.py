"""Our signature against the dossier's vectors (section 5.3) and against the vendor's own signer."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tencentcloud.common.credential import Credential as SdkCredential
from tencentcloud.common.http.request import RequestInternal
from tencentcloud.trtc.v20190722.trtc_client import TrtcClient

from livetask_operator.vendors.contract import Credential
from livetask_operator.vendors.tencent.signature import authorization, canonical_request, sign

DATE = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = Credential("AKIDEXAMPLE", "SKEXAMPLE")
MAINLAND, INTERNATIONAL = "trtc.tencentcloudapi.com", "trtc.intl.tencentcloudapi.com"
TASK = b'{"SdkAppId": 1400000001, "TaskId": "CR6Lqv-x+y."}'
START = (
    rb'{"SdkAppId": 1400000001, "RoomId": "\u623f\u95f41", "RoomIdType": 0, "UserId": "bot", "UserSig": "sig", '
    rb'"StreamUrl": "https://a.b/t.mp4"}'
)


@pytest.mark.parametrize(
    ("host", "body", "signature"),
    [
        (MAINLAND, TASK, "8d6631ca900dbaab921e78f390c49aa4e44b8520501265d51b28bc3352a835f1"),
        (INTERNATIONAL, TASK, "fc3c912148de56dd26245aea68e9ae2613917f3117a453e13d769714a987f30d"),
        (MAINLAND, START, "bc4e75c4e83c3dbf59006a117289d5a418067ae086bffd7cc5884c6ee716075a"),
    ],
    ids=["T1 a status", "T2 a stop at the international site", "T3 a start"],
)
def test_the_vectors_come_out(host: str, body: bytes, signature: str) -> None:
    assert authorization(host, body, KEY, DATE) == (
        "TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/2025-01-02/trtc/tc3_request, "
        f"SignedHeaders=content-type;host, Signature={signature}"
    )


@pytest.mark.parametrize(
    ("host", "hashed"),
    [
        (MAINLAND, "0f5407f0bb78c6f27ba7366466525cae08a0e7c74558e78dce14c7d1dda71571"),
        (INTERNATIONAL, "a7caeb1681b5b6d88d7dc12ed5c1d35d0fe3c44b9029a2b1c04011918217d55c"),
    ],
)
def test_the_canonical_request_is_the_vectors(host: str, hashed: str) -> None:
    assert hashlib.sha256(canonical_request(host, TASK).encode()).hexdigest() == hashed


def signed(credential: Credential = KEY, date: datetime = DATE) -> dict[str, str]:
    headers = sign(
        host=MAINLAND,
        action="StopStreamIngest",
        version="2019-07-22",
        region="ap-singapore",
        body=TASK,
        credential=credential,
        date=date,
    )
    return dict(headers)


def test_what_is_asked_and_where_is_in_the_headers() -> None:
    headers = signed()

    del headers["authorization"]
    assert headers == {
        "host": MAINLAND,
        "content-type": "application/json",
        "x-tc-action": "StopStreamIngest",
        "x-tc-version": "2019-07-22",
        "x-tc-region": "ap-singapore",
        "x-tc-timestamp": "1735787045",
    }


def test_a_temporary_keys_token_is_sent_and_not_signed() -> None:
    with_token = signed(Credential("AKIDEXAMPLE", "SKEXAMPLE", "TOKENEXAMPLE"))

    assert with_token == signed() | {"x-tc-token": "TOKENEXAMPLE"}


def test_the_day_is_that_of_utc_whatever_the_clocks_zone() -> None:
    shanghai = datetime(2025, 1, 3, 3, 4, 5, tzinfo=timezone(timedelta(hours=8)))

    assert signed(date=shanghai) == signed(date=shanghai.astimezone(UTC))
    assert "/2025-01-02/" in signed(date=shanghai)["authorization"]


words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
hosts = st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){1,3}(:[1-9][0-9]{1,4})?", fullmatch=True)


@given(
    host=hosts,
    body=st.text(st.characters(exclude_categories=["Cs"])),
    key_id=words,
    secret=words,
    date=st.datetimes(min_value=DATE.replace(tzinfo=None), timezones=st.just(UTC)),
)
def test_every_signature_is_the_one_that_the_vendors_signer_makes(
    host: str, body: str, key_id: str, secret: str, date: datetime
) -> None:
    ours = authorization(host, body.encode(), Credential(key_id, secret), date)

    request = RequestInternal(host, "POST", "/")
    request.data = body
    request.header = {
        "Content-Type": "application/json",
        "Host": host,
        "X-TC-Timestamp": str(int(date.timestamp())),
    }
    client = TrtcClient(SdkCredential("id", "key"), "ap-singapore")
    theirs = client._get_tc3_signature({}, request, date.strftime("%Y-%m-%d"), "trtc", secret)
    assert ours.endswith(f"Signature={theirs}")
