"""What the outside sees of the proxy: counters, log lines, what is captured for them. No decision is made here."""

from __future__ import annotations

from hapy.observe.log import Logger

__all__ = ["Logger"]
