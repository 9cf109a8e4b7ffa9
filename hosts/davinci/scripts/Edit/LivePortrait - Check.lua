-- Lua needs no Python, so this entry shows even where the others do not: then Resolve has found no Python.
local library = ""
local found = io.open(library .. "/lpsuite.txt")
local words
if found then
  words = found:read("*a")
  found:close()
  words = words .. "If the entries LivePortrait - Animate Clip, Update and Batch Timeline are missing from this menu, Resolve"
    .. " has found no Python: install Python 3.10 to 3.12 and restart Resolve.\n"
else
  words = "The files of LP Suite are gone from " .. library .. "; run: lpsuite host install davinci\n"
end
print(words)
