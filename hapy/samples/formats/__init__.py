"""Log formats compiled: a template per format and what fills its places, put together once at start.

A format is used in two ways. In rules it makes a part of an HTTP message: what has no value is empty, control
characters are percent-encoded. In logs what has no value is `-`, and +Q quotes.
"""

from __future__ import annotations

from hapy.samples.formats.render import Renderer, compile_format, compile_log_format

__all__ = ["Renderer", "compile_format", "compile_log_format"]
