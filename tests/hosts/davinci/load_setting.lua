-- Loads a macro as Fusion would, prints its controls as lines of tab-separated fields, and presses its button.
local path = assert(arg[1])
local file = assert(io.open(path, "rb"))
local text = file:read("*a")
file:close()
local world = setmetatable({ ordered = function() return function(t) return t end end }, {
  __index = function(_, name)
    return function(t) t.__class = name return t end
  end,
})
local chunk = assert(loadstring("return " .. text, path))
setfenv(chunk, world)
local setting = chunk()
local group = assert(setting.Tools[setting.ActiveTool], "ActiveTool is not there")
assert(group.__class == "GroupOperator")
local function checked(source)
  assert(group.Tools[source.SourceOp], "dangling: " .. tostring(source.SourceOp))
end
for _, source in pairs(group.Inputs) do if type(source) == "table" then checked(source) end end
for _, tool in pairs(group.Tools) do
  for _, input in pairs(tool.Inputs or {}) do if type(input) == "table" and input.SourceOp then checked(input) end end
end
assert(group.Outputs.MainOutput1 and group.Inputs.MainInput1 and group.Inputs.MainInput2)
checked(group.Outputs.MainOutput1)
local controls = group.Tools.Controls.UserControls
for name, about in pairs(controls) do
  local published = assert(group.Inputs[name], "not published: " .. name)
  assert(published.Source == name and published.SourceOp == "Controls")
  local choices = {}
  for _, item in ipairs(about) do choices[#choices + 1] = item.CCS_AddString end
  print(table.concat({ name, about.INPID_InputControl, tostring(about.INP_Default), tostring(about.INP_MinAllowed),
    tostring(about.INP_MaxAllowed), table.concat(choices, ","), tostring(about.INPS_DefaultText), about.INPS_StatusText }, "\t"))
end
local said = {}
tool = { Name = "Controls", ParentTool = { Name = "LivePortrait_1" } }
comp = {
  SetData = function(_, name, value) said[#said + 1] = name .. "=" .. value end,
  RunScript = function(_, place) said[#said + 1] = place end,
}
fusion = { MapPath = function(_, place) return "/mapped/" .. place end }
assert(loadstring(controls.render.BTNCS_Execute))()
print("BUTTON\t" .. table.concat(said, "\t"))
