-- What has ended keeps its result; what is suspended is not looked at until it is resumed.
local suspended = obj.spec.suspend == true
local state = obj.status ~= nil and obj.status.state
local ended = state == "Succeeded" or state == "Failed" or state == "Expired"
return {
  ["refresh"] = {
    ["disabled"] = suspended or ended,
    ["displayName"] = "Look again now",
    ["iconClass"] = "fa fa-fw fa-redo",
  },
  ["suspend"] = { ["disabled"] = suspended or ended, ["iconClass"] = "fa fa-fw fa-pause-circle" },
  ["resume"] = { ["disabled"] = not suspended, ["iconClass"] = "fa fa-fw fa-play-circle" },
}
