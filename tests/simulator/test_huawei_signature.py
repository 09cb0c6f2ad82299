"""The signature checks against vectors of the vendor's own signer (dossier section 5.4)."""

from __future__ import annotations

import hashlib

import pytest

from livetask_simulator.huawei.signature import canonical_path, canonical_request, signature, string_to_sign

DATE = "20250102T030405Z"
PROJECT = "0123456789abcdef0123456789abcdef"
PATH = f"/v1/{PROJECT}/pull/stream/task"
PLAIN = {"host": "live.cn-north-4.myhuaweicloud.com", "x-sdk-date": DATE}
JSON = {"content-type": "application/json"}
CREATION = (
    b'{"source_type":"PullLivePushLive","source_urls":["rtmp://play.example.com/live/s1"],'
    b'"destination_url":"rtmp://push.example.com/live/d1"}'
)
VECTORS = {
    "H1 a list": (
        "GET",
        [("limit", "100"), ("region", "cn-north-4"), ("task_id", "7864b3dc")],
        PLAIN,
        b"",
        "c8024ff292cf41c685ddfb390282f0890c6a2320564823c1216bf74b67e9bcae",
        "f4aa828ec677a720a563c264d1c34a47df22c71ad5fc9fea8c42a3ad1f79e40b",
    ),
    "H2 special characters": (
        "GET",
        [("task_id", "t 1/*~é"), ("region", "cn-north-4"), ("offset", "0"), ("limit", "100")],
        PLAIN,
        b"",
        "4d2bf57d6371333c1a1296981b25d16b00a40315798190caacf4bb3a42f9b731",
        "0fa02cae20558232f1f13c8e993545781ad39728b462935096deb546606890d8",
    ),
    "H3 a creation": (
        "POST",
        [],
        PLAIN | JSON | {"x-project-id": PROJECT},
        CREATION,
        "7051ca678539d8ed64e70368c90f51c49c5f3278ae2e086fb1d0cf7261fe70a7",
        "a12ef069e8d91665ccbd6867cd5b4ca6779371bc9149986e52fc99e3f4944610",
    ),
    "H4 a change": (
        "PUT",
        [],
        PLAIN | JSON,
        b'{"task_id":"7864b3dc","status":"pause"}',
        "57ac312d9f6aa6daff3c6444b28d0cbef603ac35ad48cbcae0b34c238452a55a",
        "f3f0670124a0d26e5d878cd5d4e13621753937226e41a7c66123937c63e8b56c",
    ),
    "H5 a temporary key": (
        "DELETE",
        [("region", "cn-north-4"), ("task_id", "7864b3dc")],
        PLAIN | {"x-security-token": "STSTOKEN"},
        b"",
        "913aa2041ded2228343be68b47027b208258a2bc8ec92e4fa1d5096d5aaacb3a",
        "d5c4df369c170a100a2ce716de6ccf759d8090701e924d5324ccda22dbc90787",
    ),
}


@pytest.mark.parametrize("vector", VECTORS)
def test_a_signature_is_what_the_vendors_signer_makes(vector: str) -> None:
    method, query, headers, body, hashed, expected = VECTORS[vector]

    canonical = canonical_request(method, PATH, query, headers, headers, hashlib.sha256(body).hexdigest())

    assert hashlib.sha256(canonical.encode()).hexdigest() == hashed
    assert signature("SKEXAMPLE", string_to_sign(canonical, DATE)) == expected


def test_the_path_that_is_signed_ends_in_a_slash() -> None:
    assert canonical_path("/v1/a%20b/task") == "/v1/a%20b/task/"
    assert canonical_path("/v1/task/") == "/v1/task/"
