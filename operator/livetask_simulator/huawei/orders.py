"""Orders to the simulated Huawei Cloud from the admin API and from scripts: accounts, keys, quotas, tasks.

Apart from admin_cloud.py and script.py, so that a field means the same in both. An application is a project here.
"""

from dataclasses import replace

from livetask_simulator.accounts import Key, KeyTakenError
from livetask_simulator.fields import FieldError, Fields
from livetask_simulator.huawei.gateway import HuaweiCloud
from livetask_simulator.huawei.operations import OPERATIONS
from livetask_simulator.huawei.tasks import (
    DEFAULT_REGION,
    MISSING,
    RUNNING,
    AfterPage,
    OfUnknown,
    Service,
    Settings,
    Task,
    Turn,
)
from livetask_simulator.limits import Quota

DENIALS = ("APIGW.0302", "APIGW.0306")
DETAILS = {"startTime": "start_time", "endTime": "end_time"}


def put_settings(cloud: HuaweiCloud, account: str, fields: Fields) -> None:
    """Add an account, or change its settings: those named change, the others stay."""
    settings = cloud.tasks.settings(account)
    changed = replace(
        settings,
        service=fields.choice("service", Service, settings.service),
        look_for_unknown=fields.choice("lookForUnknown", OfUnknown, settings.look_for_unknown),
        stop_of_unknown=fields.choice("stopOfUnknown", OfUnknown, settings.stop_of_unknown),
    )
    if "clockSkewSeconds" in fields:
        changed = replace(changed, clock_skew_s=fields.seconds_or_none("clockSkewSeconds", signed=True) or 0.0)
    if "startLife" in fields:
        changed = replace(changed, start_life=_life(fields, "startLife"))
    if "projects" in fields:
        changed = replace(changed, projects=_names(fields, "projects"))
    if "regions" in fields:
        changed = replace(changed, regions=_names(fields, "regions"))
    if "total" in fields:
        changed = replace(changed, total=fields.integer_or_none("total"))
    if "afterPages" in fields:
        changed = replace(changed, after_pages=_after_pages(fields, "afterPages"))
    fields.done()
    cloud.accounts.add(account)
    cloud.tasks.set_settings(account, changed)


def show_settings(cloud: HuaweiCloud, account: str) -> dict[str, object]:
    """An account as the admin API shows it, without secrets."""
    settings: Settings = cloud.tasks.settings(cloud.accounts.require(account))
    return {
        "account": account,
        "service": settings.service,
        "lookForUnknown": settings.look_for_unknown,
        "stopOfUnknown": settings.stop_of_unknown,
        "clockSkewSeconds": settings.clock_skew_s,
        "startLife": [[turn.after_s, turn.status] for turn in settings.start_life],
        "projects": None if settings.projects is None else sorted(settings.projects),
        "regions": None if settings.regions is None else sorted(settings.regions),
        "total": settings.total,
        "afterPages": [[what, task_id] for what, task_id in settings.after_pages],
        "keys": [
            {"keyId": key.key_id, "active": key.active, "revoked": key.revoked, "temporary": key.token is not None}
            for key in cloud.accounts.keys_of(account)
        ],
    }


def put_key(cloud: HuaweiCloud, account: str, key_id: str, fields: Fields) -> None:
    """Add a key or replace it: an access key with a secret, or a token of its own, which is sent as X-Auth-Token."""
    auth_token = fields.text_or_none("authToken")
    allow = fields.texts_or_none("allow")
    key = Key(
        key_id=key_id,
        account=account,
        secret=fields.text("secret", None if auth_token is None else ""),
        token=fields.text_or_none("token"),
        token_expired=fields.flag("tokenExpired", False),
        active=fields.flag("active", True),
        allow=None if allow is None else frozenset(allow),
        denial=fields.text("denial", DENIALS[0]),
    )
    fields.done()
    if key.denial not in DENIALS:
        raise FieldError(f"key {key_id}: denial must be one of {', '.join(DENIALS)}, and is {key.denial}.")
    if auth_token is not None and cloud.auth_tokens.get(auth_token, key_id) != key_id:
        raise KeyTakenError("with this authToken", cloud.auth_tokens[auth_token])
    cloud.accounts.put_key(key)
    cloud.auth_tokens = {token: named for token, named in cloud.auth_tokens.items() if named != key_id}
    if auth_token is not None:
        cloud.auth_tokens[auth_token] = key_id


def revoke_key(cloud: HuaweiCloud, account: str, key_id: str) -> bool:
    """Make a key unknown to the cloud; returns whether the account had it."""
    key = cloud.accounts.key(key_id)
    if key is None or key.account != account:
        return False
    key.revoked = True
    return True


