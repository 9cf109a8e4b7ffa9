-- The shared-memory ring of live frames (layout: lp_core/link/ring.py) and what else needs the system.
-- Linux is tested; Windows and macOS are written from their documentation and have not been run.
local ffi = require("ffi")
local M = {}

ffi.cdef [[
typedef struct {
  char magic[4]; uint32_t version, header_size, slot_count;
  uint64_t session, slot_stride;
  uint32_t width, height, stride, format, flags, pid;
  uint64_t latest, heartbeat_ns, status_sequence;
  uint32_t state, message_size;
  char message[1024]; char unused[936];
  uint64_t reader_sequence, reader_ns, drawn_frame, drawn_time_ns, drawn_ns;
} lp_ring_header;
typedef struct {
  uint64_t sequence, frame, time_ns;
  uint32_t width, height, stride, format;
  uint64_t done_ns, unused, frame_end;
} lp_ring_slot;
]]
local HEADER, SLOT, HEAD_BYTES = 4096, 64, 80
local STATES = { [0] = "starting", "running", "frozen", "no_face", "failed", "closed", "replaced" }

local map_file, head_of, unmap -- each system's own, below

if ffi.os == "Windows" then
  ffi.cdef [[
  void *CreateFileA(const char *, uint32_t, uint32_t, void *, uint32_t, uint32_t, void *);
  void *CreateFileMappingA(void *, void *, uint32_t, uint32_t, uint32_t, const char *);
  void *MapViewOfFile(void *, uint32_t, uint32_t, uint32_t, size_t);
  int UnmapViewOfFile(const void *); int CloseHandle(void *);
  uint32_t GetFileSize(void *, uint32_t *); uint32_t GetCurrentProcessId(void); int CreateDirectoryA(const char *, void *);
  ]]
  local C = ffi.C
  local function opened(path) -- read and write, shared with everyone, existing
    local handle = C.CreateFileA(path, 0xC0000000, 7, nil, 3, 0x80, nil)
    if tonumber(ffi.cast("intptr_t", handle)) ~= -1 then return handle end
  end
  function map_file(path)
    local handle = opened(path)
    if not handle then return end
    local size = C.GetFileSize(handle, nil)
    local mapping = C.CreateFileMappingA(handle, nil, 4, 0, 0, nil)
    C.CloseHandle(handle)
    if mapping == nil then return end
    local memory = C.MapViewOfFile(mapping, 6, 0, 0, 0)
    C.CloseHandle(mapping)
    if memory ~= nil then return memory, size end
  end
  function unmap(memory) C.UnmapViewOfFile(memory) end
  function M.live_folder()
    local base = os.getenv("LOCALAPPDATA") or (os.getenv("USERPROFILE") .. "\\AppData\\Local")
    return base .. "\\lpsuite\\run\\live"
  end
  function M.make_folder(path)
    for at in path:gmatch("()[\\/]") do C.CreateDirectoryA(path:sub(1, at - 1), nil) end
    C.CreateDirectoryA(path, nil)
  end
  function M.pid() return C.GetCurrentProcessId() end
  function M.detached(command) return 'start "" /b ' .. command .. " >nul 2>nul" end
  function M.quoted(word) return '"' .. word .. '"' end
  function M.replace(from, to) os.remove(to); return os.rename(from, to) end
else
  ffi.cdef [[
  int open(const char *, int, ...); int close(int);
  int64_t lseek(int, int64_t, int); intptr_t pread(int, void *, size_t, int64_t);
  void *mmap(void *, size_t, int, int, int, int64_t); int munmap(void *, size_t);
  int getpid(void); unsigned getuid(void); int mkdir(const char *, unsigned);
  ]]
  local C = ffi.C
  local READ_WRITE = 2 + (ffi.os == "OSX" and 0x1000000 or 0x80000) -- O_RDWR | O_CLOEXEC
  function map_file(path)
    local file = C.open(path, READ_WRITE)
    if file < 0 then return end
    local size = tonumber(C.lseek(file, 0, 2))
    local memory = size >= HEADER and C.mmap(nil, size, 3, 1, file, 0) or nil -- read and write, shared
    C.close(file)
    if memory ~= nil and tonumber(ffi.cast("intptr_t", memory)) ~= -1 then return memory, size end
  end
  function unmap(memory, size) C.munmap(memory, size) end
  function head_of(path, into)
    local file = C.open(path, READ_WRITE)
    if file < 0 then return false end
    local count = tonumber(C.pread(file, into, HEAD_BYTES, 0))
    C.close(file)
    return count == HEAD_BYTES
  end
  function M.live_folder()
    if ffi.os == "OSX" then return os.getenv("HOME") .. "/Library/Application Support/lpsuite/run/live" end
    local session = os.getenv("XDG_RUNTIME_DIR")
    if session and session ~= "" then return session .. "/lpsuite/live" end
    return "/dev/shm/lpsuite-" .. tonumber(C.getuid())
  end
  function M.make_folder(path)
    for at in path:gmatch("()/") do if at > 1 then C.mkdir(path:sub(1, at - 1), 448) end end -- 0700
    C.mkdir(path, 448)
  end
  function M.pid() return C.getpid() end
  function M.quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'" end
  function M.detached(command)
    local log = '"${XDG_CACHE_HOME:-$HOME/.cache}/lpsuite"'
    return "mkdir -p " .. log .. "; " .. command .. " </dev/null >" .. log .. "/obs-worker.log 2>&1 &"
  end
  function M.replace(from, to) return os.rename(from, to) end
