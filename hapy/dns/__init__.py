"""Names that are looked up while hapy serves: `resolvers` sections, and the servers and rules that use them.

Messages are made and read by dnspython (`messages`); sockets, timers and policy are here. `nameserver` asks one name
server, `section` keeps the resolutions of one `resolvers` section, `servers` and `services` tell servers what A, AAAA
and SRV records say. Nothing of this is loaded by a configuration that uses no resolvers.
"""
