"""haproxy.cfg to a Caddyfile: proxies in HTTP mode, one site per listening port, the rules in a `route` in their order.

Conditions become expressions. Caddy itself passes no plain TCP on: such proxies are listed as lost.
"""

from hapy_config.translate.caddy.translate import to_caddy

__all__ = ["to_caddy"]
