-- Lists the names of a slice of the live jobs, without their payloads.
--
-- KEYS[1]  the hash of the jobs
-- ARGV[1]  the cursor: 0 to begin, then what the last call returned
-- ARGV[2]  about how many jobs to look at
--
-- Returns the next cursor (0 when all were seen) and the names. Each job that is there from the first call
-- to the last is listed at least once.
local slice = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local names = {}
for index = 1, #slice[2], 2 do
    names[#names + 1] = slice[2][index]
end
return { slice[1], names }
