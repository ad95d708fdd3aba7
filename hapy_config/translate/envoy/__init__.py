"""haproxy.cfg to Envoy's v3 configuration (YAML): frontends are listeners, rules are routes, servers clusters.

The first route that fits is taken, as HAProxy's rules are. Rules that change a request on a condition become routes
of their own, one for each way through them. Where a frontend has rules that routes can't say, all of them become one
Lua script in front of its routes (`script`).
"""

from hapy_config.translate.envoy.translate import to_envoy

__all__ = ["to_envoy"]