def put_quota(cloud: HuaweiCloud, account: str, operation: str, fields: Fields) -> None:
    """Give an account a quota of its own for an operation."""
    quota = Quota(
        limit=fields.integer("limit", 0),
        window_s=fields.seconds("windowSeconds", 1.0),
        retry_after_ms=fields.integer_or_none("retryAfterMs"),
    )
    fields.done()
    cloud.accounts.require(account)
    if operation not in {each.name for each in OPERATIONS.values()}:
        raise FieldError(f"There is no operation {operation}.")
    cloud.limits.set(account, operation, quota)


def tasks(cloud: HuaweiCloud, account: str) -> list[Task]:
    """The tasks that the cloud has for an account."""
    return list(cloud.tasks.of_account(account))


def find_task(cloud: HuaweiCloud, account: str, app_id: str, task_id: str) -> Task | None:
    """The task, unless the cloud never knew it or has deleted it."""
    return cloud.tasks.find(account, app_id, task_id)


def put_task(cloud: HuaweiCloud, account: str, app_id: str, task_id: str, fields: Fields) -> Task:
    """Have a task of a chosen id, started now; one of that id is replaced."""
    life = (Turn(0.0, fields.text("status", RUNNING)), *_life(fields, "life"))
    region = fields.text("region", DEFAULT_REGION)
    details = {name: fields.text(field) for field, name in DETAILS.items() if field in fields}
    cloud.accounts.require(account)
    task = cloud.tasks.start(account, app_id, task_id, life=life, region=region, details=details)
    try:
        _misbehave(task, fields)
        fields.done()
    except FieldError:
        cloud.tasks.forget_task(account, app_id, task_id)
        raise
    return task


def change_task(cloud: HuaweiCloud, task: Task, fields: Fields) -> None:
    """Change a task: those fields that are named."""
    status = fields.text_or_none("status")
    life = _life(fields, "life")
    details = {name: fields.text(field) for field, name in DETAILS.items() if field in fields}
    _misbehave(task, fields)
    fields.done()
    now_s = cloud.clock.monotonic()
    task.details = {**task.details, **details}
    if status is not None:
        task.become(status, now_s)
    if life:
        age_s = now_s - task.started_s
        past = tuple(turn for turn in task.life if turn.after_s <= age_s)
        task.life = (*past, *(Turn(age_s + turn.after_s, turn.status) for turn in life))


def forget_task(cloud: HuaweiCloud, account: str, task: Task) -> None:
    """Make a task unknown."""
    cloud.tasks.forget_task(account, task.project, task.task_id)


def show_task(cloud: HuaweiCloud, task: Task) -> dict[str, object]:
    """A task as the admin API shows it."""
    now_s = cloud.clock.monotonic()
    return {
        "appId": task.project,
        "taskId": task.task_id,
        "region": task.region,
        "status": task.status(now_s),
        "ageSeconds": round(now_s - task.started_s, 3),
        "ignoreStops": task.ignore_stops,
        "stopTakesSeconds": task.stop_takes_s,
        "stopsAccepted": task.stops_accepted,
    }


def _misbehave(task: Task, fields: Fields) -> None:
    task.ignore_stops = fields.integer("ignoreStops", task.ignore_stops)
    task.stop_takes_s = fields.seconds("stopTakesSeconds", task.stop_takes_s)
    if "rawStatus" not in fields:
        return
    raw = fields.anything("rawStatus")
    if raw is None:
        task.has_raw_status, task.raw_status = False, None
        return
    said = Fields(raw, "rawStatus")
    task.raw_status = MISSING if said.flag("missing", False) else said.anything("value")
    task.has_raw_status = True
    said.done()


def _names(fields: Fields, name: str) -> frozenset[str] | None:
    names = fields.texts_or_none(name)
    return None if names is None else frozenset(names)


def _after_pages(fields: Fields, name: str) -> tuple[tuple[AfterPage, str], ...]:
    orders = []
    for order in fields.sequence(name):
        match order:
            case ["forget" | "start" as what, str() as task_id]:
                orders.append((AfterPage(what), task_id))
            case _:
                raise FieldError(f"{name} must be a list of [forget or start, taskId], and has {order!r}.")
    return tuple(orders)


def _life(fields: Fields, name: str) -> tuple[Turn, ...]:
    turns = []
    for turn in fields.sequence(name):
        match turn:
            case [int() | float() as after_s, str() as status] if after_s >= 0:
                turns.append(Turn(float(after_s), status))
            case _:
                raise FieldError(f"{name} must be a list of [seconds after the start, status], and has {turn!r}.")
    return tuple(sorted(turns, key=lambda turn: turn.after_s))