end

-- Elsewhere than on x86 reads may overtake each other; without the library the frame number at both ends guards alone.
local fence = function() end
if ffi.arch ~= "x86" and ffi.arch ~= "x64" then
  ffi.cdef "void atomic_thread_fence(int); void OSMemoryBarrier(void);"
  local found, library = pcall(ffi.load, ffi.os == "OSX" and "System" or "libatomic.so.1")
  if found then
    fence = ffi.os == "OSX" and library.OSMemoryBarrier or function() library.atomic_thread_fence(5) end
  end
end

local function is_sound(head, size)
  local slots, stride = tonumber(head.slot_count), tonumber(head.slot_stride)
  return ffi.string(head.magic, 4) == "LPSM" and head.version == 1 and head.header_size >= HEADER
    and head.header_size % 8 == 0 and slots >= 1 and slots <= 64
    and head.width > 0 and head.width <= 16384 and head.height > 0 and head.height <= 16384
    and head.stride >= head.width * 4 and head.stride <= 131072 and head.format == 3
    and stride % 8 == 0 and stride >= SLOT + tonumber(head.stride) * head.height
    and size >= head.header_size + slots * stride
end

local Ring = {}
Ring.__index = Ring

-- A ring of a name; nil where there is none or its header cannot be believed.
function M.attach(path)
  local memory, size = map_file(path)
  if not memory then return nil end
  local head = ffi.cast("lp_ring_header *", memory)
  if not is_sound(head, size) then unmap(memory, size); return nil end
  -- Sizes are taken once: what the header says later does not count.
  return setmetatable({
    path = path, memory = memory, size = size, head = head, session = head.session, seen = 0ULL,
    width = tonumber(head.width), height = tonumber(head.height), stride = tonumber(head.stride),
    bytes = tonumber(head.stride) * tonumber(head.height), slots = tonumber(head.slot_count),
    first = tonumber(head.header_size), slot_stride = tonumber(head.slot_stride),
    pixels = ffi.new("uint8_t[?]", tonumber(head.stride) * tonumber(head.height)),
  }, Ring)
end

-- Copies the newest frame into self.pixels; false where there is none or the writer was faster each time.
function Ring:read()
  local base = ffi.cast("uint8_t *", self.memory)
  for _ = 1, 4 do
    local latest = self.head.latest
    if latest == 0 or latest == self.seen then return false end
    local at = base + self.first + tonumber(latest % self.slots) * self.slot_stride
    local slot = ffi.cast("volatile lp_ring_slot *", at)
    local before, frame, time_ns = slot.sequence, slot.frame, slot.time_ns
    if before % 2 == 0 then
      fence()
      ffi.copy(self.pixels, at + SLOT, self.bytes)
      fence()
      if slot.frame_end == frame and slot.sequence == before then
        self.seen, self.time_ns = frame, time_ns
        return true
      end
    end
  end
  return false
end

-- Tells the writer that somebody looks and, after a frame came to the screen, which and when.
function Ring:tell(now_ns, was_drawn)
  local head = self.head
  head.reader_sequence = head.reader_sequence + 1
  head.reader_ns = now_ns
  if was_drawn then head.drawn_frame, head.drawn_time_ns, head.drawn_ns = self.seen, self.time_ns, now_ns end
  head.reader_sequence = head.reader_sequence + 1
end

-- State and message of the stream; the last ones known while new ones are being written.
function Ring:status()
  local head = ffi.cast("volatile lp_ring_header *", self.memory)
  local before = head.status_sequence
  if before % 2 == 0 and before ~= self.status_seen then
    local state, size = tonumber(head.state), math.min(tonumber(head.message_size), 1024)
    local message = ffi.string(self.head.message, size)
    if head.status_sequence == before then
      self.status_seen, self.state, self.message = before, STATES[state] or "failed", message
    end
  end
  return self.state or "starting", self.message or ""
end

-- Whether another ring has the name by now.
function Ring:was_replaced()
  if not head_of then return true end -- Windows: map it again and compare
  self.probe = self.probe or ffi.new("lp_ring_header")
  return head_of(self.path, self.probe) and self.probe.session ~= self.session
end

function Ring:silent_ns(now_ns) return now_ns - self.head.heartbeat_ns end

function Ring:close()
  if self.memory then unmap(self.memory, self.size); self.memory, self.head = nil, nil end
end

-- Writes a file so that it appears whole.
function M.write(path, text)
  local file = io.open(path .. ".part", "wb")
  if not file then return false end
  file:write(text)
  file:close()
  return M.replace(path .. ".part", path)
end

return M
