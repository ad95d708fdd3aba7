"""One load-balancing algorithm, one file. No I/O: they order servers and pick one."""
