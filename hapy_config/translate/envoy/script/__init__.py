"""The rules of a frontend as one Lua script, for what Envoy's routes can't say.

The script runs a frontend's and a backend's rules in HAProxy's order and then names the backend in a header, which is
all that routes look at. Regular expressions become patterns of Lua (`patterns`), expressions and conditions its
expressions (`values`), rules its statements (`rules`); what helps them is written in `helpers`.

A rule that can't be written is told, and left out or refused for, as everywhere. A script that fails answers 500: no
rule that keeps clients out may be passed over.
"""

from hapy_config.translate.envoy.script.rules import ScriptedRoutes

__all__ = ["ScriptedRoutes"]
