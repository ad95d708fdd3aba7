"""haproxy.cfg to nginx.conf: `http` for proxies in HTTP mode, `stream` for those in TCP mode.

Rules keep their order: they become `if`, `set` and `rewrite` on the level of the server, which nginx runs one by one;
conditions become `map` and `geo`, which it works out when they are asked for. Text out, nothing is run.
"""

from hapy_config.translate.nginx.translate import to_nginx

__all__ = ["to_nginx"]
