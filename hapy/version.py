"""The one place where hapy's version, and the HAProxy version it stands in for, are written."""

__version__ = "0.1.0"

#: The HAProxy release whose behaviour and command line hapy reproduces.
HAPROXY_VERSION = "2.6.12"
