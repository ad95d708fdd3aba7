"""One sub-command, one module; imported only when it is the one asked for."""
