"""Configurations into other languages: newer HAProxy versions (`upgrade`), and other proxies, one module each.

Text or model in, text out, with a list of what did not go over (`report`): nothing is dropped in silence. No network,
no files but those that are given.
"""
