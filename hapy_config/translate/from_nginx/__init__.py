"""nginx.conf to haproxy.cfg: `http` and `stream` servers that pass requests on, redirect or answer.

What nginx does itself (files, FastCGI, caches) and what HAProxy has no word for is listed with its line.
"""

from hapy_config.translate.from_nginx.translate import from_nginx

__all__ = ["from_nginx"]
