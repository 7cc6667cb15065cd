"""Values without I/O: ids, money, time, limits, the event envelope, errors, and the contracts every room is built on."""
