"""Datagrams to one peer, which may not be there all the time."""

from __future__ import annotations

import socket

import anyio
import pytest

from hapy.net.datagram import Datagrams


@pytest.mark.parametrize("uvloop", [False, True])
def test_a_peer_that_comes_late_is_heard(uvloop: bool) -> None:
    if uvloop:
        pytest.importorskip("uvloop")

    async def act() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as place:
            place.bind(("127.0.0.1", 0))
            where = place.getsockname()
        came = anyio.Event()
        heard: list[bytes] = []

        def on_data(data: bytes) -> None:
            heard.append(data)
            came.set()

        datagrams = Datagrams(socket.AF_INET, where, on_data, 512)
        for _ in range(4):  # what nobody takes makes an error, sooner or later
            assert datagrams.send(b"lost")
            await anyio.wait_all_tasks_blocked()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(where)
            peer.settimeout(5)
            assert datagrams.send(b"question")
            question, sender = peer.recvfrom(99)
            peer.sendto(b"answer to " + question, sender)
            with anyio.fail_after(5):
                await came.wait()
        datagrams.close()
        assert heard == [b"answer to question"]

    anyio.run(act, backend_options={"use_uvloop": uvloop})


def test_no_way_to_the_peer_is_told() -> None:
    async def act() -> None:
        datagrams = Datagrams(socket.AF_INET, ("255.255.255.255", 53), lambda _: None, 512)
        assert not datagrams.send(b"question")
        datagrams.close()

    anyio.run(act)
