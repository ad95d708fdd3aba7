"""Rules: one action, one small class or function; a rule list becomes a tuple of callables.

No socket and no event loop here: an action that must wait is an `async` step which awaits what the path of the request
has put into the transaction (`body_waiter`).
"""

from __future__ import annotations

from hapy.rules.compile import Ruleset, compile_ruleset, registered
from hapy.rules.content import ContentRules, compile_content
from hapy.rules.outcomes import ALLOW, CLOSE, INTERNAL_ERROR, REJECT, SILENT_DROP, Outcome, Reply, Tarpit
from hapy.rules.pages import ErrorPages, error_pages
from hapy.rules.redirects import compile_redirect

__all__ = [
    "ALLOW",
    "CLOSE",
    "INTERNAL_ERROR",
    "REJECT",
    "SILENT_DROP",
    "ContentRules",
    "ErrorPages",
    "Outcome",
    "Reply",
    "Ruleset",
    "Tarpit",
    "compile_content",
    "compile_redirect",
    "compile_ruleset",
    "error_pages",
    "registered",
]
