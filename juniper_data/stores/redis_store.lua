-- What the Redis store does in the server, each call as a whole: others see what is before it or what is after it.
-- ARGV: what all keys begin with, the operation, its arguments. Redis stores beside it, which of these a dataset has:
--
--   record:ID      hash      what changes, and what removing it takes: this stays until it is removed here
--   tags-of:ID     list      its tags in their order
--   names-of:ID    set       the names that it has or had
--   meta:ID        hash      meta and profile as JSON, which never change
--   artifact:PLACE hash      its bytes in pieces; PLACE is of this one put. Redis removes these two by itself
--
-- and how they are found: `ids` in alphabetical order; `created`, `samples`, `version`, `expires` and `lapses` (when Redis
-- removes what it removes) by that number; sets like generator:G, tag:T and parent:ID, with a count of each in `generator`,
-- `tag` and `parent`; `names` with each name's last version, versions:NAME; `totals`. Times are microseconds.
--
-- Deleting must work when the memory is full: there the first command that writes may not be one that takes memory.

local PREFIX = ARGV[1]
local ORDERS = {'ids', 'created', 'samples', 'version', 'expires', 'lapses'}
local FILTERS = {'generator', 'parent', 'name', 'version', 'created_after', 'created_before', 'min_samples', 'max_samples'}
local ONCE_MS = 600000
local BATCH = 1000

local function key(...)
    return PREFIX .. table.concat({...}, ':')
end

local function join(kind, word, id)
    if redis.call('SADD', key(kind, word), id) == 1 then
        redis.call('HINCRBY', key(kind), word, 1)
    end
end

local function leave(kind, word, id)
    if redis.call('SREM', key(kind, word), id) == 1 and redis.call('HINCRBY', key(kind), word, -1) == 0 then
        redis.call('HDEL', key(kind), word)
    end
end

local function exists(id)
    return redis.call('EXISTS', key('record', id)) == 1
end

local function remove(id)
    local of = redis.call('HMGET', key('record', id), 'place', 'generator', 'parent', 'bytes', 'samples')
    redis.call('UNLINK', key('artifact', of[1]), key('meta', id), key('record', id))
    for _, order in ipairs(ORDERS) do
        redis.call('ZREM', key(order), id)
    end
    leave('generator', of[2], id)
    leave('parent', of[3], id)
    for _, tag in ipairs(redis.call('LRANGE', key('tags-of', id), 0, -1)) do
        leave('tag', tag, id)
    end
    for _, name in ipairs(redis.call('SMEMBERS', key('names-of', id))) do
        redis.call('ZREM', key('versions', name), id)
    end
    redis.call('UNLINK', key('tags-of', id), key('names-of', id))
    redis.call('HINCRBY', key('totals'), 'bytes', 0 - of[4])
    redis.call('HINCRBY', key('totals'), 'samples', 0 - of[5])
end

-- No more of them than the others can wait for.
local function remove_some(order, until_us)
    local ids = redis.call('ZRANGE', key(order), '-inf', until_us, 'BYSCORE', 'LIMIT', 0, BATCH)
    for _, id in ipairs(ids) do
        remove(id)
    end
    return ids
end

local function now_us()
    local time = redis.call('TIME')
    return time[1] * 1000000 + time[2]
end

-- A dataset that Redis has let go of is gone as a whole, with its share of each figure.
-- False where there may be more: it is called again, since nobody may see those.
local function remove_lapsed()
    return #remove_some('lapses', now_us()) < BATCH
end

-- Meta, name, version, count of accesses, the last one, tags; and the profile.
local function listed(id)
    local row = redis.call('HMGET', key('record', id), 'name', 'version', 'accesses', 'accessed')
    local tags = redis.call('LRANGE', key('tags-of', id), 0, -1)
    return {id, redis.call('HGET', key('meta', id), 'meta'), row[1], row[2], row[3], row[4], tags}
end

local function told(id)
    local dataset = listed(id)
    table.insert(dataset, redis.call('HGET', key('meta', id), 'profile'))
    return dataset
end

-- In a list that asks for a name, datasets say that one.
local function named(dataset, name)
    if name then
        dataset[3], dataset[4] = name, redis.call('ZSCORE', key('versions', name), dataset[1])
    end
    return dataset
end

local function count_name(name, last)
    if tonumber(redis.call('HGET', key('names'), name) or 0) < last then
        redis.call('HSET', key('names'), name, last)
    end
