"""Lua scripts that append to lanes and drain them; Redis runs each script as one atomic step.

The keys and arguments of the scripts are the protocol of lanes (docs/lanes.md). Each entry holds
the protocol's version. All times are Redis' own, so that the clocks of several machines may differ.
"""

from __future__ import annotations

_NOW = """
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# A licence is blocked while its circuit is open, or while its server has asked for a pause.
_BLOCKED = """
local function blocked(circuits, circuit, licence_id)
  if redis.call('ZSCORE', circuits, licence_id) then return true end
  local until_s = redis.call('HGET', circuit, 'paused_until')
  return until_s and tonumber(until_s) * 1000 > now_ms
end
"""

# KEYS: list, lanes of the licence, licences, wake-ups of the licence, counts, queue, limit,
# circuits, circuit, queued. ARGV: entry, lane, licence (quoted), licence, wake-up's id, wake-up,
# how many wake-ups and how many messages a licence may have, and for how long a wake-up in the
# queue keeps others of its licence out (ms).
# Append an entry to its lane. Return 1 if the wake-up was published, 0 if not, and -1 if too many
# messages wait for the licence.
# A lane that already holds messages needs no wake-up: it is due, or planned, or being drained.
# Therefore a burst of one licence's messages puts one wake-up into the queue, and none if the
# licence is blocked.
# A thread that takes a lane publishes another wake-up while more lanes are due.
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
# ARGV: lock's token, lock's term (ms), how many entries to return, prefix, licence (quoted),
# licence, wake-up's id, how long a message may wait (ms), longest planned pause (ms), how many
# lanes to look at, how many wake-ups a licence may have.
# Lock the lane that has been due for longest. Return its name, its first entries, and 1 if another
# wake-up is needed: more lanes are due, and no wake-up is in the queue. Also return the circuit, so
# that a worker need not ask for it: the numbers in its hash, and its time among open circuits.
# Of a blocked licence only lanes that have waited for too long are taken. A lane that is planned
# for later than the longest pause is taken too: Redis' clock has been put back since.
# If nothing is due, the wake-up ends in the same step, so that the next message publishes another.
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
    local circuit = redis.call('HMGET', KEYS[5], 'failures', 'paused_until')
    local open = redis.call('ZSCORE', KEYS[4], ARGV[6])
    return {name, redis.call('LRANGE', list, 0, ARGV[3] - 1), more and 1 or 0, circuit, open}
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
# ARGV: lock's token, lock's term (ms), how many entries to return, lane, licence (quoted),
# wake-up's id, first finished entry, how many entries are finished, 1 if one of them was sent, then
# pairs of a tally's field and the number to add to it.
# Remove the finished entries, and return the entries that are first now. Return false if another
# worker holds the lane by now. If the lane is empty, unlock it.
# Removing and counting are one step, so that no message is counted twice.
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
# how many seconds the lane has to wait, 1 if it has to wait even if its licence is not blocked.
# Unlock a lane that is not empty. If the licence is blocked, the lane is due from the time of its
# first message, so that it is drained as soon as the licence is free.
# If the licence is no longer blocked, the lane waits for one second at most.
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
# queued. ARGV: licence (quoted), licence, how many wake-ups it may have, after what time a wake-up
# counts as lost (ms), how long a lane must have been due (ms), how long a message may wait (ms),
# longest planned pause (ms), wake-up's id, wake-up, for how long a wake-up in the queue keeps
# others of its licence out (ms).
# Publish a wake-up if a lane is overdue; return 1 if it was published.
# A licence with the full number of wake-ups gets another if none of them has shown activity for as
# long as a lane must have been due: workers that were killed may have held them.
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
# wake-up's id.
# End a wake-up that a worker does not serve. Return 1, and keep the wake-up, if it is the licence's
# last, a lane is due and the licence is not blocked: the worker must serve it.
# Otherwise, while a lane is due, the wake-up is kept as spent until it counts as lost.
# Spent wake-ups count too, so that a licence that has its share of the threads is not woken again
# and again.
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

# KEYS: list, counts. ARGV: entry, licence (quoted).
# Remove the lane's first entry if it is this entry, and return the entry that is first now. A
# worker that lost the lock must not remove an entry that another worker handles.
REMOVE_HEAD = """
if redis.call('LINDEX', KEYS[1], 0) == ARGV[1] then
  redis.call('LPOP', KEYS[1])
  if redis.call('HINCRBY', KEYS[2], ARGV[2], -1) <= 0 then redis.call('HDEL', KEYS[2], ARGV[2]) end
end
return redis.call('LINDEX', KEYS[1], 0)
"""

# KEYS: list, lanes of the licence. ARGV: lane.
# Remove an empty lane from the lanes of its licence; return 1 if it was empty.
UNMARK_IF_EMPTY = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""
