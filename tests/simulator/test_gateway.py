"""What the simulated gateway refuses, however well the rest of a request is made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulator.clouds import APP, KEY_ID, LIVE, RTC, TASK, Cloud

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud()
    cloud.has_task()
    return cloud


def test_a_well_signed_request_is_answered(cloud: Cloud) -> None:
    acs3 = cloud.send(cloud.signed())
    rpc = cloud.send(cloud.signed_rpc())

    assert (acs3.status, rpc.status) == (1, 1)
    assert acs3.reply.headers["x-acs-request-id"] == acs3.body["RequestId"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_both_methods_work_and_the_signature_covers_which(cloud: Cloud, method: str) -> None:
    request = cloud.signed(method=method)
    other = replace(cloud.signed(method=method), method={"GET": "POST", "POST": "GET"}[method])

    assert cloud.send(request).code == "OK"
    assert cloud.send(other).code == "SignatureDoesNotMatch"


def test_another_method_is_not_supported(cloud: Cloud) -> None:
    assert cloud.send(cloud.signed(method="DELETE")).code == "UnsupportedHTTPMethod"


def test_parameters_may_come_in_a_form_body(cloud: Cloud) -> None:
    body = f"AppId={APP}&TaskId={TASK}".encode()

    answer = cloud.send(cloud.signed(query={}, headers=FORM, body=body))

    assert answer.status == 1


def test_a_body_that_is_not_the_one_that_was_hashed_is_refused(cloud: Cloud) -> None:
    request = replace(cloud.signed(query={}, headers=FORM, body=b"AppId=app-1"), body=b"AppId=app-2")

    assert cloud.send(request).code == "SignatureDoesNotMatch"


def test_a_changed_parameter_breaks_the_signature(cloud: Cloud) -> None:
    request = replace(cloud.signed(), query=f"AppId={APP}&TaskId=another")

    assert cloud.send(request).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("header", ["host", "x-acs-action", "x-acs-version", "x-acs-signature-nonce", "x-acs-date"])
def test_a_header_that_is_sent_but_not_signed_is_refused(cloud: Cloud, header: str) -> None:
    sent = cloud.signed().headers
    without = cloud.signed(headers={header: None})

    answer = cloud.send(replace(without, headers={**without.headers, header: sent[header]}))

    assert answer.code == "IncompleteSignature"
    assert header in answer.body["Message"]


def test_an_extra_vendor_header_must_be_signed_too(cloud: Cloud) -> None:
    request = cloud.signed()

    answer = cloud.send(replace(request, headers={**request.headers, "x-acs-security-token": "slipped in"}))

    assert answer.code == "IncompleteSignature"


@pytest.mark.parametrize("header", ["x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"])
def test_a_header_that_the_signature_needs_must_be_there(cloud: Cloud, header: str) -> None:
    assert cloud.send(cloud.signed(headers={header: None})).code == "IncompleteSignature"


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic dTpw",
        "ACS3-HMAC-SHA256 Credential=a",
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=b;a,Signature=" + "0" * 64,
    ],
)
def test_an_authorization_of_another_form_is_refused(cloud: Cloud, authorization: str) -> None:
    request = cloud.signed()

    answer = cloud.send(replace(request, headers={**request.headers, "authorization": authorization}))

    assert answer.code == "IncompleteSignature"


@pytest.mark.parametrize("parameter", ["AccessKeyId", "SignatureNonce", "Timestamp", "SignatureMethod"])
def test_a_parameter_that_the_rpc_signature_needs_must_be_there(cloud: Cloud, parameter: str) -> None:
    assert cloud.send(cloud.signed_rpc(**{parameter: ""})).code == "IncompleteSignature"


def test_a_request_without_a_format_is_answered_in_xml_under_the_rpc_signature(cloud: Cloud) -> None:
    request = cloud.signed_rpc(Format="")

    reply = cloud.alibaba.handle(request, cloud.alibaba.identify(request))

    assert reply.headers["Content-Type"].startswith("text/xml")
    assert reply.body.decode() == (
        f"<GetMPUTaskStatusResponse><RequestId>{reply.request_id}</RequestId>"
        "<Status>1</Status></GetMPUTaskStatusResponse>"
    )


@pytest.mark.parametrize(
    ("skew_s", "code"), [(-14 * 60, "OK"), (14 * 60, "OK"), (-16 * 60, "InvalidTimeStamp.Expired")]
)
def test_a_date_must_be_within_a_quarter_of_an_hour(cloud: Cloud, skew_s: int, code: str) -> None:
    acs3, rpc = cloud.signed(), cloud.signed_rpc()
    cloud.settings(clockSkewSeconds=skew_s)

    assert [cloud.send(acs3).code, cloud.send(rpc).code] == [code, code]


def test_a_skewed_cloud_tells_its_time_in_the_date_header(cloud: Cloud) -> None:
    cloud.settings(clockSkewSeconds=3600)

    answer = cloud.status()

    assert answer.code == "InvalidTimeStamp.Expired"
    assert answer.reply.headers["Date"] == "Fri, 20 Nov 2026 19:00:00 GMT"


def test_a_date_that_is_no_date_is_refused(cloud: Cloud) -> None:
    assert cloud.send(cloud.signed(headers={"x-acs-date": "yesterday"})).code == "InvalidTimeStamp.Format"


def test_a_nonce_works_once(cloud: Cloud) -> None:
    acs3, rpc = cloud.signed(), cloud.signed_rpc()

    codes = [cloud.send(request).code for request in (acs3, acs3, rpc, rpc)]

    assert codes == ["OK", "SignatureNonceUsed", "OK", "SignatureNonceUsed"]


def test_a_request_that_was_not_authentic_uses_up_no_nonce(cloud: Cloud) -> None:
    good = cloud.signed()
    forged = replace(good, query="AppId=forged")

    assert [cloud.send(forged).code, cloud.send(good).code] == ["SignatureDoesNotMatch", "OK"]


def test_nonces_are_forgotten_once_their_date_is_too_old_anyway(cloud: Cloud) -> None:
    cloud.status()
    cloud.clock.passes(31 * 60)

    cloud.status()

    key = cloud.alibaba.accounts.key(KEY_ID)
    assert key is not None
    assert len(key.nonces) == 1


def test_a_disabled_key_is_told_apart_from_an_unknown_one(cloud: Cloud) -> None:
    cloud.key(active=False)

    assert cloud.status().code == "InvalidAccessKeyId.Inactive"


def test_a_lasting_key_must_not_send_a_token(cloud: Cloud) -> None:
    assert cloud.send(cloud.signed_rpc(SecurityToken="a-token")).code == "InvalidSecurityToken.Malformed"


def test_a_token_must_name_the_key_that_signs(cloud: Cloud) -> None:
    headers = {"x-acs-security-token": "a-token", "x-acs-accesskey-id": "LTAI-another"}

    assert cloud.send(cloud.signed(headers=headers)).code == "IncompleteSignature"


@pytest.mark.parametrize(
    ("action", "version", "code"),
    [
        ("GetMPUTaskStatus", "2099-01-01", "NoSuchVersion"),
        ("StopLiveMPUTask", RTC, "InvalidAction.NotFound"),
        ("StartMPUTask", LIVE, "InvalidAction.NotFound"),
        ("getMPUTaskStatus", RTC, "InvalidAction.NotFound"),
        ("StartMpuTask", RTC, "InvalidAction.NotFound"),
    ],
)
def test_an_operation_is_known_by_its_exact_name_and_version(
    cloud: Cloud, action: str, version: str, code: str
) -> None:
    assert cloud.ask(action, version).code == code


@pytest.mark.parametrize(
    ("host", "version", "code"),
    [
        ("rtc.aliyuncs.com", RTC, "OK"),
        ("live.aliyuncs.com:443", LIVE, "OK"),
        ("rtc.aliyuncs.com", LIVE, "NoSuchVersion"),
        ("live.aliyuncs.com", RTC, "NoSuchVersion"),
    ],
)
def test_a_vendors_host_serves_its_own_version_alone(cloud: Cloud, host: str, version: str, code: str) -> None:
    assert cloud.send(cloud.signed(version=version, host=host)).code == code


def test_another_path_is_not_found(cloud: Cloud) -> None:
    assert cloud.send(replace(cloud.signed(), path="/elsewhere")).code == "InvalidAction.NotFound"


@pytest.mark.parametrize(
    ("service", "by_rtc", "by_live"),
    [
        ("overdue", (200, "App.ChargeOverDue"), (403, "OperationDenied")),
        ("notEnabled", (200, "Service.Inactive"), (403, "OperationDenied")),
        ("appStopped", (200, "App.Stop"), (403, "OperationDenied")),
        ("ok", (200, "OK"), (200, "OK")),
    ],
)
def test_an_account_that_may_not_use_the_service_is_told_so(
    cloud: Cloud, service: str, by_rtc: tuple[int, str], by_live: tuple[int, str]
) -> None:
    cloud.settings(service=service)

    rtc, live = cloud.status(), cloud.ask("GetMPUTaskStatus", LIVE)

    assert [(rtc.reply.status, rtc.code), (live.reply.status, live.code)] == [by_rtc, by_live]


@pytest.mark.parametrize(
    ("version", "per_window", "window_s"), [(RTC, 4000, 60.0), (LIVE, 10, 1.0)], ids=["RTC edition", "Live edition"]
)
def test_the_documented_limits_hold_in_any_window(cloud: Cloud, version: str, per_window: int, window_s: float) -> None:
    codes = {cloud.ask("GetMPUTaskStatus", version).code for _ in range(per_window)}
    one_more = cloud.ask("GetMPUTaskStatus", version)
    cloud.clock.passes(window_s - 0.01)
    still = cloud.ask("GetMPUTaskStatus", version)
    cloud.clock.passes(0.01)

    assert codes == {"OK"}
    assert [one_more.code, still.code] == ["Throttling.User", "Throttling.User"]
    assert cloud.ask("GetMPUTaskStatus", version).code == "OK"


@pytest.mark.parametrize(("operation", "limit"), [("StopLiveMPUTask", 500), ("ListRtcMPUTaskDetail", 50)])
def test_every_operation_has_a_limit_of_its_own(cloud: Cloud, operation: str, limit: int) -> None:
    throttled = sum(cloud.ask(operation).reply.throttled for _ in range(limit + 3))

    assert throttled == 3
    assert cloud.status().code == "OK"
