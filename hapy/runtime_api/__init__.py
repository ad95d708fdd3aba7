"""The Runtime API (management manual, 9.3): commands typed on a stats socket, and their answers.

`session` is a connection, `registry` knows the commands, each module in `commands` holds a family of them. Commands
change things only through the methods of the running objects (`Server.set_weight`, `Frontend.stop` …). Nothing here is
imported unless the configuration has a `stats socket`.
"""
