"""`option http-restrict-req-hdr-names`: header names with other signs than letters, digits and `-` (manual, 4.2).

In HAProxy each section does it behind its own `http-request` rules, so that a frontend's rules see such headers. Caddy
does it in the same place, for each section; nginx and Envoy in front of all rules, for a whole frontend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hapy_config.model.proxy import Proxy
from hapy_config.translate.ledger import Ledger

_OPTION: Final = ("option", "http-restrict-req-hdr-names")
#: What names may hold besides (RFC 9110, 5.6.2).
ODD_SIGNS: Final = "!#$%&'*+.^_`|~"


def policy(proxy: Proxy) -> str:
    """`preserve`, `delete` or `reject`."""
    said = [words[2] for words in proxy.settings if words[:2] == _OPTION and len(words) > 2]
    return said[-1] if said else "preserve"


def tell(ledger: Ledger, proxy: Proxy, text: str, *, lost: bool = False) -> None:
    """Say something of the line that gives a proxy its policy."""
    span = ledger.line(proxy, *_OPTION)
    (ledger.lost if lost else ledger.near)(span, f"'{proxy.name}': {text}")


def whole_policy(ledger: Ledger, proxy: Proxy, backends: Sequence[Proxy]) -> str:
    """The policy for all requests of a frontend, where the other proxy looks at names before anything else.

    Args:
        ledger: is told what differs.
        proxy: the frontend.
        backends: where it leads; itself among them where it is a `listen`.
    """
    own = policy(proxy)
    others = [one for one in backends if one is not proxy]
    policies = {policy(one) for one in others}
    if own == "preserve" and others and "preserve" not in policies:
        own = "delete" if "delete" in policies else "reject"
        tell(ledger, others[0], "such headers are gone before the frontend's rules look at them")
    elif own != "preserve":
        tell(ledger, proxy, "such headers are looked at before the rules, not behind them")
    for one in others:
        wanted = policy(one)
        if wanted != "preserve" and own == "preserve":
            tell(ledger, one, f"{ledger.target} looks at names before a backend is chosen: they go on", lost=True)
        elif wanted == "reject" and own == "delete":
            tell(ledger, one, "requests with such headers are not refused: the headers are removed", lost=True)
    return own
