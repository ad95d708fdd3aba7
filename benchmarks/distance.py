"""A network path with a round trip, made in a network namespace of our own.

A TUN device carries every packet between the proxy and the servers. The reflector reads each packet, waits half a
round trip, swaps its two addresses (checksums stay right) and gives it back: what was sent to `FAR` arrives at `NEAR`
as if it came from `FAR`. So the kernel's own TCP pays for handshakes and answers, as over a real distance.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import struct
import subprocess
import sys
from typing import Self

NEAR = "10.255.77.1"
FAR = "10.255.77.2"
_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x1001


def enter_namespace(module: str) -> None:
    """Run this benchmark again inside a new network namespace, unless it is there already."""
    if os.environ.get("HAPY_BENCHMARK_NAMESPACE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        sys.exit("this benchmark needs unshare and ip (Debian packages util-linux and iproute2)")
    environment = dict(os.environ, HAPY_BENCHMARK_NAMESPACE="1")
    command = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    os.execvpe("unshare", [*command, sys.executable, "-m", module, *sys.argv[1:]], environment)


class Path:
    """The delaying path. Use as an async context manager; needs the right to make a TUN device."""

    def __init__(self, round_trip: float) -> None:
        self.half = round_trip / 2

    async def __aenter__(self) -> Self:
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, _TUNSETIFF, struct.pack("16sH", b"far0", _TUN_WITHOUT_HEADER))
        for command in (f"addr add {NEAR}/30 dev far0", "link set far0 up"):
            subprocess.run(["ip", *command.split()], check=True)  # noqa: ASYNC221  (before anything is measured)
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.fd, self._packets)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.loop.remove_reader(self.fd)
        os.close(self.fd)

    def _packets(self) -> None:
        while True:
            try:
                packet = os.read(self.fd, 65536)
            except BlockingIOError:
                return
            if packet[0] >> 4 == 4:
                self.loop.call_later(self.half, self._give_back, packet)

    def _give_back(self, packet: bytes) -> None:
        try:
            os.write(self.fd, packet[:12] + packet[16:20] + packet[12:16] + packet[20:])
        except OSError:
            return  # the path is being taken down
