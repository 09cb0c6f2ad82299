-- The operator's conditions say it all; the messages are its own.
local hs = { status = "Progressing", message = "Waiting for the operator to look at this task" }

-- -1 before the first look; behind the generation until the operator has acted on the last change.
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return hs
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready, reconciling, stalled = conditions["Ready"], conditions["Reconciling"], conditions["Stalled"]

-- A person must act.
if stalled ~= nil and stalled.status == "True" then
  hs.status = "Degraded"
  hs.message = stalled.message
  return hs
end

-- It may pass by itself. A sync fails at once on Degraded, so this must not be.
if reconciling ~= nil and reconciling.status == "True" then
  hs.message = reconciling.message
  return hs
end

if ready ~= nil then
  hs.message = ready.message
  if ready.status == "True" then
    hs.status = "Healthy"
  elseif ready.reason == "Paused" or ready.reason == "Stopped" or ready.reason == "Suspended" then
    hs.status = "Suspended"
  end
end
return hs
