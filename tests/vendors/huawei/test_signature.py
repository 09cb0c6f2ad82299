"""Our signature against the dossier's vectors (section 5.4) and against the vendor's own signer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.contract import Credential
from livetask_operator.vendors.huawei.credential import credential_in
from livetask_operator.vendors.huawei.signature import authorization, canonical_path, canonical_query, sign

DATE = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
HOST = "live.cn-north-4.myhuaweicloud.com"
PROJECT = "0123456789abcdef0123456789abcdef"
PATH = f"/v1/{PROJECT}/pull/stream/task"
KEY = Credential("AKEXAMPLE", "SKEXAMPLE")
PLAIN = {"host": HOST, "x-sdk-date": "20250102T030405Z"}
JSON = {"content-type": "application/json"}
CREATION = (
    b'{"source_type":"PullLivePushLive","source_urls":["rtmp://play.example.com/live/s1"],'
    b'"destination_url":"rtmp://push.example.com/live/d1"}'
)


@pytest.mark.parametrize(
    ("method", "params", "headers", "body", "signature"),
    [
        (
            "GET",
            {"limit": "100", "region": "cn-north-4", "task_id": "7864b3dc"},
            PLAIN,
            b"",
            "f4aa828ec677a720a563c264d1c34a47df22c71ad5fc9fea8c42a3ad1f79e40b",
        ),
        (
            "GET",
            {"task_id": "t 1/*~é", "region": "cn-north-4", "offset": "0", "limit": "100"},
            PLAIN,
            b"",
            "0fa02cae20558232f1f13c8e993545781ad39728b462935096deb546606890d8",
        ),
        (
            "POST",
            {},
            {**PLAIN, **JSON, "x-project-id": PROJECT},
            CREATION,
            "a12ef069e8d91665ccbd6867cd5b4ca6779371bc9149986e52fc99e3f4944610",
        ),
        (
            "PUT",
            {},
            {**PLAIN, **JSON},
            b'{"task_id":"7864b3dc","status":"pause"}',
            "f3f0670124a0d26e5d878cd5d4e13621753937226e41a7c66123937c63e8b56c",
        ),
        (
            "DELETE",
            {"region": "cn-north-4", "task_id": "7864b3dc"},
            {**PLAIN, "x-security-token": "STSTOKEN"},
            b"",
            "d5c4df369c170a100a2ce716de6ccf759d8090701e924d5324ccda22dbc90787",
        ),
    ],
    ids=["H1 a list", "H2 special characters", "H3 a creation", "H4 a change", "H5 a temporary key"],
)
def test_the_dossiers_vectors(
    method: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes, signature: str
) -> None:
    result = authorization(method, PATH, canonical_query(params), headers, body, KEY)

    names = ";".join(sorted(headers))
    assert result == f"SDK-HMAC-SHA256 Access=AKEXAMPLE, SignedHeaders={names}, Signature={signature}"


def test_a_slash_ends_the_path_that_is_signed_and_not_the_one_that_is_sent() -> None:
    assert canonical_path(PATH) == f"{PATH}/"
    assert canonical_path("/v1/a b/é/") == "/v1/a%20b/%C3%A9/"
    assert canonical_path("/v1/a%20b") == "/v1/a%20b/"


def signed(credential: Credential, date: datetime = DATE, **params: str) -> tuple[str, Mapping[str, str]]:
    result = sign(method="GET", host=HOST, path=PATH, project=PROJECT, params=params, credential=credential, date=date)
    return result.query, result.headers


def test_the_time_is_signed_in_utc_whatever_the_clocks_zone() -> None:
    shanghai = DATE.astimezone(timezone(timedelta(hours=8)))

    assert signed(KEY, shanghai) == signed(KEY)


def test_a_security_token_is_sent_and_signed() -> None:
    _, headers = signed(Credential("AK", "SK", "STSTOKEN"))

    assert headers["x-security-token"] == "STSTOKEN"
    assert "SignedHeaders=host;x-project-id;x-sdk-date;x-security-token," in headers["authorization"]


def test_a_token_goes_as_it_is_and_nothing_is_signed() -> None:
    credential = credential_in({"authToken": "MIIE+token/=="})

    query, headers = signed(credential, task_id="a b")

    assert query == "task_id=a%20b"
    assert headers == {"host": HOST, "x-auth-token": "MIIE+token/=="}


def test_neither_the_signature_nor_a_token_is_in_the_repr() -> None:
    for credential in (Credential("AK", "SK", "STSTOKEN"), credential_in({"authToken": "MIIE"})):
        result = sign(
            method="GET", host=HOST, path=PATH, project="p", params={"a": "b"}, credential=credential, date=DATE
        )

        assert repr(result) == "Signed(query='a=b')"


words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text(" *~+/%&=?#,;:@'\"<>\\é流😀", max_size=20)
segments = st.text("abcXYZ019-_.~ é流", min_size=1, max_size=12)


@given(
    params=st.dictionaries(texts, texts, max_size=6),
    credential=st.builds(Credential, words, words, st.none() | words),
    path=st.lists(segments, min_size=1, max_size=5),
    method=st.sampled_from(["GET", "DELETE"]),
    date=st.datetimes(min_value=DATE.replace(tzinfo=None), timezones=st.just(UTC)),
)
def test_every_signature_is_the_one_that_the_vendors_signer_makes(
    params: dict[str, str], credential: Credential, path: list[str], method: str, date: datetime
) -> None:
    ours = sign(
        method=method,
        host=HOST,
        path="/" + "/".join(path),
        project=PROJECT,
        params=params,
        credential=credential,
        date=date,
    )

    request = SdkRequest(
        method=method,
        schema="https",
        host=HOST,
        resource_path="/" + "/".join(path),
        query_params=list(params.items()),
        header_params={name: value for name, value in ours.headers.items() if name != "authorization"},
        body=None,
    )
    theirs = Signer(BasicCredentials(credential.key_id, credential.secret, PROJECT)).sign(request)
    assert ours.headers["authorization"] == theirs.header_params["Authorization"]
    assert theirs.uri.partition("?")[2] == ours.query


def test_an_empty_body_is_hashed_as_one() -> None:
    with_empty = authorization("GET", PATH, "", PLAIN, b"", KEY)
    with_some = authorization("GET", PATH, "", PLAIN, b"{}", KEY)

    assert with_empty != with_some
    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
