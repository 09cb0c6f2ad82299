"""The signature checks against vectors of the vendor's own signer (dossier sections 5.1 and 5.2)."""

from __future__ import annotations

import hashlib

import pytest

from livetask_simulator.alibaba.signature import (
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
    canonical_query,
    rpc_signature,
    rpc_string_to_sign,
)

SECRET = "testsecret"
EMPTY = hashlib.sha256(b"").hexdigest()
TASK = [("AppId", "app-1"), ("TaskId", "task_1")]
PLAY_URL = "rtmp://play.example.com/app/a b*~,rtmp://play.example.com/app/流"
PRELOAD = [("DomainName", "play.example.com"), ("PlayUrl", PLAY_URL)]

RPC_COMMON = [
    ("AccessKeyId", "testid"),
    ("SignatureMethod", "HMAC-SHA1"),
    ("SignatureVersion", "1.0"),
    ("Timestamp", "2025-01-02T03:04:05Z"),
]
NONCE = ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf")
STATUS = [*RPC_COMMON, ("Action", "GetMPUTaskStatus"), ("Version", "2018-01-11"), *TASK]
RPC_VECTORS = {
    "V1a GET": ("GET", [*STATUS, NONCE, ("Format", "JSON")], "HlatCpd4OqmOyaF++CuEYA65gjM="),
    "V1a POST": ("POST", [*STATUS, NONCE, ("Format", "JSON")], "4wBsdSWLspV36cVTTGHQ7HqGQHg="),
    "V1b special characters and a token": (
        "POST",
        [
            *RPC_COMMON,
            NONCE,
            ("Format", "JSON"),
            ("Action", "SetLiveStreamPreloadTasks"),
            ("Version", "2016-11-01"),
            *PRELOAD,
            ("SecurityToken", "CAIS+tok/en=="),
        ],
        "whSm5sMtsLdZxcNcxYJmvSgbjX4=",
    ),
    "V1c a whole SDK client": (
        "POST",
        [*STATUS, ("SignatureNonce", "0123456789abcdef0123456789abcdef"), ("Format", "json")],
        "a7FDWUwQQGrA2XAsJ4/88wjfrJ0=",
    ),
}

ACS3_COMMON = {
    "x-acs-date": "2025-01-02T03:04:05Z",
    "x-acs-signature-nonce": "0123456789abcdef0123456789abcdef",
    "x-acs-content-sha256": EMPTY,
}
RTC_STATUS = ACS3_COMMON | {
    "host": "rtc.aliyuncs.com",
    "x-acs-action": "GetMPUTaskStatus",
    "x-acs-version": "2018-01-11",
}
LIVE = ACS3_COMMON | {"host": "live.aliyuncs.com", "x-acs-version": "2016-11-01"}
FORM_SHA256 = "378811196cff6008b1dd13287a81013ce5db08f083ecb10c63132d2783a7e151"
ACS3_VECTORS = {
    "V3a minimal": (TASK, RTC_STATUS, "eadc7b25ff8bd4583e155d29331962b84460c60365872ad4ab8a9c77b6c4c6ac"),
    "V3b a token": (
        TASK,
        LIVE
        | {
            "x-acs-action": "StopLiveMPUTask",
            "x-acs-accesskey-id": "testid",
            "x-acs-security-token": "CAIS+tok/en==",
        },
        "b2a77729d643f4b185ce7ed37323e0a02a47383769851179654cc6a4a04df6cd",
    ),
    "V3c special characters": (
        PRELOAD,
        LIVE | {"x-acs-action": "SetLiveStreamPreloadTasks"},
        "8b264661f0b1fc0a14ed5302132b2bcb61305b4dee65dd642b1b2c732e5a45d7",
    ),
    "V3d a form body": (
        [],
        LIVE
        | {
            "x-acs-action": "SetLiveStreamPreloadTasks",
            "content-type": "application/x-www-form-urlencoded",
            "x-acs-content-sha256": FORM_SHA256,
        },
        "c381f940b901830961a2a84303b5a7ae6f3bf49f20f4c9f8847809d064408a6c",
    ),
    "V3e all headers of an SDK client": (
        TASK,
        RTC_STATUS
        | {"user-agent": "ua-fixed", "accept": "application/json", "x-acs-credentials-provider": "static_ak"},
        "630e64d4732e43ffe88e5f65fc77bca75b4f87ae583db786eca74c5d0ce0aeef",
    ),
}


@pytest.mark.parametrize("vector", RPC_VECTORS)
def test_an_rpc_signature_is_what_the_vendors_signer_makes(vector: str) -> None:
    method, parameters, expected = RPC_VECTORS[vector]

    signature = rpc_signature(SECRET, rpc_string_to_sign(method, [*parameters, ("Signature", "not signed itself")]))

    assert signature == expected


@pytest.mark.parametrize("vector", ACS3_VECTORS)
def test_an_acs3_signature_is_what_the_vendors_signer_makes(vector: str) -> None:
    query, headers, expected = ACS3_VECTORS[vector]

    canonical = acs3_canonical_request("POST", "/", query, headers, headers, headers["x-acs-content-sha256"])

    assert acs3_signature(SECRET, acs3_string_to_sign(canonical)) == expected


def test_a_canonical_request_hashes_to_the_vendors_hash() -> None:
    canonical = acs3_canonical_request("POST", "/", TASK, RTC_STATUS, RTC_STATUS, EMPTY)

    hashed = hashlib.sha256(canonical.encode()).hexdigest()

    assert hashed == "3426353ccc1fa6e427a5651847e4ba9427d671b241ae1ff127bec6c84e78758d"


def test_parameters_are_sorted_and_encoded_as_the_vendor_does() -> None:
    query = canonical_query(reversed(PRELOAD))

    assert query == (
        "DomainName=play.example.com&PlayUrl=rtmp%3A%2F%2Fplay.example.com%2Fapp%2Fa%20b%2A~%2C"
        "rtmp%3A%2F%2Fplay.example.com%2Fapp%2F%E6%B5%81"
    )
