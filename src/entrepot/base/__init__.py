"""Values without I/O: ids, money, time, limits, events, errors, and the contracts every room is built on."""
