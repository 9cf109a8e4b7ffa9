-- The source "LivePortrait": a portrait that moves as a performer does, drawn by LP Suite's worker.
--
-- Pictures come through shared memory (lp_memory.lua). Wishes go out as small files in the live folder, which the
-- worker watches: a script in OBS has no sockets, and a file in memory costs microseconds where a request could
-- block a frame. Nothing here waits for anything. What can be set, and within which bounds, is in
-- lp_options.lua, which `lpsuite host install obs` writes from the settings of LP Suite.
local ffi = require("ffi")
local obs = obslua
local memory = dofile(script_path() .. "lp_memory.lua")
local options = dofile(script_path() .. "lp_options.lua")

ffi.cdef [[
typedef struct gs_texture gs_texture_t;
gs_texture_t *gs_texture_create(uint32_t, uint32_t, int, uint32_t, const uint8_t **, uint32_t);
void gs_texture_destroy(gs_texture_t *);
void gs_texture_set_image(gs_texture_t *, const uint8_t *, uint32_t, bool);
void obs_source_draw(gs_texture_t *, int, int, uint32_t, uint32_t, bool);
uint64_t os_gettime_ns(void);
]]
local function libobs() -- Linux shows libobs in ffi.C; the others name it
  local names = { "obs", "obs.0.dylib", "/Applications/OBS.app/Contents/Frameworks/libobs.framework/Versions/A/libobs" }
  if pcall(function() return ffi.C.gs_texture_create end) then return ffi.C end
  for _, name in ipairs(names) do
    local found, library = pcall(ffi.load, name)
    if found then return library end
  end
  error("libobs was not found")
end
local lib = libobs()

local GS_RGBA, GS_DYNAMIC = 3, 2
local MS = 1000000ULL
local LOOK_NS, SILENT_NS, DEAD_NS, START_NS = 250 * MS, 500 * MS, 1200 * MS, 15000 * MS
local SAVED = 6 -- expressions that can be saved, each with a hotkey
local folder = os.getenv("LPSUITE_LIVE_DIR") or memory.live_folder()
local sources, hotkeys, commands = {}, {}, {}
local next_start_ns = 0ULL

