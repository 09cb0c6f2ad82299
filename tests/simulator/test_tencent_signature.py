"""The signature checks against vectors of the vendor's own signer (dossier section 5.3)."""

from __future__ import annotations

import hashlib

import pytest

from livetask_simulator.tencent.signature import canonical_request, signature, string_to_sign

TIMESTAMP, DAY = 1735787045, "2025-01-02"
TASK = b'{"SdkAppId": 1400000001, "TaskId": "CR6Lqv-x+y."}'
START = (
    rb'{"SdkAppId": 1400000001, "RoomId": "\u623f\u95f41", "RoomIdType": 0, "UserId": "bot", "UserSig": "sig", '
    rb'"StreamUrl": "https://a.b/t.mp4"}'
)
MAINLAND, INTERNATIONAL = "trtc.tencentcloudapi.com", "trtc.intl.tencentcloudapi.com"


def canonical(host: str, body: bytes) -> str:
    headers = {"content-type": "application/json", "host": host}
    return canonical_request("POST", "/", "", headers, headers, body)


@pytest.mark.parametrize(
    ("host", "body", "expected"),
    [
        (MAINLAND, TASK, "8d6631ca900dbaab921e78f390c49aa4e44b8520501265d51b28bc3352a835f1"),
        (INTERNATIONAL, TASK, "fc3c912148de56dd26245aea68e9ae2613917f3117a453e13d769714a987f30d"),
        (MAINLAND, START, "bc4e75c4e83c3dbf59006a117289d5a418067ae086bffd7cc5884c6ee716075a"),
    ],
    ids=["T1", "T2", "T3"],
)
def test_a_signature_is_what_the_vendors_signer_makes(host: str, body: bytes, expected: str) -> None:
    assert signature("SKEXAMPLE", DAY, string_to_sign(canonical(host, body), TIMESTAMP, DAY)) == expected


def test_a_canonical_request_hashes_to_the_vendors_hash() -> None:
    hashed = hashlib.sha256(canonical(MAINLAND, TASK).encode()).hexdigest()

    assert hashed == "0f5407f0bb78c6f27ba7366466525cae08a0e7c74558e78dce14c7d1dda71571"
