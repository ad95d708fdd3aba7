"""What ties a client to a server: cookies (`cookie`, `dynamic-cookie-key`), RDP cookies, and the rules about them.

Compiled for each pair of frontend and backend when it is first used; a backend without any of it gets nothing. What a
request is tied to lies in its transaction (`txn.tie`).
"""
