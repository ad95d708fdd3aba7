"""What is told of TLS connections: their secrets, and why handshakes on either side came to nothing."""

from __future__ import annotations

import ssl

from compat.harness import Connection, World

TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3

#: What is told of a handshake that failed too, and of a connection's secrets.
_TOLD = (
    *("fc_err", "fc_err_str", "ssl_fc_err", "ssl_fc_err_str", "ssl_c_err", "ssl_c_ca_err", "ssl_c_verify"),
    *("ssl_c_used", "ssl_fc", "ssl_fc_is_resumed", "ssl_fc_sni", "ssl_fc_has_crt", "ssl_fc_protocol"),
    *("ssl_fc_cipher", "ssl_fc_alpn", "ssl_fc_npn", "ssl_fc_use_keysize", "ssl_f_serial,hex", "ssl_c_s_dn(CN)"),
    *("ssl_c_chain_der", "ssl_fc_client_random,hex,length", "ssl_fc_server_random,hex,length"),
    *("ssl_fc_session_key,hex,length", "ssl_fc_client_handshake_traffic_secret,length"),
    *("ssl_fc_server_handshake_traffic_secret,length", "ssl_fc_client_traffic_secret_0,length"),
    *("ssl_fc_server_traffic_secret_0,length", "ssl_fc_exporter_secret,length", "ssl_fc_early_exporter_secret"),
    "ssl_fc_client_early_traffic_secret",
)


def _told(world: World, options: str, *clients: dict[str, object]) -> None:
    world.certificate("a.pem", "a.test")
    world.certificate("good.pem", "good@c.test", common_name="good")
    world.certificate("bad.pem", "bad@c.test", common_name="bad", by="stranger")
    shown = " ".join(f"%[{field}]" for field in _TOLD)
    world.start(
        f"""
frontend fe
    bind "fd@${{fe}}" ssl crt {{dir}}/a.pem ca-file {{dir}}/ca.pem {options}
    log-format "done {shown} %sslv/%sslc"
    error-log-format "failed {shown} %sslv/%sslc"
    http-request return status 200 content-type text/plain lf-string "{shown}"
""",
        global_="tune.ssl.keylog on",
    )
    for number, client in enumerate(clients, 1):
        asking = world.tls_client("a.test", **client)  # type: ignore[arg-type]
        if asking.shaken:
            asking.get("/")
            asking.shutdown()
            asking.expect_end()
        asking.close()
        world.logs(number)


def secrets(world: World) -> None:
    """Randoms, keys and secrets of connections that stand."""
    _told(world, "verify optional", {}, {"maximum_version": TLS12}, {"crt": "good.pem"})


def failures_of_verification(world: World) -> None:
    """`error-log-format` tells of clients that are not trusted."""
    clients = [{"crt": crt, "maximum_version": version} for crt in ("bad.pem", "") for version in (TLS12, TLS13)]
    _told(world, "verify required", *clients)


def failures_of_agreement(world: World) -> None:
    """No common cipher; plain text, nothing at all, and half a ClientHello."""
    options = "ciphers ECDHE-RSA-AES128-GCM-SHA256"
    _told(world, options, {"ciphers": "ECDHE-RSA-AES256-GCM-SHA384", "maximum_version": TLS12})
    for number, data in enumerate((b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"", b"\x16\x03\x01\x01\x00\x01\x00"), 2):
        client = world.client()
        if data:
            client.send(data)
        if data[:1] != b"G":
            client.shutdown()
        client.expect_end(20)
        world.logs(number)


def failures_towards_servers(world: World) -> None:
    """`bc_err` and `ssl_bc_err` tell why a server was not reached."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.reply(b"x")

    world.tls_origin("s1", "s1.test", script=script)

    def plain(connection: Connection) -> None:
        connection.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.reader.to_end()

    world.origin("plain", plain)
    fields = (
        *("bc_err", "bc_err_str", "ssl_bc", "ssl_bc_err", "ssl_bc_err_str", "ssl_bc_protocol", "ssl_bc_cipher"),
        *("ssl_bc_is_resumed", "ssl_bc_alpn", "ssl_bc_npn", "ssl_bc_client_random,hex,length"),
        *("ssl_bc_session_key,hex,length", "ssl_s_s_dn(O)", "ssl_s_chain_der,sha1,hex,length"),
    )
    shown = " ".join(f"%[{field}]" for field in fields)
    weak = "ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256"
    kinds = {
        "fine": "{s1} ssl verify none",
        "stranger": "{s1} ssl verify required ca-file {dir}/a.pem",
        "plain": "{plain} ssl verify none",
        "cipher": "{s1} ssl verify none " + weak,
        "nobody": "127.0.0.1:1",
    }
    world.certificate("a.pem", "a.test", by="stranger")
    backends = "\n".join(
        f"backend {name}\n    retries 0\n    server s1 {line} # hapy: pool-min-conn 0" for name, line in kinds.items()
    )
    world.start(f"""
frontend fe
    bind "fd@${{fe}}"
    log-format "%HP %ST %ts {shown}"
    use_backend %[path,regsub(/,)]
{backends}
""")
    for number, name in enumerate(kinds, 1):
        client = world.client()
        client.get(f"/{name}")
        client.close()
        world.logs(number)
