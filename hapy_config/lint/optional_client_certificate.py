"""Client certificates that are asked for and not looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each frontend with optional client certificates that none of its rules looks at."""
    for proxy in view.frontends:
        for bind in proxy.binds:
            if bind.tls is None or bind.tls.get("verify", ())[:1] != ("optional",):
                continue
            backends = [view.config.backend(rule.target) for rule in proxy.use_backends if isinstance(rule.target, str)]
            backends.append(view.config.backend(proxy.default_backend or ""))
            members = [proxy, *(one for one in backends if one is not None)]
            if any(use.fetch.startswith(("ssl_c_", "ssl_fc_has_crt")) for one in members for use in view.uses(one)):
                continue
            yield Finding(
                bind.span,
                "client certificates are asked for and not required, and no rule looks whether one came",
                "write 'verify required', or 'http-request deny unless { ssl_c_used } { ssl_c_verify 0 }'",
            )


RULE = Rule(
    "optional-client-certificate",
    Severity.WARNING,
    """`verify optional` lets clients without a certificate in; to tell them apart is up to the rules, with
    `ssl_c_used` and `ssl_c_verify`. None does here, so the certificates protect nothing.""",
    "frontend f\n bind :443 ssl crt /x.pem ca-file /ca.pem verify optional\n",
    "frontend f\n bind :443 ssl crt /x.pem ca-file /ca.pem verify optional\n http-request deny unless { ssl_c_used }\n",
    check,
)
