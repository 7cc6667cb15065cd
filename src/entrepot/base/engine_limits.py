"""The limits of the engines and their drivers, each with its unit in the name; what users meet is in ``limits``."""

# Search indexes. One that is being made lies aside for milliseconds; one that lies there longer was left by a crash.
SEARCH_ASIDE_SECONDS_MAX = 60.0
# Elasticsearch: one answer, one bulk request, tries of what it had no room for, and how long it may remember a deletion.
SEARCH_SECONDS_MAX = 10.0
SEARCH_WRITE_SECONDS_MAX = 30.0
SEARCH_BULK_BYTES_MAX = 8 << 20
# So many documents are one request, and so many requests are made or written at once.
SEARCH_PART_ITEMS = 250
SEARCH_PARTS_MAX = 3
SEARCH_TRIES_MAX = 5
SEARCH_FORGET_SECONDS_MAX = 5.0
# A key of a map of numbers is a field of its own, and each field costs every server of the cluster memory.
SEARCH_FIELDS_MAX = 10_000
# So many words as they are split, and numbers as they are read, are kept: the same come again within one question.
SEARCH_KEPT_MAX = 20_000
# How long it is remembered in how many items of an index a value occurs, with which facets are compared.
SEARCH_COMPARED_SECONDS = 30.0
# Of the values nearest to a word, and of those in a facet's parts, this many are looked at.
SEARCH_VALUES_MAX = 1_000

# Columns: the embedded ClickHouse, and batches to any
COLUMNS_STATEMENTS_MAX = 4
COLUMNS_MEMORY_BYTES_MAX = 2 << 30
COLUMNS_CACHE_BYTES_MAX = 32 << 20
COLUMNS_BODY_BYTES_MAX = 1 << 30
COLUMNS_QUERY_BYTES_MAX = 16 << 20
COLUMNS_INSERT_ROWS_MAX = 100_000
COLUMNS_LOOKUP_IDS_MAX = 5_000
COLUMNS_LOOKUP_IDS_MIN = 500
COLUMNS_SECONDS_MAX = 30.0
# How long it is kept what shoppers looked at, unless the settings say otherwise.
BEHAVIOUR_DAYS = 395

# Neo4j: the items of one transaction, and how long to rest after one of several, as a share of what that took.
GRAPH_ROWS_MAX = 250
GRAPH_REST_SHARE = 0.2

# The stream as projectors read it: what a consumer fetches ahead, holds of a partition that is ahead of others, and hands over
# at once; the events that wait for readers, how many of the log's parts are followed at once, and when to look again whether
# one can be.
STREAM_FETCHED_KILOBYTES_MAX = 16 << 10
STREAM_HELD_MAX = 1_000
STREAM_TAKEN_MAX = 5_000
STREAM_AHEAD_EVENTS_MAX = 10_000
STREAM_CURSORS_MAX = 4
STREAM_AGAIN_SECONDS = 2.0
STREAM_IDLE_SECONDS = 5.0

# A replica of the record: how often it is looked at, how old what it shows may be, and how many moments are remembered.
REPLICA_LOOK_SECONDS = 0.25
REPLICA_AGE_SECONDS_MAX = 3.0
REPLICA_ENDS_MAX = 600

# Local engines
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 15.0
RESTART_BACKOFF_SECONDS_MIN = 0.1
RESTART_BACKOFF_SECONDS_MAX = 10.0
RESTART_FORGOTTEN_SECONDS = 60.0
WATCH_SECONDS = 0.2
PING_SECONDS_MAX = 3.0
LOG_BYTES_MAX = 64 << 20

# Who fills a generation beside one that is read gives way between batches: until that answers within so many times its
# quickest and so much more, and for so long at most.
GIVE_WAY_TIMES = 3.0
GIVE_WAY_SECONDS = 0.01
GIVE_WAY_SECONDS_MAX = 1.0

# A move: how long to wait for a moment when the new engine lacks nothing, and how often to look.
MOVE_SWITCH_SECONDS = 60.0
MOVE_TRY_SECONDS = 0.02
# Series on the move: how often a process looks where they are, when all must know it, and how long a point is under way.
SERIES_LOOK_SECONDS = 2.0
SERIES_KNOWN_SECONDS = 6.0
SERIES_IN_MOTION_SECONDS = 10.0

# What a request may wait for an engine, in all, unless the settings say otherwise; and how its parts share that: how long a
# call waits until it is doubted that the engine answers at all, how long that takes to find out, what a call may take that a
# request needs, and one that it does as well without. Asked again so long after no answer.
ENGINE_SECONDS_MAX = 1.0
DOUBT_SHARE = 0.4
PROBE_SHARE = 0.3
NEEDED_SHARE = 0.8
BESIDE_SHARE = 0.2
PROBE_REST_SECONDS = 0.25
# When an engine is back, so many questions at once have to be answered before all are let in.
RETURN_ROOM_MAX = 32
# While a role has two engines that are fed, after a move: how long the new one is left alone when it has not answered in time.
KEPT_REST_SECONDS = 1.0
# How many questions at once it is given (engines/intake.py): an answer that takes longer than this share of what raises
# a doubt is slow; how often it is looked, by what its places grow then, and how long they must be enough until all are let in.
INTAKE_SLOW_SHARE = 0.5
INTAKE_LOOK_SECONDS = 1.0
INTAKE_GROWTH = 1.25
INTAKE_ENOUGH_SECONDS = 3.0
# A move is not finished while the old engine has answered within so long in the place of the new one, unless that is overruled;
# how often a process tells of it.
MOVE_CALM_SECONDS = 60.0
MOVE_TELL_SECONDS = 1.0
# The record syncs to disk and may answer late: it is asked for so many times as long; who needs it is told in time still.
RECORD_PROBE_TIMES = 1.7

assert DOUBT_SHARE + PROBE_SHARE < NEEDED_SHARE
assert DOUBT_SHARE + PROBE_SHARE * RECORD_PROBE_TIMES < 1.0 - PROBE_SHARE / 4
assert NEEDED_SHARE + BESIDE_SHARE <= 1.0
