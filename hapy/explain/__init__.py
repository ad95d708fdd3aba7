"""What a configuration does, said in words: as a whole (`story`), and for one request (`walk`).

Nothing here opens a socket. A walk runs the very rules, conditions and balancers that the proxy runs, built by the same
`hapy.proxy.runtime`; only certificates are left out, which a request's way does not depend on.
"""
