"""Health checks and agents: what is asked of servers, when, and what the answers mean (configuration manual, 4.2, 5.2).

`engine` makes and schedules them, a `Check` is one server's, `plan` has the steps of one backend's checks compiled.
Servers learn of results through their own methods (`hapy.proxy.server`) alone. Nothing here is imported by a
configuration that checks nothing.
"""
