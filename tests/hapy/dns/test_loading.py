"""Configurations without resolvers pay nothing."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from hapy_config import read_text
from hapy.proxy.runtime import build
config = read_text('''
frontend fe
 mode http
 timeout client 1s
 bind 127.0.0.1:1
 default_backend be
resolvers unused
 nameserver n 127.0.0.1:53
backend be
 mode http
 timeout connect 1s
 timeout server 1s
 server s 192.0.2.1:80
''').config
runtime = build(config)
assert runtime.resolvers == {}
print(sorted(name for name in sys.modules if name == "dns" or name.startswith(("dns.", "hapy.dns"))))
"""


def test_dnspython_is_loaded_by_those_who_need_it() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
