"""The proof that hapy can stand in for haproxy: both run the same configuration, get the same requests, are compared.

Nothing outside is touched: listeners move to private ports, servers become stubs of our own, log lines come to us.
"""
