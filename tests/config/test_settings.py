"""What the settings say to the rest of the operator, and to a person who checks them."""

from __future__ import annotations

import re

from livetask_operator.config import AccountGroup, Config, Endpoints, StatusCall, Stops, describe, parse
from livetask_operator.polling.quota import Limit
from livetask_operator.vendors.contract import State

DESIGN_SAMPLE = """
endpoints:
  alibabaRtc: https://rtc.example.com
  alibabaLive: http://127.0.0.1:8900
  tencentTrtc: https://trtc.example.com:8443
  huaweiLive: https://live.{region}.example.com
alibabaCloud:
  statusCall: {endpoint: alibabaRtc, version: "2018-01-11"}
quotas:
  alibabaCloud: {GetMPUTaskStatus: 10, StopLiveMPUTask: 2.5}
accounts:
  - name: sports
    vendor: alibabaCloud
    keyIds: [LTAI5tSportsNumber1, LTAI5tSportsNumber2]
    quotas: {GetMPUTaskStatus: 30}
statusWords:
  huaweiCloud: {suspend: Paused}
stopDelaySeconds: 60
stops: Hold
clusterName: prod-eu
"""


def test_an_empty_file_gives_the_defaults() -> None:
    assert parse("# all commented out\n", "config.yaml") == Config.default()
    assert parse("quotas:\naccounts:\n", "config.yaml") == Config.default()


def test_the_defaults_stay_inside_the_documented_limits() -> None:
    config = Config.default()

    assert config.limit("AlibabaCloud", "LTAIany", "GetMPUTaskStatus") == Limit(per_minute=3200)
    assert config.limit("TencentCloud", "AKIDany", "DescribeStreamIngest") == Limit(16)
    assert config.limit("HuaweiCloud", "any-project", "ListPullTasks") == Limit(5)
    assert config.limit("NimbusCloud", "any-key", "ReadFolder") == Limit(5), "a new vendor is asked with care"
    assert config.stop_delay_s == 0
    assert config.stops is Stops.ALLOW


def test_everything_in_a_file_is_taken() -> None:
    config = parse(DESIGN_SAMPLE, "config.yaml")

    assert config.endpoints == Endpoints(
        alibaba_rtc="https://rtc.example.com",
        alibaba_live="http://127.0.0.1:8900",
        tencent_trtc="https://trtc.example.com:8443",
        huawei_live="https://live.{region}.example.com",
    )
    assert config.alibaba_status_call == StatusCall("alibabaRtc", "2018-01-11")
    assert config.alibaba_status_endpoint == "https://rtc.example.com"
    assert config.status_words == {"HuaweiCloud": {"suspend": State.PAUSED}}
    assert config.accounts == (
        AccountGroup(
            "sports", "AlibabaCloud", ("LTAI5tSportsNumber1", "LTAI5tSportsNumber2"), {"GetMPUTaskStatus": Limit(30)}
        ),
    )
    assert (config.stop_delay_s, config.stops, config.cluster_name) == (60, Stops.HOLD, "prod-eu")


def test_quotas_that_the_file_does_not_name_keep_their_defaults() -> None:
    config = parse(DESIGN_SAMPLE, "config.yaml")

    assert config.limit("AlibabaCloud", "LTAIother", "GetMPUTaskStatus") == Limit(10)
    assert config.limit("AlibabaCloud", "LTAIother", "DescribeLiveStreamPreloadTasks") == Limit(8)


def test_keys_of_one_account_are_counted_together_by_their_own_quota() -> None:
    config = parse(DESIGN_SAMPLE, "config.yaml")

    assert config.account_of("AlibabaCloud", "LTAI5tSportsNumber2") == "sports"
    for account in ("sports", "LTAI5tSportsNumber1", "LTAI5tSportsNumber2"):
        assert config.limit("AlibabaCloud", account, "GetMPUTaskStatus") == Limit(30)
        assert config.limit("AlibabaCloud", account, "StopLiveMPUTask") == Limit(2.5)


