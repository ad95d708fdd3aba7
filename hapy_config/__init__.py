"""The language of haproxy.cfg: text in, `Config` and `Diagnostic`s out.

A library in its own right: no sockets, no event loop, nothing from `hapy`. It reads files and environment variables
only where a caller hands them in.
"""
