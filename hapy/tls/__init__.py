"""TLS without sockets: certificates, contexts, which certificate a client gets, what is known of a session.

Reading and judging what the configuration says happens at start; per connection only `choose` and the handshake. The
bytes themselves are moved in `hapy.net.tls` and its two sides. A configuration without `ssl` imports nothing of this.
"""
