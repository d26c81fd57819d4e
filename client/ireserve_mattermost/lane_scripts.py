"""The steps that lanes are written and worked off with: Lua, so that each is one step in Redis.

Their keys and arguments are the protocol of lanes (docs/lanes.md), its version is part of an
entry. The time is Redis' own: producers and workers on several machines need not agree on it.
"""

from __future__ import annotations

_NOW = """
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# A licence whose circuit is open, or whose server asked for a pause, is left alone.
_BLOCKED = """
local function blocked(circuits, circuit, licence_id)
  if redis.call('ZSCORE', circuits, licence_id) then return true end
  local until_s = redis.call('HGET', circuit, 'paused_until')
  return until_s and tonumber(until_s) * 1000 > now_ms
end
"""

# KEYS: list, lanes of the licence, licences, wake-ups of the licence, counts, queue, limit,
# circuits, circuit, queued. ARGV: entry, lane, licence (quoted), licence, wake-up's id, wake-up,
# how many wake-ups a licence may have, how many messages, for how long one wake-up in the queue
# stands for all (ms).
# A lane that holds messages already is due, waits for its moment, or is being drained: its licence
# has been woken for it. So what one licence enqueues at once puts one wake-up into the queue, and
# none while its server is away. Each thread that takes a lane wakes another while more is due.
APPEND = (
    _NOW
    + _BLOCKED
    + """
local waiting = tonumber(redis.call('HGET', KEYS[5], ARGV[3]) or '0')
local limit = tonumber(redis.call('GET', KEYS[7]) or '') or tonumber(ARGV[8])
if waiting >= limit then return -1 end
redis.call('HINCRBY', KEYS[5], ARGV[3], 1)
local entry = string.format('%d', now_ms) .. ':' .. ARGV[1]
local length = redis.call('RPUSH', KEYS[1], entry)
if length > 1 and redis.call('ZSCORE', KEYS[2], ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[2], now_ms, ARGV[2])
redis.call('SADD', KEYS[3], ARGV[3])
if ARGV[6] == '' or blocked(KEYS[8], KEYS[9], ARGV[4]) then return 0 end
if redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[7]) then return 0 end
if not redis.call('SET', KEYS[10], ARGV[5], 'NX', 'PX', ARGV[9]) then return 0 end
redis.call('ZADD', KEYS[4], now_ms, ARGV[5])
redis.call('LPUSH', KEYS[6], ARGV[6])
return 1
"""
)

# KEYS: lanes of the licence, licences, wake-ups of the licence, circuits, circuit, queued.
# ARGV: lock's token, lock's term, how many heads, prefix, licence (quoted), licence, wake-up's id,
# how long a message may wait (ms), longest planned pause (ms), how many lanes to look at, how many
# wake-ups a licence may have.
# The lane that has been due for longest, with a lock: its name, its first entries, and whether
# another wake-up is called for, since more is due and none is in the queue. Of a licence that is
# left alone only what has waited for too long. A moment further ahead than any planned pause was
# set by a clock that has been put back since. Nothing is due: the wake-up is over, in the same
# step, so that a message that comes now publishes another.
TAKE = (
    _NOW
    + _BLOCKED
    + """
if redis.call('GET', KEYS[6]) == ARGV[7] then redis.call('DEL', KEYS[6]) end
local until_ms = now_ms
if blocked(KEYS[4], KEYS[5], ARGV[6]) then until_ms = now_ms - tonumber(ARGV[8]) end
local names = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', until_ms, 'LIMIT', 0, ARGV[10])
if #names == 0 then
  local ahead_ms = now_ms + tonumber(ARGV[9])
  names = redis.call('ZRANGEBYSCORE', KEYS[1], ahead_ms, '+inf', 'LIMIT', 0, ARGV[10])
end
for _, name in ipairs(names) do
  local list, lock = ARGV[4] .. 'lane:' .. name, ARGV[4] .. 'lock:' .. name
  if redis.call('EXISTS', list) == 0 then
    redis.call('ZREM', KEYS[1], name)
  elseif redis.call('SET', lock, ARGV[1], 'NX', 'PX', ARGV[2]) then
    redis.call('ZADD', KEYS[1], now_ms + ARGV[2], name)
    redis.call('ZADD', KEYS[3], 'XX', now_ms, ARGV[7])
    local more = redis.call('ZCARD', KEYS[3]) < tonumber(ARGV[11])
      and redis.call('ZCOUNT', KEYS[1], '-inf', until_ms) > 0
      and redis.call('EXISTS', KEYS[6]) == 0
    return {name, redis.call('LRANGE', list, 0, ARGV[3] - 1), more and 1 or 0}
  else
    redis.call('ZADD', KEYS[1], now_ms + 1000, name)
  end
end
redis.call('ZREM', KEYS[3], ARGV[7])
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('SREM', KEYS[2], ARGV[5])
  redis.call('DEL', KEYS[3])
end
return false
"""
)

# KEYS: list, lock, lanes of the licence, wake-ups of the licence, counts, tallies, last sent.
# ARGV: lock's token, lock's term, how many heads, lane, licence (quoted), wake-up's id, first entry
# that is done, how many are, 1 if one of them was sent, then pairs of a tally's field and what it
# grows by.
# What was handled, unless the lane is another worker's by now. Finding the lane empty and letting
# it go is one step, and so are removing and counting: no message is counted twice.
ADVANCE = (
    _NOW
    + """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
