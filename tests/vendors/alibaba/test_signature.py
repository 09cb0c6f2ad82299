"""Our signature against the dossier's vectors (section 5.2) and against the vendor's own signer."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.alibaba.signature import Signed, authorization, canonical_query, sign
from livetask_operator.vendors.contract import Credential

DATE = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
NONCE = "0123456789abcdef0123456789abcdef"
RTC = {"host": "rtc.aliyuncs.com", "version": "2018-01-11"}
LIVE = {"host": "live.aliyuncs.com", "version": "2016-11-01"}
TASK = {"AppId": "app-1", "TaskId": "task_1"}
URLS = {"DomainName": "play.example.com", "PlayUrl": "rtmp://play.example.com/app/a b*~,rtmp://play.example.com/app/流"}


def signed(
    action: str,
    edition: dict[str, str],
    params: dict[str, str],
    credential: Credential | None = None,
    date: datetime = DATE,
) -> Signed:
    return sign(
        method="POST",
        host=edition["host"],
        action=action,
        version=edition["version"],
        params=params,
        credential=credential or Credential("testid", "testsecret"),
        date=date,
        nonce=NONCE,
    )


def signature(result: Signed) -> str:
    return result.headers["authorization"].partition("Signature=")[2]


def test_vector_v3a_a_plain_call() -> None:
    result = signed("GetMPUTaskStatus", RTC, TASK)

    assert result.query == "AppId=app-1&TaskId=task_1"
    assert result.headers["authorization"] == (
        "ACS3-HMAC-SHA256 Credential=testid,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=eadc7b25ff8bd4583e155d29331962b84460c60365872ad4ab8a9c77b6c4c6ac"
    )


def test_vector_v3b_a_temporary_key() -> None:
    result = signed("StopLiveMPUTask", LIVE, TASK, Credential("testid", "testsecret", "CAIS+tok/en=="))

    assert result.headers["x-acs-security-token"] == "CAIS+tok/en=="
    assert signature(result) == "b2a77729d643f4b185ce7ed37323e0a02a47383769851179654cc6a4a04df6cd"


def test_vector_v3c_special_characters() -> None:
    result = signed("SetLiveStreamPreloadTasks", LIVE, URLS)

    assert result.query == (
        "DomainName=play.example.com&PlayUrl=rtmp%3A%2F%2Fplay.example.com%2Fapp%2Fa%20b%2A~"
        "%2Crtmp%3A%2F%2Fplay.example.com%2Fapp%2F%E6%B5%81"
    )
    assert signature(result) == "8b264661f0b1fc0a14ed5302132b2bcb61305b4dee65dd642b1b2c732e5a45d7"


def test_vector_v3d_a_form_body() -> None:
    body = b"DomainName=play.example.com&PlayUrl=rtmp%3A%2F%2Fplay.example.com%2Fapp%2Fa+b%2A~"
    headers = {
        **signed("SetLiveStreamPreloadTasks", LIVE, {}).headers,
        "content-type": "application/x-www-form-urlencoded",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    del headers["authorization"]

    result = authorization("POST", "", headers, Credential("testid", "testsecret"))

    assert result.endswith("Signature=c381f940b901830961a2a84303b5a7ae6f3bf49f20f4c9f8847809d064408a6c")


def test_vector_v3e_all_the_headers_of_the_vendors_client() -> None:
    headers = {
        **signed("GetMPUTaskStatus", RTC, TASK).headers,
        "accept": "application/json",
        "user-agent": "ua-fixed",
        "x-acs-credentials-provider": "static_ak",
    }
    del headers["authorization"]

    result = authorization("POST", canonical_query(TASK), headers, Credential("testid", "testsecret"))

    assert result.endswith("Signature=630e64d4732e43ffe88e5f65fc77bca75b4f87ae583db786eca74c5d0ce0aeef")


def test_the_time_is_signed_in_utc_whatever_the_clocks_zone() -> None:
    shanghai = DATE.astimezone(timezone(timedelta(hours=8)))

    assert signed("GetMPUTaskStatus", RTC, TASK, date=shanghai) == signed("GetMPUTaskStatus", RTC, TASK)


def test_neither_the_signature_nor_the_token_is_in_the_repr() -> None:
    result = signed("StopLiveMPUTask", LIVE, TASK, Credential("testid", "testsecret", "CAIS+tok/en=="))

    assert repr(result) == "Signed(query='AppId=app-1&TaskId=task_1')"


# The vendor's signer encodes values alone; names are what parameters are called: plain ASCII.
names = st.text("abcXYZ019._-~", min_size=1, max_size=12)
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text(" *~+/%&=?#,;:@'\"<>\\é流😀", max_size=20)
lists = st.lists(texts, max_size=4)
words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
credentials = st.builds(Credential, words, words, st.none() | words)


@given(
    params=st.dictionaries(names, texts | lists, max_size=6),
    credential=credentials,
    method=st.sampled_from(["GET", "POST"]),
    nonce=words,
    date=st.datetimes(min_value=DATE.replace(tzinfo=None), timezones=st.just(UTC)),
)
def test_every_signature_is_the_one_that_the_vendors_signer_makes(
    params: dict[str, str | list[str]], credential: Credential, method: str, nonce: str, date: datetime
) -> None:
    flat: dict[str, str] = Utils.query(params)  # the vendor's client makes Name.1, Name.2 of a list

    ours = sign(
        method=method,
        host="rtc.aliyuncs.com",
        action="GetMPUTaskStatus",
        version="2018-01-11",
        params=flat,
        credential=credential,
        date=date,
        nonce=nonce,
    )

    request = DaraRequest()
    request.method, request.pathname, request.query = method, "/", flat
    request.headers = {name: value for name, value in ours.headers.items() if name != "authorization"}
    payload = ours.headers["x-acs-content-sha256"]
    theirs = Utils.get_authorization(request, "ACS3-HMAC-SHA256", payload, credential.key_id, credential.secret)
    assert ours.headers["authorization"] == theirs


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({}, ""),
        ({"TaskId": "", "AppId": "a"}, "AppId=a&TaskId="),
        ({"b": "1", "B": "2", "a.10": "3", "a.2": "4"}, "B=2&a.10=3&a.2=4&b=1"),
        ({"ключ &": "="}, "%D0%BA%D0%BB%D1%8E%D1%87%20%26=%3D"),
    ],
    ids=["none", "empty value", "sorted as bytes", "name encoded"],
)
def test_the_query_is_sorted_and_encoded(params: dict[str, str], query: str) -> None:
    assert canonical_query(params) == query
