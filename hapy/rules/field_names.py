"""`option http-restrict-req-hdr-names`: header names with anything but letters, digits and `-` (manual, 4.2).

Looked at in HAProxy 2.6: each section does it on its own, behind its `http-request` rules (whatever ended them, `allow`
too) and in front of its `redirect` lines. So rules of the frontend see the names, those of the backend do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.rules.outcomes import Outcome, Reply
from hapy.rules.pages import error_pages

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.samples.environment import CompileEnv
    from hapy_config.model.proxy import Proxy

_OPTION: Final = ("option", "http-restrict-req-hdr-names")
_PLAIN: Final = re.compile(rb"[A-Za-z0-9-]*\Z")


def policy(model: Proxy) -> str:
    """`preserve`, `delete` or `reject`: what the last line of a section says; HAProxy preserves by default."""
    said = [words[2] for words in model.settings if words[:2] == _OPTION and len(words) > 2]
    return said[-1] if said else "preserve"


def field_names(model: Proxy, env: CompileEnv) -> Callable[[Transaction], Outcome | None] | None:
    """What a section does with a request because of its header names; None where it lets all pass."""
    wanted = policy(model)
    if wanted == "preserve":
        return None
    pages = error_pages(env)
    refusal = Reply("http-restrict-req-hdr-names", "deny", 403, "P", "R", lambda txn: pages.build(txn, 403))
    plain = _PLAIN.match

    def act(txn: Transaction) -> Outcome | None:
        request = txn.request
        if request is None or all(plain(name) for name, _ in request.headers):
            return None
        if wanted == "reject":
            return refusal
        request.headers = [field for field in request.headers if plain(field[0])]
        return None

    return act