if redis.call('LINDEX', KEYS[1], 0) == ARGV[7] then
  redis.call('LTRIM', KEYS[1], ARGV[8], -1)
  if redis.call('HINCRBY', KEYS[5], ARGV[5], -ARGV[8]) <= 0 then
    redis.call('HDEL', KEYS[5], ARGV[5])
  end
  if ARGV[9] == '1' then redis.call('HSET', KEYS[7], ARGV[5], now_ms) end
  for i = 10, #ARGV, 2 do redis.call('HINCRBY', KEYS[6], ARGV[i], ARGV[i + 1]) end
end
local heads = redis.call('LRANGE', KEYS[1], 0, ARGV[3] - 1)
if #heads == 0 then
  redis.call('ZREM', KEYS[3], ARGV[4])
  redis.call('DEL', KEYS[2])
else
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  redis.call('ZADD', KEYS[3], 'XX', now_ms + ARGV[2], ARGV[4])
end
redis.call('ZADD', KEYS[4], 'XX', now_ms, ARGV[6])
return heads
"""
)

# KEYS: list, lock, lanes of the licence, circuits, circuit. ARGV: lock's token, lane, licence,
# seconds that the lane is to be left alone, 1 if it is for its own sake.
# A lane that is not empty is left to others. Of a licence that is left alone it keeps its place,
# the time of its first message: it is due as soon as the licence is. The licence may be back since
# the worker looked: then the lane waits a second at most, and not for the end of what is over.
RELEASE = (
    _NOW
    + _BLOCKED
    + """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
local pause_ms = math.floor(tonumber(ARGV[4]) * 1000)
local due_ms = now_ms + pause_ms
if ARGV[5] == '0' then
  due_ms = now_ms + math.min(pause_ms, 1000)
  if blocked(KEYS[4], KEYS[5], ARGV[3]) then
    local head = redis.call('LINDEX', KEYS[1], 0)
    due_ms = head and tonumber(string.match(head, '^(%d+):')) or now_ms
  end
end
redis.call('ZADD', KEYS[3], 'XX', due_ms, ARGV[2])
return 1
"""
)

# KEYS: lanes of the licence, licences, wake-ups of the licence, queue, circuits, circuit,
# queued. ARGV: licence (quoted), licence, how many wake-ups it may have, after what time one counts
# as lost (ms), how long a lane must have been due (ms), how long a message may wait (ms), longest
# planned pause (ms), wake-up's id, wake-up, for how long one in the queue stands for all (ms). Of a
# licence whose wake-ups are all silent for that long one more is published each time: workers that
# were killed may have had them.
REVIVE = (
    _NOW
    + _BLOCKED
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('SREM', KEYS[2], ARGV[1])
  redis.call('DEL', KEYS[3])
  return 0
end
local lost_ms = tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now_ms - lost_ms)
redis.call('ZREMRANGEBYSCORE', KEYS[3], now_ms + lost_ms, '+inf')
local since_ms = now_ms - tonumber(ARGV[5])
if blocked(KEYS[5], KEYS[6], ARGV[2]) then since_ms = now_ms - tonumber(ARGV[6]) end
local due = redis.call('ZCOUNT', KEYS[1], '-inf', since_ms)
  + redis.call('ZCOUNT', KEYS[1], now_ms + tonumber(ARGV[7]), '+inf')
local free = tonumber(ARGV[3]) - redis.call('ZCARD', KEYS[3])
local newest = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')
if free <= 0 and tonumber(newest[2]) <= now_ms - tonumber(ARGV[5]) then free = 1 end
if due <= 0 or free <= 0 then return 0 end
if not redis.call('SET', KEYS[7], ARGV[8], 'NX', 'PX', ARGV[10]) then return 0 end
redis.call('ZADD', KEYS[3], now_ms, ARGV[8])
redis.call('LPUSH', KEYS[4], ARGV[9])
return 1
"""
)

# KEYS: lanes of the licence, wake-ups of the licence, circuits, circuit, queued. ARGV: licence,
# wake-up's id. A wake-up that is not served: whether it was the last one and something is due all
# the same. It counts as spent for as long as one may be silent, or until nothing waits: a licence
# that has its share of the threads is not woken again and again for nothing.
GIVE_BACK = (
    _NOW
    + _BLOCKED
    + """
redis.call('ZREM', KEYS[2], ARGV[2])
if redis.call('GET', KEYS[5]) == ARGV[2] then redis.call('DEL', KEYS[5]) end
local is_last = true
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if string.sub(id, 1, 6) ~= 'spent:' then is_last = false end
end
local is_due = redis.call('ZCOUNT', KEYS[1], '-inf', now_ms) > 0
if is_last and is_due and not blocked(KEYS[3], KEYS[4], ARGV[1]) then
  redis.call('ZADD', KEYS[2], now_ms, ARGV[2])
  return 1
end
if is_due then redis.call('ZADD', KEYS[2], now_ms, 'spent:' .. ARGV[2]) end
return 0
"""
)

# KEYS: list, counts. ARGV: entry, licence (quoted). Only the entry that was handled: a holder
# that lost the lock must not remove another's head.
REMOVE_HEAD = """
if redis.call('LINDEX', KEYS[1], 0) == ARGV[1] then
  redis.call('LPOP', KEYS[1])
  if redis.call('HINCRBY', KEYS[2], ARGV[2], -1) <= 0 then redis.call('HDEL', KEYS[2], ARGV[2]) end
end
return redis.call('LINDEX', KEYS[1], 0)
"""

# KEYS: list, lanes of the licence. ARGV: lane.
UNMARK_IF_EMPTY = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""
