"""What scripts are made of: functions of Lua, each written where a script uses it, behind those that it uses itself.

A request `r` is a table: `handle` and `headers` are Envoy's, `info` what it knows of the stream, `vars` the variables
by HAProxy's names. Values are strings, numbers and booleans; nil is none. A list of values holds all headers, cookies
or parameters of a name; tests hold where one of them fits.
"""

from __future__ import annotations

import re
from typing import Final

_SOURCE: Final = r"""
-- The path and query, as they stand in the request.
function url(r)
  return r.headers:get(":path")
end

-- The path without the query.
function path(r)
  return string.match(url(r) or "", "^[^?]*")
end

-- Path and query as they came, whatever rules have made of them.
function came_url(r)
  return r.came
end

function came_path(r)
  return string.match(r.came or "", "^[^?]*")
end

-- What stands behind the first question mark.
function query(r)
  return string.match(url(r) or "", "%?(.*)$")
end

-- The host as the client wrote it; requests of HTTP/1.0 without one have a host of Envoy's.
function host(r)
  local value = r.headers:get(":authority")
  if value == "none.invalid" then return nil end
  return value
end

-- Host and path.
function base(r)
  return (host(r) or "") .. path(r)
end

-- The method as the client sent it; of an unknown one nothing is left when the answer has come.
function method(r)
  return r.method or r.headers:get(":method")
end

-- The method that tests look at: an unknown one is never one of those that are known, whatever rules make of it.
function asked_method(r)
  local found = method(r)
  if found == "" or (not r.method and known_method(r)) then return nil end
  return found
end

-- What is kept of a method when rules change it.
function known_method(r)
  local found = r.headers:get(":method")
  local known = {GET = 1, HEAD = 1, POST = 1, PUT = 1, DELETE = 1, TRACE = 1, CONNECT = 1, OPTIONS = 1}
  return known[found] and found
end

-- The version of HTTP, as 1.1.
function version(r)
  return string.match(r.info:protocol(), "[%d.]+$")
end

-- The address of "address:port", without the brackets of IPv6.
function address_of(text)
  return string.match(text, "^%[(.*)%]:%d+$") or string.match(text, "^(.*):%d+$") or text
end

function port_of(text)
  return tonumber(string.match(text, ":(%d+)$"))
end

function src(r)
  return address_of(r.info:downstreamDirectRemoteAddress())
end

function src_port(r)
  return port_of(r.info:downstreamDirectRemoteAddress())
end

function dst(r)
  return address_of(r.info:downstreamLocalAddress())
end

function dst_port(r)
  return port_of(r.info:downstreamLocalAddress())
end

-- Whether the client speaks TLS.
function encrypted(r)
  return r.info:downstreamSslConnection() ~= nil
end

-- The name that the client asked for in TLS.
function server_name(r)
  local name = r.info:requestedServerName()
  if name == "" then return nil end
  return name
end

-- The status of an answer.
function status(r)
  return tonumber(r.headers:get(":status"))
end

-- All headers of a name, as they stand.
function lines(r, name)
  local found = {}
  for index = 0, r.headers:getNumValues(name) - 1 do
    found[#found + 1] = r.headers:getAtIndex(name, index)
  end
  if name == "host" and host(r) == nil then return {} end
  return found
end

function trim(text)
  return string.match(text, "^[ \t]*(.-)[ \t]*$")
end

-- The parts between commas; those between quotes don't count.
function split(text)
  local found, from, quoted, index = {}, 1, false, 1
  while index <= #text do
    local sign = string.sub(text, index, index)
    if sign == '"' then
      quoted = not quoted
    elseif sign == "\\" and quoted then
      index = index + 1
    elseif sign == "," and not quoted then
      found[#found + 1] = string.sub(text, from, index - 1)
      from = index + 1
    end
    index = index + 1
  end
  found[#found + 1] = string.sub(text, from)
  return found
end

-- All values of a header that is a list.
function values(r, name)
  local found = {}
  for _, line in ipairs(lines(r, name)) do
    for _, part in ipairs(split(line)) do
      found[#found + 1] = trim(part)
    end
  end
  return found
end

-- The values of all cookies of a name.
function cookies(r, name)
  local found = {}
  for _, line in ipairs(values(r, "cookie")) do
    local from = 1
    while from <= #line + 1 do
      local stop = string.find(line, ";", from, true) or #line + 1
      local label, value = string.match(string.sub(line, from, stop - 1), "^[ \t]*([^=]-)[ \t]*=[ \t]*(.-)[ \t]*$")
      if label == name and (stop <= #line or stop - from > #name + 1) then
        found[#found + 1] = value
      end
      from = stop + 1
    end
  end
  return found
end

-- The values of all parameters of a name.
function parameters(r, name)
  local found = {}
  for part in string.gmatch(query(r) or "", "[^&;?]+") do
    local label, value = string.match(part, "^([^=]*)=(.*)$")
    if label == name then
      found[#found + 1] = value
    end
  end
  return found
end

-- One of several, counted from 1, or from the end below 0.
function nth(list, number)
  if number <= 0 then number = #list + 1 + (number == 0 and -1 or number) end
  return list[number]
end

-- A value as text; none is empty.
function text(value)
  if value == nil then return "" end
  if value == true then return "1" end
  if value == false then return "0" end
  if type(value) == "number" then return string.format("%.0f", value) end
  return value
end

-- The number that a text begins with.
function number(value)
  if value == nil or value == "" then return nil end
  if type(value) == "boolean" then return value and 1 or 0 end
  if type(value) == "number" then return value end
  return tonumber(string.match(value, "^[+-]?%d+")) or 0
end

-- Whether a value counts as true.
function holds(value)
  if type(value) == "boolean" then return value end
  local found = number(value)
  return found ~= nil and found ~= 0
end

-- A list with each value changed; those that become none go.
function each(list, change)
  local found = {}
  for _, value in ipairs(list) do
    found[#found + 1] = change(value)
  end
  return found
end

-- Whether a value of a list fits one of some patterns.
function any(list, fits, patterns)
  for _, value in ipairs(list) do
    for _, pattern in ipairs(patterns) do
      if fits(value, pattern) then return true end
    end
  end
  return false
end

-- Whether a value of a list stands in a set.
function among(list, set)
  for _, value in ipairs(list) do
    if set[text(value)] then return true end
  end
  return false
end

-- Whether a value of a list counts as true.
function true_one(list)
  for _, value in ipairs(list) do
    if holds(value) then return true end
  end
  return false
end

function begins(value, pattern)
  return string.sub(text(value), 1, #pattern) == pattern
end

function ends(value, pattern)
  return pattern == "" or string.sub(text(value), -#pattern) == pattern
end

function contains(value, pattern)
  return string.find(text(value), pattern, 1, true) ~= nil
end

-- Whether a pattern of Lua fits.
function matches(value, pattern)
  return string.find(text(value), pattern) ~= nil
end

-- Whether a number stands between two, which count.
function between(value, bounds)
  local found = number(value)
  return found ~= nil and found >= bounds[1] and found <= bounds[2]
end

function is_long(value, bounds)
  return #text(value) >= bounds[1] and #text(value) <= bounds[2]
end

-- Whether a text stands in a value between delimiters or its ends.
function has_part(value, delimiters, wanted)
  local from = 1
  while true do
    local first, last = string.find(value, wanted, from, true)
    if first == nil then return false end
    local before, behind = string.sub(value, first - 1, first - 1), string.sub(value, last + 1, last + 1)
    if string.find(delimiters, before, 1, true) and string.find(delimiters, behind, 1, true) then return true end
    from = first + 1
  end
end

function has_directory(value, pattern)
  return has_part(text(value), "/?", pattern)
end

function has_domain(value, pattern)
  return has_part(text(value), "/?.:", pattern)
end

-- The bytes of an address; nil where it is none.
function bytes_of(value)
  local found = {}
  if value == nil then return nil end
  if not string.find(value, ":", 1, true) then
    local parts = {string.match(value, "^(%d+)%.(%d+)%.(%d+)%.(%d+)$")}
    for index, part in ipairs(parts) do
      found[index] = tonumber(part)
      if found[index] > 255 then return nil end
    end
    return #found == 4 and found or nil
  end
  local head, tail = string.match(value, "^(.-)::(.*)$")
  local function add(part)
    for group in string.gmatch(part, "[^:]+") do
      local four = string.find(group, ".", 1, true) and bytes_of(group)
      local high = not four and tonumber(group, 16)
      if four then
        for _, one in ipairs(four) do found[#found + 1] = one end
      elseif high and high < 65536 then
        found[#found + 1] = math.floor(high / 256)
        found[#found + 1] = high % 256
      end
    end
  end
  add(head or value)
  if tail then
    local behind = #found
    add(tail)
    local zeros = 16 - #found
    for _ = 1, zeros do table.insert(found, behind + 1, 0) end
  end
  return #found == 16 and found or nil
end

-- Whether an address stands in a network: its bytes and the number of bits that count.
function in_network(value, network)
  local found, bits = bytes_of(value), network.bits
  if found == nil or #found ~= #network then return false end
  for index, byte in ipairs(network) do
    if bits <= 0 then return true end
    local unit = bits >= 8 and 1 or 2 ^ (8 - bits)
    if math.floor(found[index] / unit) ~= math.floor(byte / unit) then return false end
    bits = bits - 8
  end
  return true
end

-- An address as headers tell it, perhaps with a port.
function told_address(value)
  local found = string.match(value, "^(%d+%.%d+%.%d+%.%d+):%d+$") or value
  return bytes_of(found) and found or nil
end

function lower(value)
  return value and string.lower(text(value))
end

function upper(value)
  return value and string.upper(text(value))
end

function length(value)
  return value and #text(value)
end

function with_tail(value, tail)
  return value and text(value) .. tail
end

-- The bounds of the parts between delimiters.
function bounds_of(value, delimiters, empty)
  local found, from = {}, 1
  for index = 1, #value + 1 do
    if index > #value or string.find(delimiters, string.sub(value, index, index), 1, true) then
      if empty or index > from then found[#found + 1] = {from, index - 1} end
      from = index + 1
    end
  end
  return found
end

-- Some parts, counted from the beginning or, below 0, from the end.
function parts_of(value, bounds, index, count)
  if math.abs(index) > #bounds then return nil end
  local first, last
  if index > 0 then
    first, last = index, count == 0 and #bounds or math.min(index + count - 1, #bounds)
  else
    last = #bounds + index + 1
    first = count == 0 and 1 or math.max(last - count + 1, 1)
  end
  return string.sub(value, bounds[first][1], bounds[last][2])
end

function field(value, index, delimiters, count)
  if value == nil then return nil end
  return parts_of(text(value), bounds_of(text(value), delimiters, true), index, count)
end

function word(value, index, delimiters, count)
  if value == nil then return nil end
  return parts_of(text(value), bounds_of(text(value), delimiters, false), index, count) or ""
end

function host_only(value)
  if value == nil then return nil end
  return string.lower(string.match(value, "^(.*):[^%]:]*$") or value)
end

function port_only(value)
  return value and tonumber(string.match(value, ":(%d+)$") or 0)
end

function ltrim(value, signs)
  while value and value ~= "" and string.find(signs, string.sub(value, 1, 1), 1, true) do
    value = string.sub(value, 2)
  end
  return value
end

function rtrim(value, signs)
  while value and value ~= "" and string.find(signs, string.sub(value, -1), 1, true) do
    value = string.sub(value, 1, -2)
  end
  return value
end

-- The first place where one of some patterns fits: where, up to where, and its groups.
function find_first(value, patterns)
  local best
  for _, one in ipairs(patterns) do
    local found = {string.find(value, one[1])}
    if found[1] and (best == nil or found[1] < best.first) then
      best = {first = found[1], last = found[2], [0] = string.sub(value, found[1], found[2])}
      for index = 2, #one do best[one[index]] = found[index + 1] end
    end
  end
  return best
end

-- A text in which \1 stands for a group.
function expand(template, groups)
  return (string.gsub(template, "\\(.)", function(sign)
    local number = tonumber(sign)
    if number then return groups[number] or "" end
    return sign
  end))
end

-- The part that fits replaced.
function regsub(value, patterns, template)
  if value == nil then return nil end
  value = text(value)
  local found = find_first(value, patterns)
  if found == nil then return value end
  return string.sub(value, 1, found.first - 1) .. expand(template, found) .. string.sub(value, found.last + 1)
end

-- The whole replaced where something fits; nil where nothing does.
function rewritten(value, patterns, template)
  local found = find_first(value, patterns)
  return found and expand(template, found)
end

-- What a table says of a value.
function looked_up(value, entries, default)
  if value == nil then return nil end
  return entries[text(value)] or default
end

-- What the first entry of a list that fits says of a value.
function first_entry(value, fits, entries, default)
  if value == nil then return nil end
  for _, entry in ipairs(entries) do
    if fits(value, entry[1]) then return entry[2] end
  end
  return default
end

function set_header(r, name, value)
  if name == "host" then
    r.headers:replace(":authority", value)
  else
    r.headers:remove(name)
    r.headers:add(name, value)
  end
end

function add_header(r, name, value)
  r.headers:add(name, value)
end

function del_header(r, name)
  r.headers:remove(name)
end

-- Removes the headers whose names fit.
function del_headers(r, fits, pattern)
  local names = {}
  for name in pairs(r.headers) do
    if string.sub(name, 1, 1) ~= ":" and fits(name, pattern) then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do r.headers:remove(name) end
end

-- Gives a header other lines.
function put_lines(r, name, found)
  if name == "host" then
    if found[1] then r.headers:replace(":authority", found[1]) end
    return
  end
  r.headers:remove(name)
  for _, line in ipairs(found) do r.headers:add(name, line) end
end

function replace_header(r, name, patterns, template)
  local found = lines(r, name)
  for index, line in ipairs(found) do found[index] = rewritten(line, patterns, template) or line end
  put_lines(r, name, found)
end

function replace_value(r, name, patterns, template)
  local found = lines(r, name)
  for index, line in ipairs(found) do
    local parts = split(line)
    for number, part in ipairs(parts) do parts[number] = rewritten(trim(part), patterns, template) or part end
    found[index] = table.concat(parts, ",")
  end
  put_lines(r, name, found)
end

function set_url(r, value)
  if value ~= nil then r.headers:replace(":path", value) end
end

function set_path(r, value)
  if value == nil then return end
  local behind = query(r)
  r.headers:replace(":path", value .. (behind and "?" .. behind or ""))
end

function set_query(r, value)
  local there = query(r) ~= nil
  if there or value ~= "" then r.headers:replace(":path", path(r) .. "?" .. value) end
end

function set_method(r, value)
  r.headers:replace(":method", value)
end

function set_var(r, name, value)
  if value ~= nil then r.vars[name] = value end
end

-- Answers the client; header by header, several of one name are told.
function answer(r, status, headers, body)
  local told = {[":status"] = text(status)}
  for _, header in ipairs(headers) do
    local before = told[header[1]]
    if before == nil then
      told[header[1]] = header[2]
    else
      if type(before) == "string" then before = {before} end
      before[#before + 1] = header[2]
      told[header[1]] = before
    end
  end
  keep(r)
  r.handle:respond(told, body)
end

function with_slash(value)
  return string.sub(value, -1) == "/" and value or value .. "/"
end

-- Another answer in place of a server's.
function answer_instead(r, status, headers, body)
  local names = {}
  for name in pairs(r.headers) do
    if string.sub(name, 1, 1) ~= ":" then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do r.headers:remove(name) end
  r.headers:replace(":status", text(status))
  for _, header in ipairs(headers) do r.headers:add(header[1], header[2]) end
  r.handle:body(true):setBytes(body)
  r.headers, r.info = r.handle:headers(), r.handle:streamInfo()  -- the old ones don't outlive a wait for a body
  r.headers:replace("content-length", text(#body))
end

-- Keeps for the answer what its rules may ask.
function keep(r)
  local kept = {backend = r.backend or "", method = r.method or ""}
  for name, value in pairs(r.vars) do kept["var " .. name] = value end
  for name, value in pairs(kept) do r.info:dynamicMetadata():set("hapy", name, value) end
end

-- The request of an answer.
function request_of(handle)
  local kept = handle:streamInfo():dynamicMetadata():get("hapy")
  if kept == nil then return nil end
  local r = {handle = handle, headers = handle:headers(), info = handle:streamInfo(), vars = {}}
  for name, value in pairs(kept) do
    if string.sub(name, 1, 4) == "var " then r.vars[string.sub(name, 5)] = value end
  end
  r.backend, r.method = kept["backend"], kept["method"]
  return r
end

-- Whether an answer came from a server.
function from_server(r)
  local found = r.headers:get("x-hapy-answered") == "via_upstream"
  r.headers:remove("x-hapy-answered")
  return found
end

-- A request as the client sent it, without what Envoy has added.
function request(handle)
  local r = {handle = handle, headers = handle:headers(), info = handle:streamInfo(), vars = {}}
  r.method, r.came = known_method(r), r.headers:get(":path")
  local proto = r.headers:get("x-hapy-forwarded-proto")
  local own = {"x-forwarded-proto", "x-hapy-forwarded-proto", "x-hapy-backend"}
  for _, name in ipairs(own) do r.headers:remove(name) end
  for _, name in ipairs({"x-envoy-external-address", "x-envoy-internal"}) do r.headers:remove(name) end
  if proto then r.headers:add("x-forwarded-proto", proto) end
  return r
end

-- Envoy's id of a request serves as a UUID; the client's own header of that name comes back.
function identify(r)
  r.uuid = r.headers:get("x-request-id")
  r.headers:remove("x-request-id")
  local own = r.headers:get("x-hapy-request-id")
  r.headers:remove("x-hapy-request-id")
  if own then r.headers:add("x-request-id", own) end
end

-- Names the backend to the routes, which look for X-Forwarded-Proto, too, and put the client's in its place.
function lead_on(r)
  if r.backend then r.headers:add("x-hapy-backend", r.backend) end
  local proto = r.headers:get("x-forwarded-proto")
  if proto then
    r.headers:add("x-hapy-forwarded-proto", proto)
  else
    r.headers:add("x-forwarded-proto", "http")
  end
end

-- Does some work for a request; where that fails, it is refused.
function guarded(handle, work)
  local well, reason = pcall(work)
  if not well then
    handle:logErr(tostring(reason))
    handle:respond({[":status"] = "500"}, "")
  end
end
"""

_BLOCKS: Final = {
    found[1]: block
    for block in _SOURCE.strip().split("\n\n")
    if (found := re.search(r"^function (\w+)", block, re.MULTILINE))
}
_WORD: Final = re.compile(r"\b[a-z_]+\b")


def needed(source: str) -> str:
    """The functions that a script uses, in their order."""
    wanted: set[str] = set()
    pending = [source]
    while pending:
        for name in _WORD.findall(pending.pop()):
            if name in _BLOCKS and name not in wanted:
                wanted.add(name)
                pending.append(_BLOCKS[name])
    return "\n\n".join(block for name, block in _BLOCKS.items() if name in wanted)