local function json_text(text)
  return '"' .. text:gsub('[%z\1-\31\\"]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

-- The worker is started at most every 15 s; another one that runs already makes the new one end at once.
local function start_worker(now)
  if now < next_start_ns then return end
  next_start_ns = now + START_NS
  local words = {}
  local named = os.getenv("LPSUITE")
  for _, word in ipairs(named and { named } or options.command) do words[#words + 1] = memory.quoted(word) end
  for _, word in ipairs(options.serve) do words[#words + 1] = memory.quoted(word) end
  commands[#commands + 1] = { io.popen(memory.detached(table.concat(words, " "))), now + 1000 * MS }
end

-- The shell behind a command has long ended when its handle is closed, so that closing does not wait.
local function close_commands(now)
  for i = #commands, 1, -1 do
    if now > commands[i][2] then
      if commands[i][1] then commands[i][1]:close() end
      table.remove(commands, i)
    end
  end
end

local function driver_of(settings)
  local kind = obs.obs_data_get_string(settings, "driver_kind")
  if kind == "camera" then return "camera:" .. obs.obs_data_get_string(settings, "camera") end
  if kind == "demo" then return "demo:" .. obs.obs_data_get_string(settings, "demo") end
  if kind == "microphone" then
    local name = obs.obs_data_get_string(settings, "microphone")
    return name == "" and "microphone" or "microphone:" .. name
  end
  if kind == "voice" then
    local path = obs.obs_data_get_string(settings, "voice")
    return path == "" and "" or "speech:" .. path
  end
  return obs.obs_data_get_string(settings, kind == "film" and "film" or "address")
end

local function color_of(abgr)
  abgr = abgr % 0x1000000
  return ("#%02x%02x%02x"):format(abgr % 256, math.floor(abgr / 256) % 256, math.floor(abgr / 65536))
end

-- One setting's value as JSON.
local function value_of(settings, item)
  if item.kind == "bool" then return tostring(obs.obs_data_get_bool(settings, item.name)) end
  if item.kind == "float" then return ("%.4f"):format(obs.obs_data_get_double(settings, item.name)) end
  if item.kind == "int" then return ("%d"):format(obs.obs_data_get_int(settings, item.name)) end
  if item.kind == "color" then return json_text(color_of(obs.obs_data_get_int(settings, item.name))) end
  return json_text(obs.obs_data_get_string(settings, item.name))
end

local function edits_of(settings)
  local edits = {}
  for _, slider in ipairs(options.sliders) do
    local value = obs.obs_data_get_double(settings, "slider_" .. slider.name)
    if math.abs(value - slider.neutral) > 1e-6 then
      edits[#edits + 1] = json_text(("%s=%.4f"):format(slider.name, value))
    end
  end
  return "[" .. table.concat(edits, ",") .. "]"
end

-- The whole request as JSON: what POST /streams of the worker takes.
local function request_of(data, settings)
  local groups = { sliders = '"edit":' .. edits_of(settings) }
  for _, item in ipairs(options.settings) do
    local pair = json_text(item.key) .. ":" .. value_of(settings, item)
    groups[item.group] = groups[item.group] and groups[item.group] .. "," .. pair or pair
  end
  local live, parts = groups.live, {}
  groups.live = nil
  for name, pairs_text in pairs(groups) do parts[#parts + 1] = json_text(name) .. ":{" .. pairs_text .. "}" end
  table.sort(parts)
  return ('{"version":1,"pid":%d,"recentre":%d,"stream":{"portrait":%s,"driver":%s,"settings":{%s},"live":{%s},'
    .. '"freeze":%s,"portrait_step":%d}}'):format(memory.pid(), data.recentre,
    json_text(obs.obs_data_get_string(settings, "portrait")), json_text(driver_of(settings)),
    table.concat(parts, ","), live, tostring(data.is_frozen), data.step)
end

local function send(data)
  local settings = obs.obs_source_get_settings(data.source)
  local is_complete = obs.obs_data_get_string(settings, "portrait") ~= "" and driver_of(settings) ~= ""
  local request = is_complete and request_of(data, settings) or nil
  data.shows_status = obs.obs_data_get_bool(settings, "show_status")
  obs.obs_data_release(settings)
  if request == data.request then return end
  data.request = request
  if request then memory.write(data.request_path, request) else os.remove(data.request_path) end
end

local info = {
  id = "lpsuite_liveportrait",
  type = obs.OBS_SOURCE_TYPE_INPUT,
  output_flags = bit.bor(obs.OBS_SOURCE_VIDEO, obs.OBS_SOURCE_SRGB), -- edges are blended in linear light
}

function info.get_name() return "LivePortrait" end

function info.create(settings, source)
  memory.make_folder(folder)
  local name = ("obs-%d-%s"):format(memory.pid(), tostring(lib.os_gettime_ns()):gsub("%D", ""))
  local data = {
    source = source, ring_path = folder .. "/" .. name .. ".ring", request_path = folder .. "/" .. name .. ".json",
    recentre = 0, step = 0, is_frozen = false, width = 0, height = 0, look_ns = 0ULL, status = "", said = "",
    remark = "",
    born_ns = lib.os_gettime_ns(),
  }
  sources[data] = true
  send(data)
  return data
end

function info.destroy(data)
  sources[data] = nil
  os.remove(data.request_path)
  if data.ring then data.ring:close() end
  obs.obs_enter_graphics()
  if data.texture then lib.gs_texture_destroy(data.texture) end
  obs.obs_leave_graphics()
  if data.label then obs.obs_source_release(data.label) end
  data.ring, data.texture, data.label = nil, nil, nil
end

function info.update(data, settings) send(data) end
function info.get_width(data) return data.width end
function info.get_height(data) return data.height end

-- Finds the ring, and finds it again after the worker came back; the last image stays meanwhile.
local function look(data, now)
  data.look_ns = now + LOOK_NS
  local ring = data.ring
  if ring then
    local state = ring:status()
    local is_silent = ring:silent_ns(now) > SILENT_NS and now > ring.head.heartbeat_ns
    if not (is_silent or state == "closed" or state == "replaced") or not ring:was_replaced() then
      if is_silent and ring:silent_ns(now) > DEAD_NS or state == "closed" then
        data.status = "The worker does not answer; it is being started."
        start_worker(now)
      end
      return
    end
  end
  local found = memory.attach(data.ring_path)
  if found and ring and found.session == ring.session then found:close(); return end
  if found then
    if ring then ring:close() end
    data.ring, data.is_new = found, false -- the new ring holds no image before its first frame
  elseif not ring and now - data.born_ns > SILENT_NS then
    data.status = "The worker is being started."
    start_worker(now)
  end
end

function info.video_tick(data, seconds)
  local now = lib.os_gettime_ns()
  close_commands(now)
  if not data.request then data.status = "Choose a portrait and a driver."; return end
  local ring = data.ring
  local is_over = ring and (ring:status() == "replaced" or ring:silent_ns(now) > SILENT_NS)
  if now > data.look_ns or is_over and ring:status() == "replaced" then look(data, now) end
  ring = data.ring
  if not ring then return end
  ring:tell(now, false)
  if ring:read() then data.is_new = true end
  if ring:silent_ns(now) <= DEAD_NS or now < ring.head.heartbeat_ns then
    local state, message = ring:status()
    data.status = state == "running" and "" or (message ~= "" and message or state)
    data.remark = state == "running" and message or "" -- a voice's level and delay: for the panel, not for the stream
  end
end

local function upload(data)
  local ring = data.ring
  if data.texture and (data.width ~= ring.width or data.height ~= ring.height) then
    lib.gs_texture_destroy(data.texture)
    data.texture = nil
  end
  if not data.texture then
    data.texture = lib.gs_texture_create(ring.width, ring.height, GS_RGBA, 1, nil, GS_DYNAMIC)
    data.width, data.height = ring.width, ring.height
  end
  lib.gs_texture_set_image(data.texture, ring.pixels, ring.stride, false)
  data.is_new = false
  ring:tell(lib.os_gettime_ns(), true)
end

local function draw_status(data)
  if not data.shows_status or data.status == "" then return end
  local kind = ffi.os == "Windows" and "text_gdiplus_v2" or "text_ft2_source_v2"
  if not data.label then data.label = obs.obs_source_create_private(kind, "LivePortrait status", nil) end
  if not data.label then return end
  if data.said ~= data.status then
    data.said = data.status
    local settings = obs.obs_data_create()
    obs.obs_data_set_string(settings, "text", data.status)
    obs.obs_data_set_bool(settings, "drop_shadow", true)
    obs.obs_data_set_bool(settings, "word_wrap", true)
    obs.obs_data_set_int(settings, "custom_width", 4096) -- letters stand 256 pixels high before they are scaled
    obs.obs_source_update(data.label, settings)
    obs.obs_data_release(settings)
  end
  local width = obs.obs_source_get_width(data.label)
  if width == 0 then return end
  local scale = math.min(data.width * 0.94 / width, 1)
  obs.gs_matrix_push()
  obs.gs_matrix_translate3f(data.width * 0.03, data.height * 0.03, 0)
  obs.gs_matrix_scale3f(scale, scale, 1)
  obs.obs_source_video_render(data.label)
  obs.gs_matrix_pop()
end

function info.video_render(data, effect)
  if data.is_new and data.ring then upload(data) end
  if not data.texture then return end
  lib.obs_source_draw(data.texture, 0, 0, 0, 0, false)
  draw_status(data)
end

function info.get_defaults(settings)
  obs.obs_data_set_default_string(settings, "driver_kind", "camera")
  obs.obs_data_set_default_string(settings, "camera", "0")
  obs.obs_data_set_default_string(settings, "demo", "expressive")
  obs.obs_data_set_default_bool(settings, "show_status", true)
  local set = {
    bool = obs.obs_data_set_default_bool, float = obs.obs_data_set_default_double, int = obs.obs_data_set_default_int,
    color = obs.obs_data_set_default_int, string = obs.obs_data_set_default_string,
    choice = obs.obs_data_set_default_string,
  }
  for _, item in ipairs(options.settings) do set[item.kind](settings, item.name, item.default) end
  for _, slider in ipairs(options.sliders) do
    obs.obs_data_set_default_double(settings, "slider_" .. slider.name, slider.neutral)
  end
end

local function each(act) for data in pairs(sources) do act(data); send(data) end end
local function freeze(data) data.is_frozen = not data.is_frozen end
local function recentre(data) data.recentre = data.recentre + 1 end
local function step(data) data.step = data.step + 1 end

-- Expressions are saved in the source's settings, as the values of all sliders.
local function save_expression(data, number)
  local settings = obs.obs_source_get_settings(data.source)
  local values = {}
  for _, slider in ipairs(options.sliders) do
    values[#values + 1] = ("%s=%.4f"):format(slider.name, obs.obs_data_get_double(settings, "slider_" .. slider.name))
  end
  obs.obs_data_set_string(settings, "expression_" .. number, table.concat(values, " "))
  obs.obs_data_release(settings)
end

local function show_expression(data, number)
  local settings = obs.obs_source_get_settings(data.source)
  for name, value in obs.obs_data_get_string(settings, "expression_" .. number):gmatch("([%w_]+)=([-%d.]+)") do
    obs.obs_data_set_double(settings, "slider_" .. name, tonumber(value))
  end
  obs.obs_data_release(settings)
end

local function add_item(props, item)
  local label, property = item.label, nil
  if item.kind == "bool" then property = obs.obs_properties_add_bool(props, item.name, label)
  elseif item.kind == "float" then
    property = obs.obs_properties_add_float_slider(props, item.name, label, item.minimum, item.maximum, 0.01)
  elseif item.kind == "int" then
    property = obs.obs_properties_add_int(props, item.name, label, item.minimum, item.maximum, 64)
  elseif item.kind == "color" then property = obs.obs_properties_add_color(props, item.name, label)
  elseif item.kind == "choice" then
    property = obs.obs_properties_add_list(props, item.name, label, obs.OBS_COMBO_TYPE_LIST, obs.OBS_COMBO_FORMAT_STRING)
    for _, choice in ipairs(item.choices) do obs.obs_property_list_add_string(property, choice, choice) end
  else property = obs.obs_properties_add_text(props, item.name, label, obs.OBS_TEXT_DEFAULT) end
  obs.obs_property_set_long_description(property, item.help)
end

local function kind_changed(props, property, settings)
  local kind = obs.obs_data_get_string(settings, "driver_kind")
  for _, name in ipairs({ "camera", "film", "address", "demo", "microphone", "voice" }) do
    obs.obs_property_set_visible(obs.obs_properties_get(props, name), name == kind)
  end
  return true
end

function info.get_properties(data)
  local props = obs.obs_properties_create()
  local pictures = "Images (*.png *.jpg *.jpeg *.tif *.tiff *.webp *.bmp)"
  obs.obs_properties_add_text(props, "status", data.status ~= "" and data.status or data.remark ~= "" and data.remark or "Running.",
    obs.OBS_TEXT_INFO)
  obs.obs_properties_add_path(props, "portrait", "Portrait", obs.OBS_PATH_FILE, pictures, nil)
  local kind = obs.obs_properties_add_list(
    props, "driver_kind", "Driver", obs.OBS_COMBO_TYPE_LIST, obs.OBS_COMBO_FORMAT_STRING)
  local kinds = {
    { "camera", "Camera" }, { "film", "Video file" }, { "microphone", "Microphone" }, { "voice", "Sound file" },
    { "address", "Stream address" }, { "demo", "Demo" },
  }
  for _, pair in ipairs(kinds) do
    obs.obs_property_list_add_string(kind, pair[2], pair[1])
  end
  obs.obs_properties_add_text(props, "camera", "Camera (number or device)", obs.OBS_TEXT_DEFAULT)
  obs.obs_properties_add_path(props, "film", "Video file", obs.OBS_PATH_FILE, "Videos (*.mp4 *.mov *.mkv *.webm *.avi)", nil)
  obs.obs_property_set_long_description(
    obs.obs_properties_add_text(props, "microphone", "Microphone (number or name)", obs.OBS_TEXT_DEFAULT),
    "Empty: the system's default. The face comes 200 ms after the sound: in the audio mixer of OBS, open Advanced Audio "
    .. "Properties and give the microphone a sync offset of 200 ms.")
  obs.obs_properties_add_path(props, "voice", "Sound file", obs.OBS_PATH_FILE,
    "Sound (*.wav *.flac *.mp3 *.m4a *.ogg *.opus *.aiff)", nil)
  obs.obs_properties_add_text(props, "address", "Address (rtsp, http, udp, srt)", obs.OBS_TEXT_DEFAULT)
  add_item(props, { kind = "choice", name = "demo", label = "Demo", choices = options.demos, help = "A built-in motion." })
  obs.obs_property_set_modified_callback(kind, kind_changed)
  for _, item in ipairs(options.settings) do add_item(props, item) end
  obs.obs_properties_add_bool(props, "show_status", "Show status in the image")
  local function button(into, name, text, act)
    obs.obs_properties_add_button(into, name, text, function() act(data); send(data); return true end)
  end
  button(props, "freeze", "Freeze or go on", freeze)
  button(props, "recentre", "Reset reference (this face is the neutral one)", recentre)
  button(props, "next", "Next portrait in the folder", step)
  local sliders = obs.obs_properties_create()
  for _, slider in ipairs(options.sliders) do
    obs.obs_property_set_long_description(obs.obs_properties_add_float_slider(
      sliders, "slider_" .. slider.name, slider.label, slider.minimum, slider.maximum, slider.step), slider.help)
  end
  for number = 1, SAVED do
    button(sliders, "save_" .. number, "Save as expression " .. number, function(d) save_expression(d, number) end)
  end
  obs.obs_properties_add_group(props, "expression", "Expression", obs.OBS_GROUP_NORMAL, sliders)
  return props
end

obs.obs_register_source(info)

local ACTIONS = { freeze = { "freeze or go on", freeze }, recentre = { "reset reference", recentre }, next = { "next portrait", step } }
for number = 1, SAVED do
  ACTIONS["expression_" .. number] = { "expression " .. number, function(data) show_expression(data, number) end }
end

function script_description()
  return "LP Suite: the source LivePortrait. Add it to a scene, choose a portrait and a driver."
end

function script_load(settings)
  for name, action in pairs(ACTIONS) do
    local id = obs.obs_hotkey_register_frontend("lpsuite_" .. name, "LivePortrait: " .. action[1], function(is_pressed)
      if is_pressed then each(action[2]) end
    end)
    local saved = obs.obs_data_get_array(settings, "hotkey_" .. name)
    obs.obs_hotkey_load(id, saved)
    obs.obs_data_array_release(saved)
    hotkeys[name] = id
  end
end

function script_save(settings)
  for name, id in pairs(hotkeys) do
    local saved = obs.obs_hotkey_save(id)
    obs.obs_data_set_array(settings, "hotkey_" .. name, saved)
    obs.obs_data_array_release(saved)
  end
end

function script_unload() close_commands(lib.os_gettime_ns() + 2000 * MS) end