end

-- False where another dataset has the version that is wanted.
local function add_name(id, name, wanted)
    local versions = key('versions', name)
    local version = redis.call('ZSCORE', versions, id)
    if not version then
        if wanted then
            if redis.call('ZCOUNT', versions, wanted, wanted) > 0 then
                return false
            end
            count_name(name, tonumber(wanted))
        end
        version = wanted or redis.call('HINCRBY', key('names'), name, 1)
        redis.call('ZADD', versions, version, id)
        redis.call('SADD', key('names-of', id), name)
    end
    redis.call('ZADD', key('version'), version, id)
    redis.call('HSET', key('record', id), 'name', name, 'version', version)
    return true
end

-- What has expired does not count.
local function over_quota(new)
    local expired = redis.call('ZRANGE', key('expires'), '-inf', new.created, 'BYSCORE')
    if new.max_datasets and redis.call('ZCARD', key('ids')) - #expired + 1 > tonumber(new.max_datasets) then
        return {'datasets'}
    end
    if new.max_bytes then
        local bytes = tonumber(redis.call('HGET', key('totals'), 'bytes') or 0)
        for _, id in ipairs(expired) do
            bytes = bytes - redis.call('HGET', key('record', id), 'bytes')
        end
        if bytes + new.bytes > tonumber(new.max_bytes) then
            return {'bytes', bytes}
        end
    end
end

local function add(new, meta, profile)
    local id, artifact = new.id, key('artifact', new.place)
    redis.call('HSET', key('meta', id), 'meta', meta, 'profile', profile)
    redis.call('HSET', key('record', id), 'place', new.place, 'pieces', new.pieces, 'checksum', new.checksum,
        'generator', new.generator, 'parent', new.parent or '', 'bytes', new.bytes, 'samples', new.samples,
        'accesses', new.accesses, 'accessed', new.accessed)
    redis.call('PERSIST', artifact)
    redis.call('ZADD', key('ids'), 0, id)
    redis.call('ZADD', key('created'), new.created, id)
    redis.call('ZADD', key('samples'), new.samples, id)
    if new.expires then
        local lapses = now_us() + new.lives
        redis.call('ZADD', key('expires'), new.expires, id)
        redis.call('ZADD', key('lapses'), lapses, id)
        -- A second later than here, where nobody misses it any more.
        for _, each in ipairs({artifact, key('meta', id)}) do
            redis.call('PEXPIREAT', each, math.floor(lapses / 1000) + 1000)
        end
    end
    join('generator', new.generator, id)
    if new.parent then
        join('parent', new.parent, id)
    end
    for _, tag in ipairs(new.tags) do
        redis.call('RPUSH', key('tags-of', id), tag)
        join('tag', tag, id)
    end
    redis.call('HINCRBY', key('totals'), 'bytes', new.bytes)
    redis.call('HINCRBY', key('totals'), 'samples', new.samples)
end

local function set_of(words)
    local set = {}
    for _, word in ipairs(words) do
        set[word] = true
    end
    return set
end

-- Where nothing is asked for but the newest, no more is looked at than is shown.
local function all(query)
    local rows, place, start = {}, 1, 0
    return function()
        if place > #rows then
            rows = redis.call('ZRANGE', key('created'), query.cursor_created or '+inf', '-inf', 'BYSCORE', 'REV',
                'LIMIT', start, BATCH, 'WITHSCORES')
            start, place = start + BATCH, 1
        end
        place = place + 2
        return rows[place - 2], tonumber(rows[place - 1])
    end
end

