"""The path of a request and the path of a TCP stream, and the running counterparts of frontends, backends and servers.

Everything here is compiled from the model once, at start. Sockets come from `hapy.net`, wire formats from `hapy.http`.
"""
