-- A suspended task is not looked at, so there is nothing to refresh.
local suspended = obj.spec.suspend == true
return {
  ["refresh"] = { ["disabled"] = suspended, ["displayName"] = "Look again now", ["iconClass"] = "fa fa-fw fa-redo" },
  ["suspend"] = { ["disabled"] = suspended, ["iconClass"] = "fa fa-fw fa-pause-circle" },
  ["resume"] = { ["disabled"] = not suspended, ["iconClass"] = "fa fa-fw fa-play-circle" },
}
