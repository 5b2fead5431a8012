import { createHash } from "node:crypto";

/**
 * One step at the server: everything of it happens, or nothing, and nothing of anybody else between. The last argument
 * names the question; what is answered is that name and the answer.
 */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

export interface Scripts {
  /**
   * Lends of all meters or of none. KEYS: nodes, then one for each want. ARGV: node, workers of it, then for each want kind
   * (`r` rate, `s` slots), limit, need, like, soft (`1`). Answers `[1, amounts…, left…]`; `[0, index from 1, remaining, ms until
   * there may be some, or -1]`; `[2]` to a node that it does not know: such a one has to tell what it holds before.
   */
  readonly borrow: Script;
  /**
   * Takes back. KEYS: nodes, then one for each return. ARGV: node, then for each kind, back, spent, age in ms of the second
   * that is corrected, or empty. Kind `u`: of a rate, used without asking, at that age.
   */
  readonly giveBack: Script;
  /**
   * A node lives, and holds so much. KEYS: nodes, then slots. ARGV: node, lease in ms, then for each key what it holds.
   * Answers how many nodes live.
   */
  readonly beat: Script;
  /** A node ends in order: what it holds is free at once. KEYS: nodes. ARGV: node. */
  readonly leave: Script;
}

/** As in the ledger's own window: a minute, and the seconds for which a loan may be used after it was made. */
const windowSeconds = 62;
const loanSeconds = 2;
const rateTtlMs = (windowSeconds + 2) * 1000;
/** Of what a node renews with every sign of life. */
const nodeTtlMs = 60_000;

/** The server's own time, so that nodes whose clocks differ count in the same seconds. */
const serverTime = `
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`;

const rates = `
local nowS = math.floor(nowMs / 1000)

-- What was lent of a rate in the last ${windowSeconds} seconds; what is older goes.
local function readRate(key)
  local fields = redis.call('HGETALL', key)
  local bySecond, used = {}, 0
  for i = 1, #fields, 2 do
    local second, units = tonumber(fields[i]), tonumber(fields[i + 1])
    if second > nowS - ${windowSeconds} and second < nowS + ${windowSeconds} then
      bySecond[second] = units
      used = used + units
    else
      redis.call('HDEL', key, fields[i])
    end
  end
  return used, bySecond
end

local function addRate(key, second, units)
  if units == 0 then return end
  redis.call('HINCRBY', key, string.format('%.0f', second), string.format('%.0f', units))
  redis.call('PEXPIRE', key, ${rateTtlMs})
end

-- Up to so many units less, from one second down to another.
local function lessRate(key, from, to, units)
  local _, bySecond = readRate(key)
  for second = from, to, -1 do
    if units <= 0 then return end
    local there = math.min(units, math.max(0, bySecond[second] or 0))
    addRate(key, second, -there)
    units = units - there
  end
end`;

const slots = `
local isAlive = {}

-- Of nodes that live; what others held is free.
local function readSlots(key)
  local fields = redis.call('HGETALL', key)
  local used = 0
  for i = 1, #fields, 2 do
    local node = fields[i]
    if isAlive[node] == nil then
      local untilMs = redis.call('ZSCORE', KEYS[1], node)
      isAlive[node] = untilMs ~= false and tonumber(untilMs) > nowMs
    end
    if isAlive[node] then
      used = used + tonumber(fields[i + 1])
    else
      redis.call('HDEL', key, node)
    end
  end
  return used
end

local function addSlots(key, node, units)
  if units == 0 then return end
  local now = redis.call('HINCRBY', key, node, string.format('%.0f', units))
  if now <= 0 then redis.call('HDEL', key, node) end
  redis.call('PEXPIRE', key, ${nodeTtlMs})
end`;

