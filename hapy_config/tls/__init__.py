"""The TLS files that a configuration names, and what the TLS library of this machine says of TLS words.

Certificates with all that lies beside them, crt-lists, authorities; lists of ciphers and groups; protocol versions.
Files are read and judged here once; what is found sound stands in the model. A configuration without TLS imports
nothing of this.
"""
