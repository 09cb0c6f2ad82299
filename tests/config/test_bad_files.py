"""Each way in which a file can be wrong, and the one line that a person reads then."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetask_operator.config import Config, ConfigError, load, parse

ACCOUNT = "{name: sports, vendor: alibabaCloud, keyIds: [LTAIone]}"

BAD_FILES = [
    # the document
    ("- a", "config.yaml: is a list; write keys with values"),
    ("just words", "config.yaml: is 'just words'; write keys with values"),
    ("quotas: {", "config.yaml: is not YAML, line 1, column 10"),
    (
        "stops: Allow\n\tclusterName: x",
        "is not YAML, line 2, column 1: found character '\\t' that cannot start any token",
    ),
    ("a: 1\n--- \nb: 2", "is not YAML, line 2"),
    ("stops: Allow\nclusterName: \x07", "is not YAML, line 2: it has a control character there"),
    ("stops: !!python/object:os.system {}", "could not determine a constructor"),
    ("stops: !!int ''", "is not what its YAML tag says"),
    ("{[a]: b}", "is not YAML, line 1"),
    ("[" * 3000, "is nested too deeply"),
    # keys
    ("quota: {}", "config.yaml: quota: is not a setting; did you mean quotas?"),
    ("STOPDELAYSECONDS: 1", "did you mean stopDelaySeconds?"),
    ("zebra: 1", "zebra: is not a setting; choose of endpoints, alibabaCloud, quotas, accounts, statusWords, "),
    ("1: 2", "1: is not a setting"),
    ("true: 2", "true: is not a setting"),
    ("endpoints: {alibabaRTC: x}", "endpoints.alibabaRTC: is not a setting; did you mean alibabaRtc?"),
    ("alibabaCloud: {statuscall: {}}", "alibabaCloud.statuscall: is not a setting; did you mean statusCall?"),
    (
        "alibabaCloud: {statusCall: {verson: x}}",
        "alibabaCloud.statusCall.verson: is not a setting; did you mean version?",
    ),
    ("quotas: {aliCloud: {}}", "quotas.aliCloud: is not a setting; did you mean alibabaCloud?"),
    ("quotas: {alibabaCloud: {GetMpuTaskStatus: 1}}", "did you mean GetMPUTaskStatus?"),
    ("quotas: {tencentCloud: {ListPullTasks: 1}}", "choose of DescribeStreamIngest, StopStreamIngest"),
    (
        "accounts: [{name: a, vendor: alibabaCloud, keyids: [b]}]",
        "accounts[0].keyids: is not a setting; did you mean keyIds?",
    ),
    ("statusWords: {huawei: {}}", "statusWords.huawei: is not a setting; did you mean huaweiCloud?"),
    ("stops: Allow\nstops: Hold", "stops: is given twice, the second time in line 2; keep one"),
    (
        "quotas:\n  alibabaCloud:\n    StopLiveMPUTask: 1\n    StopLiveMPUTask: 2",
        "quotas.alibabaCloud.StopLiveMPUTask: is given twice, the second time in line 4; keep one",
    ),
    (f"accounts:\n - {ACCOUNT}\n - {{name: x, name: y}}", "accounts[1].name: is given twice"),
    # endpoints
    ("endpoints: https://a.example.com", "endpoints: is 'https://a.example.com'; write keys with values"),
    ("endpoints: {alibabaRtc: }", "endpoints.alibabaRtc: is not an endpoint; write https://host"),
    ("endpoints: {alibabaRtc: 1}", "is not an endpoint"),
    ("endpoints: {alibabaRtc: rtc.aliyuncs.com}", "is not an endpoint"),
    ("endpoints: {alibabaRtc: 'ftp://rtc.aliyuncs.com'}", "is not an endpoint"),
    ("endpoints: {alibabaRtc: 'https://rtc.aliyuncs.com/'}", "without user, path or query"),
    ("endpoints: {alibabaRtc: 'https://rtc.aliyuncs.com?a=b'}", "without user, path or query"),
    ("endpoints: {alibabaRtc: 'https://rtc.aliyuncs.com#a'}", "without user, path or query"),
    ("endpoints: {alibabaRtc: 'https://me:pass@rtc.aliyuncs.com'}", "without user, path or query"),
    ("endpoints: {alibabaRtc: 'https://127.0.0.1@evil.example.com'}", "without user, path or query"),
    ('endpoints: {alibabaRtc: "https://rtc.aliyuncs.com\\n"}', "is not an endpoint"),
    ("endpoints: {alibabaRtc: 'https://rtc..com'}", "has no valid host name or address"),
    ("endpoints: {alibabaRtc: 'https://-rtc.com'}", "has no valid host name or address"),
    ("endpoints: {alibabaRtc: 'https://1.2.3'}", "has no valid host name or address"),
    ("endpoints: {alibabaRtc: 'https://[1.2.3.4]'}", "has no valid host name or address"),
    ("endpoints: {alibabaRtc: 'https://[::g]'}", "is not an endpoint"),
    ("endpoints: {alibabaRtc: 'https://rtc.aliyuncs.com:0'}", "has no valid port"),
    ("endpoints: {alibabaRtc: 'https://rtc.aliyuncs.com:65536'}", "has no valid port"),
    (
        "endpoints: {alibabaRtc: 'http://rtc.aliyuncs.com'}",
        "is http, which is for 127.0.0.1, [::1] and localhost alone",
    ),
    ("endpoints: {alibabaRtc: 'http://128.0.0.1'}", "is http"),
    ("endpoints: {alibabaRtc: 'http://localhost.example.com'}", "is http"),
    ("endpoints: {huaweiLive: 'http://{region}.a.localhost'}", "is http"),
    ("endpoints: {alibabaRtc: 'https://rtc.{region}.aliyuncs.com'}", "has a {region}, which only huaweiLive may have"),
    ("endpoints: {huaweiLive: 'https://live.{zone}.example.com'}", "has no valid host name"),
    ("endpoints: {huaweiLive: 'https://{region}'}", "lets a region choose the domain"),
    ("endpoints: {huaweiLive: 'https://live.{region}.com'}", "lets a region choose the domain"),
    ("endpoints: {huaweiLive: 'https://{region}.{region}.a.com'}", "lets a region choose the domain"),
    # where Alibaba Cloud is asked for a status
    (
        "alibabaCloud: {statusCall: {endpoint: tencentTrtc}}",
        "alibabaCloud.statusCall.endpoint: is 'tencentTrtc'; choose of",
    ),
    ("alibabaCloud: {statusCall: {endpoint: alibabaLiev}}", "did you mean alibabaLive?"),
    (
        "alibabaCloud: {statusCall: {version: 1}}",
        "alibabaCloud.statusCall.version: is 1; write a date such as 2018-01-11",
    ),
    ("alibabaCloud: {statusCall: {version: latest}}", "is 'latest'; write a date such as 2018-01-11"),
    # quotas
    ("quotas: {huaweiCloud: {ListPullTasks: 0}}", "quotas.huaweiCloud.ListPullTasks: is 0; write requests per second"),
    ("quotas: {huaweiCloud: {ListPullTasks: -1}}", "is -1; write requests per second, from 0.01 to 10000"),
    ("quotas: {huaweiCloud: {ListPullTasks: true}}", "is true; write requests per second"),
    ("quotas: {huaweiCloud: {ListPullTasks: '5'}}", "is '5'; write requests per second"),
    ("quotas: {huaweiCloud: {ListPullTasks: }}", "is empty; write requests per second"),
    ("quotas: {huaweiCloud: {ListPullTasks: .nan}}", "is not a number; write requests per second"),
    ("quotas: {huaweiCloud: {ListPullTasks: .inf}}", "is a very large number; write requests per second"),
    (f"quotas: {{huaweiCloud: {{ListPullTasks: 0x{'f' * 5000}}}}}", "is a very large number"),
    (
        "quotas: {huaweiCloud: {ListPullTasks: [5]}}",
        "quotas.huaweiCloud.ListPullTasks: is a list; write requests per second, from 0.01 to 10000 or {perSecond: ",
    ),
    (
        "quotas: {huaweiCloud: {ListPullTasks: {}}}",
        "quotas.huaweiCloud.ListPullTasks: is empty; write {perSecond: ...}, {perMinute: ...} or both",
    ),
    (
        "quotas: {huaweiCloud: {ListPullTasks: {perMin: 5}}}",
        "quotas.huaweiCloud.ListPullTasks.perMin: is not a setting; did you mean perMinute?",
    ),
    (
        "quotas: {huaweiCloud: {ListPullTasks: {perSecond: 0, perMinute: 60}}}",
        "quotas.huaweiCloud.ListPullTasks.perSecond: is 0; write requests per second, from 0.01 to 10000",
    ),
    (
        "quotas: {huaweiCloud: {ListPullTasks: {perSecond: }}}",
        "quotas.huaweiCloud.ListPullTasks.perSecond: is empty; write requests per second",
    ),
    (
        "quotas: {huaweiCloud: {ListPullTasks: {perMinute: 0}}}",
        "quotas.huaweiCloud.ListPullTasks.perMinute: is 0; write requests per minute, whole, from 1 to 600000",
    ),
    ("quotas: {huaweiCloud: {ListPullTasks: {perMinute: 1.5}}}", "perMinute: is 1.5; write requests per minute, whole"),
    ("quotas: {huaweiCloud: {ListPullTasks: {perMinute: true}}}", "perMinute: is true; write requests per minute"),
    ("quotas: {huaweiCloud: {ListPullTasks: {perMinute: '60'}}}", "perMinute: is '60'; write requests per minute"),
    ("quotas: {huaweiCloud: {ListPullTasks: {perMinute: 600001}}}", "perMinute: is 600001; write requests per minute"),
    ("quotas: {huaweiCloud: 5}", "quotas.huaweiCloud: is 5; write keys with values"),
    # accounts
    (f"accounts: {ACCOUNT}", "accounts: is a mapping; write a list"),
    ("accounts: [sports]", "accounts[0]: is 'sports'; write keys with values"),
    ("accounts: [{name: sports, vendor: alibabaCloud}]", "accounts[0].keyIds: is missing"),
    ("accounts: [{vendor: alibabaCloud, keyIds: [a]}]", "accounts[0].name: is missing"),
    ("accounts: [{name: sports, keyIds: [a]}]", "accounts[0].vendor: is missing"),
    (
        "accounts: [{name: sports, vendor: alibaba, keyIds: [a]}]",
        "accounts[0].vendor: is 'alibaba'; did you mean alibabaCloud?",
    ),
    (
        "accounts: [{name: 'a b', vendor: alibabaCloud, keyIds: [a]}]",
        "accounts[0].name: is 'a b'; write letters, digits",
    ),
    ("accounts: [{name: sports, vendor: alibabaCloud, keyIds: []}]", "accounts[0].keyIds: is empty; list the key ids"),
    ("accounts: [{name: sports, vendor: alibabaCloud, keyIds: a}]", "accounts[0].keyIds: is 'a'; write a list"),
    ("accounts: [{name: sports, vendor: alibabaCloud, keyIds: [12]}]", "accounts[0].keyIds[0]: is 12; write letters"),
    (
        f"accounts: [{ACCOUNT}, {{name: sports, vendor: alibabaCloud, keyIds: [b]}}]",
        "accounts[1].name: is sports, as accounts[0]",
    ),
    (
        f"accounts: [{ACCOUNT}, {{name: news, vendor: alibabaCloud, keyIds: [b, LTAIone]}}]",
        "accounts[1].keyIds[1]: is the key id of accounts[0].keyIds[0] too; a key belongs to one account",
    ),
    (
        "accounts: [{name: news, vendor: alibabaCloud, keyIds: [b, b]}]",
        "accounts[0].keyIds[1]: is the key id of accounts[0].keyIds[0] too",
    ),
    (
        "accounts: [{name: news, vendor: alibabaCloud, keyIds: [b], quotas: {GetMPUTaskStatus: 0}}]",
        "accounts[0].quotas.GetMPUTaskStatus: is 0; write requests per second",
    ),
    (
        "accounts: [{name: news, vendor: alibabaCloud, keyIds: [b], quotas: {GetMPUTaskStatus: {perMinute: -1}}}]",
        "accounts[0].quotas.GetMPUTaskStatus.perMinute: is -1; write requests per minute",
    ),
    (
        "accounts: [{name: news, vendor: tencentCloud, keyIds: [b], quotas: {GetMPUTaskStatus: 1}}]",
        "accounts[0].quotas.GetMPUTaskStatus: is not a setting; choose of DescribeStreamIngest, StopStreamIngest",
    ),
    # words
    ("statusWords: {huaweiCloud: [suspend]}", "statusWords.huaweiCloud: is a list; write keys with values"),
    (
        "statusWords: {huaweiCloud: {suspend: paused}}",
        "statusWords.huaweiCloud.suspend: is 'paused'; did you mean Paused?",
    ),
    ("statusWords: {huaweiCloud: {gone: NotFound}}", "choose of Pending, Running, Paused, Stopped, Failed"),
    ("statusWords: {huaweiCloud: {on: Running}}", "has a word that YAML takes for true; put it in quotes"),
    ("statusWords: {huaweiCloud: {1.5: Running}}", "has a word that YAML takes for 1.5; put it in quotes"),
    ("statusWords: {huaweiCloud: {'a b': Running}}", "write words of printable characters without spaces"),
    (
        "statusWords: {alibabaCloud: {1: Stopped}}",
        "statusWords.alibabaCloud.1: is a documented word, whose meaning is fixed",
    ),
    ("statusWords: {tencentCloud: {InProgress: Stopped}}", "is a documented word"),
    ("statusWords: {alibabaCloud: {7: Failed, '7': Stopped}}", "statusWords.alibabaCloud.7: is given twice; keep one"),
    # the rest
    ("stopDelaySeconds: -1", "stopDelaySeconds: is -1; write whole seconds from 0 to 3600"),
    ("stopDelaySeconds: 3601", "is 3601; write whole seconds"),
    ("stopDelaySeconds: 30.0", "is 30.0; write whole seconds"),
    ("stopDelaySeconds: true", "is true; write whole seconds"),
    ("stopDelaySeconds: 30s", "is '30s'; write whole seconds"),
    ("stopDelaySeconds:", "is empty; write whole seconds"),
    ("stops: hold", "stops: is 'hold'; did you mean Hold?"),
    ("stops: no", "stops: is false; choose of Allow, Hold"),
    ("clusterName: 5", "clusterName: is 5; write letters, digits and ._:/@- (128 at most), in quotes"),
    ("clusterName: 'a b'", "clusterName: is 'a b'; write letters"),
    ('clusterName: "prod\\r\\nX-Evil: 1"', "clusterName: is 'prod\\r\\nX-Evil: 1'; write letters"),
]


@pytest.mark.parametrize(("text", "words"), BAD_FILES, ids=[words[:60] for _, words in BAD_FILES])
def test_a_bad_file_is_refused_in_one_line_that_names_key_and_remedy(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError) as refused:
        load(path)

    line = str(refused.value)
    assert words in line
    assert line.startswith(f"{path}: ")
    assert line.isprintable()


def test_a_password_in_an_endpoint_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as refused:
        parse("endpoints: {alibabaRtc: 'https://me:hunter2@rtc.aliyuncs.com'}", "config.yaml")

    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"/none\.yaml: cannot be read \(no such file or directory\); check --config"):
        load(tmp_path / "none.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read \(is a directory\)"):
        load(tmp_path)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("clusterName: münchen".encode("latin-1"))

    with pytest.raises(ConfigError, match="is not UTF-8; save it as UTF-8"):
        load(path)


@pytest.mark.parametrize(
    "url",
    ["http://127.8.9.1:80", "http://[::1]:8080", "http://localhost", "https://[2001:db8::1]:443", "https://10.0.0.1"],
)
def test_loopback_may_be_http_and_anything_else_is_https(url: str) -> None:
    config = parse(f"endpoints: {{alibabaRtc: '{url}'}}", "config.yaml")

    assert config.endpoints.alibaba_rtc == url


KNOWN_KEYS = """
    endpoints alibabaRtc huaweiLive alibabaCloud statusCall endpoint version quotas tencentCloud huaweiCloud
    GetMPUTaskStatus ListPullTasks accounts name vendor keyIds statusWords suspend stopDelaySeconds stops clusterName
    perSecond perMinute
"""
KEYS = st.sampled_from(KNOWN_KEYS.split())
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.binary(max_size=5)
    | st.sampled_from(
        ["https://a.example.com", "https://{region}.a.b", "alibabaCloud", "alibabaLive", "Hold", "Paused"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


def outcome(text: str) -> Config | ConfigError:
    """What a text comes to; anything but these two is raised."""
    try:
        return parse(text, "config.yaml")
    except ConfigError as refused:
        return refused


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_mapping_is_either_loaded_or_refused_in_one_line(document: dict[str, object]) -> None:
    came_to = outcome(yaml.safe_dump(document, allow_unicode=True))

    if isinstance(came_to, Config):
        assert all(quota.rate > 0 for quotas in came_to.quotas.values() for quota in quotas.values())
    else:
        assert str(came_to).isprintable()


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("aqz:{}[]!&*<>|-?'\"\\ \n\t#,%@01.~\x00\ufeff\x85é"), max_size=40))
def test_any_text_is_either_loaded_or_refused_in_one_line(text: str) -> None:
    came_to = outcome(text)

    assert came_to == Config.default() or str(came_to).isprintable()
