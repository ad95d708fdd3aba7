"""Diffie-Hellman for TLS 1.2 and below: whose parameters a certificate is served with.

Rules (manual, `tune.ssl.default-dh-param` and `ssl-dh-param-file` in section 3, and HAProxy 2.6 on the wire): those in
the certificate's file, else those of `ssl-dh-param-file`, else, where a size is set, 4096 bits for keys that have as
many, else 2048. The TLS library takes none of 1024.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Final

from hapy.tls.openssl import Unavailable, use_parameters
from hapy.tls.settings import Surroundings
from hapy_config.model.certificates import CertificateFiles
from hapy_config.tls.pem import LEAST_DH, as_file

_LARGE: Final = 4096
#: Groups of RFC 7919, appendix A: ffdhe2048 and ffdhe4096.
_USUAL_GROUP: Final = b"""\
-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""
_LARGE_GROUP: Final = b"""\
-----BEGIN DH PARAMETERS-----
MIICCAKCAgEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEfz9zeNVs7ZRkDW7w09N75nAI4YbRvydbmyQd62R0mkff3
7lmMsPrBhtkcrv4TCYUTknC0EwyTvEN5RPT9RFLi103TZPLiHnH1S/9croKrnJ32
nuhtK8UiNjoNq8Uhl5sN6todv5pC1cRITgq80Gv6U93vPBsg7j/VnXwl5B0rZp4e
8W5vUsMWTfT7eTDp5OWIV7asfV9C1p9tGHdjzx1VA0AEh/VbpX4xzHpxNciG77Qx
iu1qHgEtnmgyqQdgCpGBMMRtx3j5ca0AOAkpmaMzy4t6Gh25PXFAADwqTs6p+Y0K
zAqCkc3OyX3Pjsm1Wn+IpGtNtahR9EGC4caKAH5eZV9q//////////8CAQI=
-----END DH PARAMETERS-----
"""


def set_parameters(context: ssl.SSLContext, files: CertificateFiles, key_bits: int, around: Surroundings) -> None:
    """Set what goes with a certificate, where anything does."""
    if files.dh and _load(context, files.dh):
        return
    if around.dh_shared:
        _load(context, around.dh_shared)
    elif around.dh_size > LEAST_DH:
        _load(context, _LARGE_GROUP if min(around.dh_size, key_bits) >= _LARGE else _USUAL_GROUP)


def _load(context: ssl.SSLContext, parameters: bytes) -> bool:
    """Whether the library takes them."""
    try:
        with as_file(parameters) as name:
            context.load_dh_params(name)
    except OSError as error:
        if isinstance(error, ssl.SSLError):
            return False
        with suppress(AttributeError, Unavailable):  # below `chroot` there may be no place for a file
            return use_parameters(context, parameters)
        return False
    return True
