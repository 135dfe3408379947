"""The cable of a host, made long: everything on it arrives late.

    wire.py HOST SECONDS

Says `forwarding` when it is in place, and takes itself away when its input ends. The kernel of this kind of machine has
no `netem`; so frames are taken from the host's end of its cable, held, and handed to a TAP device that takes its place
in the bridge, and the other way round.
"""

import array
import asyncio
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections import deque

from cluster import cluster_name

# What the names of the bridge, of cables and of namespaces begin with.
NAME = cluster_name()
TAP = f"{NAME}-tap"
LONGEST_FRAME = 65_536

# From the kernel's if_tun.h, ethtool.h and sockios.h.
TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x0002 | 0x1000
SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO = 0x17, 0x1F, 0x24
PACKET_OUTGOING = 4


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def set_offloads(interface, value):
    """Whether an interface leaves checksums and cutting into frames to a hardware that is not there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in (ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO):
            request = array.array("B", struct.pack("II", command, value))
            address, _ = request.buffer_info()
            fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP", interface.encode(), address) + bytes(16))


def set_offloads_inside(host, value):
    """The same for the host's own end of its cable."""
    namespace = f"--net=/run/netns/{NAME}-{host}"
    subprocess.run(["nsenter", namespace, sys.executable, __file__, "offloads", value], check=True)


def open_tap():
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", TAP.encode(), IFF_TAP_NO_PI))
    return tap


class Line:
    """One direction: frames leave in the order in which they came, each after the same time."""

    def __init__(self, loop, delay, send):
        self._loop = loop
        self._delay = delay
        self._send = send
        self._frames = deque()

    def take(self, frame):
        self._frames.append(frame)
        self._loop.call_later(self._delay, self._give)

    def _give(self):
        frame = self._frames.popleft()
        try:
            self._send(frame)
        except OSError:
            # A frame that does not fit is lost, as on any network.
            return


async def forward(cable, tap, delay):
    """Until the input ends."""
    loop = asyncio.get_running_loop()
    outgoing = Line(loop, delay, lambda frame: os.write(tap, frame))
    incoming = Line(loop, delay, cable.send)

    def read_cable():
        frame, source = cable.recvfrom(LONGEST_FRAME)
        # What we send ourselves is seen once more.
        if source[2] != PACKET_OUTGOING:
            outgoing.take(frame)

    loop.add_reader(cable, read_cable)
    loop.add_reader(tap, lambda: incoming.take(os.read(tap, LONGEST_FRAME)))
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    print("forwarding", flush=True)
    await ended.wait()


def main():
    if sys.argv[1] == "offloads":
        set_offloads("eth0", int(sys.argv[2]))
        return
    host, delay = sys.argv[1], float(sys.argv[2])
    interface = f"{NAME}-v{host}"
    every_protocol = socket.htons(3)
    set_offloads_inside(host, "0")
    tap = open_tap()
    try:
        cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, every_protocol)
        cable.bind((interface, 0))
        cable.setblocking(False)
        ip("link", "set", interface, "nomaster")
        ip("link", "set", TAP, "master", NAME, "up")
        asyncio.run(forward(cable, tap, delay))
    finally:
        os.close(tap)
        ip("link", "set", interface, "master", NAME)
        set_offloads_inside(host, "1")


if __name__ == "__main__":
    main()
