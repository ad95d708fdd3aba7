"""The language of haproxy.cfg: text in, `Config` and `Diagnostic`s out.

A library in its own right: no sockets, no event loop, nothing from `hapy`. It reads files and environment variables
only where a caller hands them in or a configuration names them.

    import hapy_config

    result = hapy_config.read_config(["haproxy.cfg"])
    for finding in result.diagnostics:
        print(finding.span, finding.message)
"""

from __future__ import annotations

from hapy_config.api import Result, read_config, read_text
from hapy_config.diagnostics import Diagnostic, Diagnostics, Fix, Severity
from hapy_config.model.config import Config
from hapy_config.source import Span

__all__ = [
    "Config",
    "Diagnostic",
    "Diagnostics",
    "Fix",
    "Result",
    "Severity",
    "Span",
    "read_config",
    "read_text",
]
