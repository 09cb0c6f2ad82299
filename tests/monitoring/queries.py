"""What the dashboard asks Prometheus: its queries by name, with Grafana's variables in them. Pure text."""

from __future__ import annotations

TASKS = 'vendor=~"$vendor", task_namespace=~"$namespace", account=~"$account"'
OBJECTS = SECRETS = 'vendor=~"$vendor", task_namespace=~"$namespace"'
ACCOUNTS = 'vendor=~"$vendor", account=~"$account"'
VENDORS = 'vendor=~"$vendor"'
BLOCKED = 'livetask_task_deletion_blocked_since_timestamp_seconds{task_namespace=~"$namespace"}'
REFUSED = f"livetask_secret_refused_timestamp_seconds{{{SECRETS}}}"
ACCEPTED = f"livetask_secret_accepted_timestamp_seconds{{{SECRETS}}}"

EACH = "kind, task_namespace, task"
OF_AN_ACCOUNT = "vendor, account, call"
IS_RUNNING = 'kind="RelayTask", ready="True"'
IS_DOWN = 'kind="RelayTask", state=~"Failed|NotFound", reason!~"Suspended|Stop.+"'
IS_UNWATCHED = 'ready!~"True|False", reason!~"Pending|Preloading|Suspended|UnknownVendorStatus"'
IS_A_NEW_WORD = 'reason="UnknownVendorStatus"'
IS_PRELOADED_IN_VAIN = 'kind="PreloadTask", ready="False"'


def once(expression: str, labels: str) -> str:
    """One series for these labels, though two replicas may export it for a moment."""
    return f"max by ({labels}) ({expression})"


def number_of(series: str, labels: str = EACH) -> str:
    return f"count({once(series, labels)}) or vector(0)"


def tasks(selector: str) -> str:
    return f"livetask_task_status{{{selector}, {TASKS}}}"


def rate(metric: str, selector: str, labels: str) -> str:
    return f"sum by ({labels}) (rate({metric}{{{selector}}}[$__rate_interval]))"


def of_20_calls_19(histogram: str, labels: str) -> str:
    """Below what 19 of 20 are."""
    return f"histogram_quantile(0.95, {rate(f'{histogram}_bucket', VENDORS, f'le, {labels}')})"


NOT_HELD_UP = f"unless on ({EACH}) livetask_task_deletion_blocked_since_timestamp_seconds"
"""What is deleted and held up has a place of its own."""
BROKEN = once(
    f"({' or '.join(map(tasks, (IS_DOWN, IS_UNWATCHED, IS_A_NEW_WORD, IS_PRELOADED_IN_VAIN)))}) {NOT_HELD_UP}",
    f"{EACH}, vendor, account, state, reason",
)


def of_the_broken(metric: str) -> str:
    """A time of each task that is broken, in milliseconds, as Grafana has them."""
    return f"1000 * {once(metric, EACH)} and on ({EACH}) {BROKEN}"


ON_THE_AIR = number_of(tasks(IS_RUNNING))
DOWN = number_of(f"{tasks(IS_DOWN)} {NOT_HELD_UP}")
UNWATCHED = number_of(f"{tasks(IS_UNWATCHED)} {NOT_HELD_UP}")
HELD_UP = number_of(BLOCKED)
KEYS_REFUSED = number_of(REFUSED, "task_namespace, secret")
LEADERS = "sum(livetask_leader) or vector(0)"
SINCE = of_the_broken("livetask_task_status_since_timestamp_seconds")
LAST_SEEN = of_the_broken("livetask_task_last_seen_timestamp_seconds")
HELD_UP_BY = f"1000 * {once(BLOCKED, 'task_namespace, task, reason')}"

_RELAYS = once(f'livetask_objects{{kind="RelayTask", {OBJECTS}}}', "vendor, task_namespace, state, reason")
BY_STATE = f'sum by (state) (label_replace({_RELAYS}, "state", "(not looked at)", "state", ""))'
BY_PLACE = (
    "count by (kind, vendor, account, task_namespace, state) "
    f"({once(f'livetask_task_status{{{TASKS}}}', f'{EACH}, vendor, account, state')})"
)

_LIMIT = once(f"livetask_quota_limit_per_second{{{ACCOUNTS}}}", OF_AN_ACCOUNT)
QUOTA_USED = f"{rate('livetask_vendor_calls_total', ACCOUNTS, OF_AN_ACCOUNT)} / on ({OF_AN_ACCOUNT}) {_LIMIT}"
SLOWER = once(f"livetask_account_round_factor{{{ACCOUNTS}}}", OF_AN_ACCOUNT)
IN_LINE = f"sum by (account, who) ({once(f'livetask_quota_waiting{{{ACCOUNTS}}}', f'{OF_AN_ACCOUNT}, who')})"

ANSWERS = rate("livetask_vendor_calls_total", ACCOUNTS, "vendor, outcome")
ANSWER_TIME = of_20_calls_19("livetask_vendor_call_seconds", "vendor, call")
ANSWER_SIZE = (
    f"{rate('livetask_vendor_answer_bytes_sum', VENDORS, 'vendor, call')}"
    f" / {rate('livetask_vendor_answer_bytes_count', VENDORS, 'vendor, call')}"
)

KEYS_ACCEPTED_AT = f"1000 * {once(ACCEPTED, 'task_namespace, secret, vendor')}"
KEYS_REFUSED_SINCE = f"1000 * {once(REFUSED, 'task_namespace, secret, vendor, reason')}"
STOPS = f"sum by (vendor, outcome) (livetask_stops_total{{{VENDORS}}}) > 0"

LEADER = "max by (job, pod) (livetask_leader)"
LOOP_LATE = "max by (job) (livetask_loop_lag_seconds)"
POLLS_LATE = of_20_calls_19("livetask_poll_late_seconds", "vendor")
CORES = "rate(process_cpu_seconds_total[$__rate_interval]) and on (job, instance) livetask_leader"
MEMORY = "process_resident_memory_bytes / 2 ^ 30 and on (job, instance) livetask_leader"
WRITES = "sum by (kind, outcome) (rate(livetask_api_writes_total[$__rate_interval]))"
EVENTS_DROPPED = "sum(rate(livetask_events_dropped_total[$__rate_interval]))"
