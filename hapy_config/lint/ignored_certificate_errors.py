"""Client certificates with any fault are good enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each bind line that ignores all errors and whose proxy does not look for them."""
    for proxy in view.frontends:
        for bind in proxy.binds:
            for option in ("ca-ignore-err", "crt-ignore-err"):
                values = (bind.tls or {}).get(option) or bind.options.get(option) or ()
                if values[:1] != ("all",):
                    continue
                if not any(use.fetch in ("ssl_c_verify", "ssl_c_err", "ssl_c_ca_err") for use in view.uses(proxy)):
                    yield Finding(
                        bind.span,
                        f"'{option} all' lets in certificates that anybody made, and no rule asks for 'ssl_c_verify'",
                        "name the errors that are to be ignored, or add a rule on ssl_c_verify",
                    )


RULE = Rule(
    "ignored-certificate-errors",
    Severity.WARNING,
    """`ca-ignore-err all` and `crt-ignore-err all` let clients in whose certificate is out of date or made by nobody
    that is trusted. A rule has to look at `ssl_c_verify` then, and none does.""",
    "frontend f\n bind :443 ssl crt /x.pem ca-file /ca.pem verify required ca-ignore-err all\n",
    "frontend f\n bind :443 ssl crt /x.pem ca-file /ca.pem verify required ca-ignore-err all\n"
    " http-request deny unless { ssl_c_verify 0 10 }\n",
    check,
)