const borrow = `
local node = ARGV[1]
local untilMs = redis.call('ZSCORE', KEYS[1], node)
if untilMs == false or tonumber(untilMs) <= nowMs then return {2} end

local function msUntil(units, limit, used, bySecond)
  if units > limit then return -1 end
  local seconds = ${windowSeconds}
  for ago = ${windowSeconds - 1}, 0, -1 do
    if used + units <= limit then
      seconds = math.max(1, ${windowSeconds - 1} - ago)
      break
    end
    used = used - (bySecond[nowS - ago] or 0)
  end
  return seconds * 1000 - nowMs % 1000
end

local wants = {}
for i = 2, #KEYS do
  local at = 3 + (i - 2) * 5
  local want = { kind = ARGV[at], limit = tonumber(ARGV[at + 1]), need = tonumber(ARGV[at + 2]),
    like = tonumber(ARGV[at + 3]), soft = ARGV[at + 4] == '1' }
  local used, bySecond
  if want.kind == 'r' then used, bySecond = readRate(KEYS[i]) else used = readSlots(KEYS[i]) end
  want.free = want.limit - used
  if want.need > want.free and not want.soft then
    local ms = -1
    if want.kind == 'r' then ms = msUntil(want.need, want.limit, used, bySecond) end
    return {0, i - 1, math.max(0, want.free), ms}
  end
  wants[i - 1] = want
end

-- Nobody is lent so much ahead of need that others, on this node or another, find nothing.
local nodes = math.max(1, redis.call('ZCOUNT', KEYS[1], string.format('(%.0f', nowMs), '+inf'))
local parts = 2 * math.max(1, tonumber(ARGV[2])) * nodes
local answer, left = {1}, {}
for i, want in ipairs(wants) do
  local beyond = math.max(0, want.free - want.need)
  local extra = want.soft and want.like or math.min(want.like, math.floor(beyond / parts))
  if want.need > 0 then extra = math.floor(extra / want.need) * want.need end
  local amount = want.need + extra
  if want.kind == 'r' then addRate(KEYS[i + 1], nowS, amount) else addSlots(KEYS[i + 1], node, amount) end
  answer[#answer + 1] = amount
  left[i] = math.max(0, want.free - amount)
end
for _, each in ipairs(left) do answer[#answer + 1] = each end
return answer`;

const giveBack = `
local node = ARGV[1]
for i = 2, #KEYS do
  local at = 2 + (i - 2) * 4
  local kind, back, spent = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local second = nowS
  if ARGV[at + 3] ~= '' then second = math.min(nowS, math.floor((nowMs - tonumber(ARGV[at + 3])) / 1000)) end
  if kind == 's' then
    addSlots(KEYS[i], node, -back - spent)
  elseif kind == 'u' then
    if second > nowS - ${windowSeconds} then addRate(KEYS[i], second, spent) end
  else
    if back > 0 then lessRate(KEYS[i], nowS, nowS - ${windowSeconds - 1}, back) end
    if spent > 0 then addRate(KEYS[i], nowS, spent) end
    if spent < 0 then lessRate(KEYS[i], second, second - ${loanSeconds}, -spent) end
  end
end
return 1`;

const beat = `
local node = ARGV[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', nowMs))
redis.call('ZADD', KEYS[1], string.format('%.0f', nowMs + tonumber(ARGV[2])), node)
redis.call('PEXPIRE', KEYS[1], ${nodeTtlMs})
for i = 2, #KEYS do
  if tonumber(ARGV[i + 1]) > 0 then
    redis.call('HSET', KEYS[i], node, ARGV[i + 1])
    redis.call('PEXPIRE', KEYS[i], ${nodeTtlMs})
  else
    redis.call('HDEL', KEYS[i], node)
  end
end
return redis.call('ZCARD', KEYS[1])`;

const leave = `return redis.call('ZREM', KEYS[1], ARGV[1])`;

/** `time`: Lua that sets `nowMs`; other than the server's own only in tests. */
export function sharedScripts(time = serverTime): Scripts {
  return {
    borrow: script(time + rates + slots + borrow),
    giveBack: script(time + rates + slots + giveBack),
    beat: script(time + beat),
    leave: script(leave),
  };
}

function script(step: string): Script {
  const lua = `local function step()\n${step}\nend\nreturn {ARGV[#ARGV], step()}`;
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}
