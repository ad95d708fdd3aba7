"""The sample fetches, one module per source of information. Importing the package registers all."""

from hapy.samples.fetches import addresses, bodies, constants, heads, internals, logins, proxies, targets, tls

__all__ = ["addresses", "bodies", "constants", "heads", "internals", "logins", "proxies", "targets", "tls"]