def test_an_account_is_one_vendors_alone() -> None:
    config = parse(DESIGN_SAMPLE, "config.yaml")

    assert config.account_of("TencentCloud", "LTAI5tSportsNumber1") == "LTAI5tSportsNumber1"
    assert config.account_of("AlibabaCloud", "LTAIother") == "LTAIother"


def test_a_quota_may_be_per_second_per_minute_or_both() -> None:
    config = parse(
        "quotas: {alibabaCloud: {GetMPUTaskStatus: {perSecond: 60, perMinute: 3200}, StopLiveMPUTask: {perMinute: 9}}}",
        "config.yaml",
    )

    assert config.limit("AlibabaCloud", "LTAIany", "GetMPUTaskStatus") == Limit(per_second=60, per_minute=3200)
    assert config.limit("AlibabaCloud", "LTAIany", "StopLiveMPUTask") == Limit(per_minute=9)
    assert "quotas.alibabaCloud.GetMPUTaskStatus: 60 a second and 3200 a minute" in describe(config)
    assert "quotas.alibabaCloud.StopLiveMPUTask: 9 a minute" in describe(config)


def test_alibaba_clouds_limit_per_minute_is_shown_as_what_it_is() -> None:
    assert "quotas.alibabaCloud.GetMPUTaskStatus: 3200 a minute" in describe(Config.default())


def test_the_live_edition_is_asked_in_its_own_version_and_within_its_own_limit() -> None:
    config = parse("alibabaCloud: {statusCall: {endpoint: alibabaLive}}", "config.yaml")

    assert config.alibaba_status_call.version == "2016-11-01"
    assert config.alibaba_status_endpoint == "https://live.aliyuncs.com"
    assert config.limit("AlibabaCloud", "LTAIany", "GetMPUTaskStatus") == Limit(8)


def test_a_version_needs_no_quotes() -> None:
    config = parse("alibabaCloud: {statusCall: {version: 2018-01-11}}", "config.yaml")

    assert config.alibaba_status_call.version == "2018-01-11"


def test_a_vendors_number_is_a_word_too() -> None:
    config = parse("statusWords: {alibabaCloud: {7: Failed}}", "config.yaml")

    assert config.status_words == {"AlibabaCloud": {"7": State.FAILED}}


def test_a_check_shows_the_effective_settings_a_line_each() -> None:
    lines = describe(parse(DESIGN_SAMPLE, "config.yaml"))

    assert "endpoints.alibabaLive: http://127.0.0.1:8900" in lines
    assert "alibabaCloud.statusCall: alibabaRtc (https://rtc.example.com), version 2018-01-11" in lines
    assert "quotas.alibabaCloud.GetMPUTaskStatus: 10 a second" in lines
    assert "quotas.huaweiCloud.DeletePullTask: 5 a second" in lines
    assert "accounts.sports: alibabaCloud, keys LTAI...r1, LTAI...r2; GetMPUTaskStatus 30 a second" in lines
    assert "statusWords.huaweiCloud.suspend: Paused" in lines
    assert lines[-4:-1] == ["stopDelaySeconds: 60", "stops: Hold (no stop call is made)", "clusterName: prod-eu"]
    assert lines[-1] == "objectMetrics: true"


def test_a_check_shows_no_whole_key_id() -> None:
    shown = "\n".join(describe(parse(DESIGN_SAMPLE, "config.yaml")))

    assert "LTAI5tSportsNumber" not in shown


def test_metrics_name_an_account_by_its_group_or_by_a_hash_and_never_by_its_key() -> None:
    config = Config(accounts=(AccountGroup("sports", "AlibabaCloud", ("LTAI-one", "LTAI-two")),))

    assert config.account_label("AlibabaCloud", config.account_of("AlibabaCloud", "LTAI-two")) == "sports"
    assert re.fullmatch(r"key-[0-9a-f]{12}", config.account_label("AlibabaCloud", "LTAI-other"))
    assert re.fullmatch(r"key-[0-9a-f]{12}", config.account_label("TencentCloud", "sports"))