-- What is in all that a dataset must be in: ids, the newest one last, each followed by when it was made.
local function common(query)
    local keys = {key('created')}
    for _, kind in ipairs({'generator', 'parent'}) do
        if query[kind] then
            table.insert(keys, key(kind, query[kind]))
        end
    end
    if query.name then
        table.insert(keys, key('versions', query.name))
    end
    for _, tag in ipairs(query.all_tags) do
        table.insert(keys, key('tag', tag))
    end
    if #keys == 1 then
        local after, before = query.created_after or '-inf', query.created_before or '+inf'
        return redis.call('ZRANGE', keys[1], after, before, 'BYSCORE', 'WITHSCORES')
    end
    local weights = {1}
    for place = 2, #keys do
        weights[place] = 0
    end
    local command = {'ZINTER', #keys}
    for _, words in ipairs({keys, {'WEIGHTS'}, weights, {'WITHSCORES'}}) do
        for _, word in ipairs(words) do
            table.insert(command, word)
        end
    end
    return redis.call(unpack(command))
end

local function candidates(query)
    local rows = common(query)
    local place = #rows + 1
    return function()
        place = place - 2
        return rows[place], tonumber(rows[place + 1])
    end
end

local function is_plain(query)
    for _, filter in ipairs(FILTERS) do
        if query[filter] then
            return false
        end
    end
    return #query.all_tags + #query.any_tags == 0
end

local function fitting(query, expired)
    local needed = {}
    if #query.any_tags > 0 then
        local keys = {}
        for _, tag in ipairs(query.any_tags) do
            table.insert(keys, key('tag', tag))
        end
        table.insert(needed, set_of(redis.call('SUNION', unpack(keys))))
    end
    if query.min_samples or query.max_samples then
        local low, high = query.min_samples or '-inf', query.max_samples or '+inf'
        table.insert(needed, set_of(redis.call('ZRANGE', key('samples'), low, high, 'BYSCORE')))
    end
    if query.version then
        local versions = query.name and key('versions', query.name) or key('version')
        table.insert(needed, set_of(redis.call('ZRANGE', versions, query.version, query.version, 'BYSCORE')))
    end
    local after, before = tonumber(query.created_after or '-inf'), tonumber(query.created_before or 'inf')
    return function(id, created)
        if expired[id] or created <= after or created >= before then
            return false
        end
        for _, set in ipairs(needed) do
            if not set[id] then
                return false
            end
        end
        return true
    end
end

-- Lua's own comparison would follow the locale of the server.
local function comes_before(id, other)
    for place = 1, math.min(#id, #other) do
        if id:byte(place) ~= other:byte(place) then
            return id:byte(place) < other:byte(place)
        end
    end
    return #id < #other
end

local operations = {}

-- A piece of an artifact, all of which goes after so long, unless it becomes a dataset's.
function operations.write(place, number, piece, lives_ms)
    redis.call('HSET', key('artifact', place), number, piece)
    redis.call('PEXPIRE', key('artifact', place), lives_ms)
end

-- The answer begins with what became of it: there, created, lost (its bytes), or the quota that it would pass.
function operations.put(json, meta, profile)
    local new = cjson.decode(json)
    local record = key('record', new.id)
    if exists(new.id) then
        -- Its own place: this is asked again, since the answer was lost.
        local is_own = redis.call('HGET', record, 'place') == new.place
        local expires = redis.call('ZSCORE', key('expires'), new.id)
        if is_own or not expires or tonumber(expires) > tonumber(new.created) then
            if not is_own then
                redis.call('UNLINK', key('artifact', new.place))
            end
            if new.name then
                add_name(new.id, new.name)
            end
            return {is_own and 'created' or 'there', told(new.id)}
        end
    end
    if redis.call('HLEN', key('artifact', new.place)) ~= tonumber(new.pieces) then
        return {'lost'}
    end
    local refused = over_quota(new)
    if refused then
        redis.call('UNLINK', key('artifact', new.place))
        return refused
    end
    if exists(new.id) then
        remove(new.id)
    end
    add(new, meta, profile)
    if new.name then
        add_name(new.id, new.name)
    end
    return {'created', told(new.id)}
end

function operations.discard(id, place)
    if redis.call('HGET', key('record', id), 'place') ~= place then
        redis.call('UNLINK', key('artifact', place))
    end
end

function operations.meta(id)
    return exists(id) and told(id)
end

function operations.locate(id)
    return exists(id) and redis.call('HMGET', key('record', id), 'place', 'pieces', 'checksum')
end

function operations.record_accesses(token, json)
    if redis.call('EXISTS', key('once', token)) == 1 then
        return
    end
    for id, accesses in pairs(cjson.decode(json)) do
        if exists(id) then
            local count, at, record = accesses[1], accesses[2], key('record', id)
            redis.call('HINCRBY', record, 'accesses', count)
            local last = redis.call('HGET', record, 'accessed')
            if last == '' or tonumber(last) < at then
                redis.call('HSET', record, 'accessed', at)
            end
        end
    end
    redis.call('SET', key('once', token), '', 'PX', ONCE_MS)
end

function operations.ids(limit, offset)
    return redis.call('ZRANGEBYLEX', key('ids'), '-', '+', 'LIMIT', offset, limit)
end

-- The total, whether the page is the last, the datasets of the page.
function operations.find(json)
    local query = cjson.decode(json)
    local expired = query.at and redis.call('ZRANGE', key('expires'), '-inf', query.at, 'BYSCORE') or {}
    local fits, plain = fitting(query, set_of(expired)), is_plain(query)
    local cursor_created = tonumber(query.cursor_created or 'inf')
    local total, skipped, bytes, is_last, page = 0, 0, 0, 1, {}
    for id, created in plain and all(query) or candidates(query) do
        if plain and is_last == 0 then
            break
        end
        if fits(id, created) then
            total = total + 1
            if created < cursor_created or (created == cursor_created and comes_before(id, query.cursor_id)) then
                if skipped < query.offset then
                    skipped = skipped + 1
                elseif is_last == 1 then
                    local dataset = #page < query.limit and named(listed(id), query.name)
                    bytes = bytes + #(dataset and dataset[2] or '')
                    if not dataset or (#page > 0 and bytes > query.max_bytes) then
                        is_last = 0
                    else
                        table.insert(page, dataset)
                    end
                end
            end
        end
    end
    if plain then
        total = redis.call('ZCARD', key('ids')) - #expired
    end
    return {total, is_last, page}
end

function operations.stats(at)
    return {
        redis.call('ZCARD', key('ids')),
        redis.call('HMGET', key('totals'), 'samples', 'bytes'),
        redis.call('HGETALL', key('generator')),
        redis.call('HGETALL', key('tag')),
        redis.call('ZRANGE', key('created'), 0, 0, 'WITHSCORES')[2] or false,
        redis.call('ZRANGE', key('created'), -1, -1, 'WITHSCORES')[2] or false,
        redis.call('ZCOUNT', key('expires'), '-inf', at),
    }
end

function operations.add_version(id, name, wanted)
    if not exists(id) then
        return false
    end
    return add_name(id, name, wanted) and told(id) or {}
end

function operations.names()
    return redis.call('HGETALL', key('names'))
end

function operations.count_names(json)
    for name, last in pairs(cjson.decode(json)) do
        count_name(name, last)
    end
end

function operations.versions(name, first)
    local page = {}
    for _, id in ipairs(redis.call('ZRANGE', key('versions', name), first, -1)) do
        table.insert(page, named(listed(id), name))
    end
    return page
end

function operations.change_tags(id, json)
    if not exists(id) then
        return false
    end
    local change = cjson.decode(json)
    local order, removed = key('tags-of', id), set_of(change.remove)
    local before, tags, has = redis.call('LRANGE', order, 0, -1), {}, {}
    local function take(tag)
        if not has[tag] then
            has[tag] = true
            table.insert(tags, tag)
        end
    end
    for _, tag in ipairs(before) do
        if not removed[tag] then
            take(tag)
        end
    end
    for _, tag in ipairs(change.add) do
        take(tag)
    end
    if #tags > change.max_tags then
        return {}
    end
    redis.call('DEL', order)
    for _, tag in ipairs(before) do
        if not has[tag] then
            leave('tag', tag, id)
        end
    end
    for _, tag in ipairs(tags) do
        redis.call('RPUSH', order, tag)
        join('tag', tag, id)
    end
    return told(id)
end

function operations.delete(token, id)
    if redis.call('EXISTS', key('once', token)) == 1 then
        return 1
    end
    if not exists(id) then
        return 0
    end
    remove(id)
    redis.call('SET', key('once', token), '', 'PX', ONCE_MS)
    return 1
end

-- Some of them; none where there are no more.
function operations.delete_expired(at)
    return remove_some('expires', at)
end

function operations.claim_key(name, fingerprint, at, expires, lives_ms)
    local claimed = redis.call('HMGET', key('key', name), 'fingerprint', 'expires')
    -- It is free from then on, whatever the server's clock says, which removes it some time later.
    if claimed[2] and tonumber(claimed[2]) > tonumber(at) then
        return claimed[1]
    end
    redis.call('HSET', key('key', name), 'fingerprint', fingerprint, 'expires', expires)
    redis.call('PEXPIRE', key('key', name), lives_ms)
    return fingerprint
end

if not remove_lapsed() then
    return {'again'}
end
return operations[ARGV[2]](unpack(ARGV, 3))
