"""A Faktory client of one connection, which tells what is known of each command's outcome."""

import asyncio
import json
import os
import socket


PORT = 7419


def hello(wid):
    """The line with which a connection begins."""
    said = {"v": 2, "hostname": socket.gethostname(), "pid": os.getpid(), "labels": []}
    if wid is not None:
        said["wid"] = wid
    return "HELLO " + json.dumps(said)


class Refused(Exception):
    """The server answered with an error: it is certain that nothing was done."""


class Unknown(Exception):
    """No answer came: the command may or may not have been carried out."""


class Broken(Unknown):
    """No answer came, and none will: the connection is gone."""


class Unreachable(Exception):
    """There is no connection, and nothing was sent."""


class Connection:
    """Has one command under way, as every real client."""

    def __init__(self, reader, writer, timeout):
        self._reader = reader
        self._writer = writer
        self._timeout = timeout

    @classmethod
    async def open(cls, host, wid=None, timeout=5.0, connect_timeout=1.0, receive_buffer=None):
        """Connects and says HELLO; raises `Unreachable`."""
        try:
            opening = cls._stream(host, receive_buffer)
            reader, writer = await asyncio.wait_for(opening, connect_timeout)
        except (OSError, asyncio.TimeoutError) as error:
            raise Unreachable(str(error)) from error
        connection = cls(reader, writer, timeout)
        try:
            await asyncio.wait_for(reader.readline(), timeout)
            await connection.command(hello(wid))
        except (Unknown, Refused, OSError, asyncio.TimeoutError) as error:
            connection.close()
            raise Unreachable(str(error)) from error
        return connection

    @staticmethod
    async def _stream(host, receive_buffer):
        if receive_buffer is None:
            return await asyncio.open_connection(host, PORT, limit=1 << 20)
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        endpoint.setblocking(False)
        # What is not read then waits at the server.
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(endpoint, (host, PORT))
            return await asyncio.open_connection(sock=endpoint, limit=receive_buffer)
        except BaseException:
            endpoint.close()
            raise

    @property
    def has_ended(self):
        """Whether the server has closed the connection while nothing was under way."""
        return self._reader.at_eof()

    def close(self):
        self._writer.transport.abort()

    def send(self, *lines):
        """Sends commands whose replies are read later, or never."""
        self._writer.write(b"".join(line.encode() + b"\r\n" for line in lines))

    def half_close(self):
        """Says that nothing more will be sent; the other side may still send."""
        self._writer.write_eof()

    async def reply(self):
        """The next reply: `b"OK"` and the like, a payload, or None."""
        try:
            return await asyncio.wait_for(self._reply(), self._timeout)
        except asyncio.TimeoutError as error:
            raise Unknown("no answer in time") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Broken(str(error)) from error

    async def push(self, job):
        await self.command("PUSH " + json.dumps(job))

    async def push_bulk(self, jobs):
        """Raises `Refused` unless every one of them was taken."""
        answer = await self.command("PUSHB " + json.dumps(jobs))
        if json.loads(answer):
            raise Refused(answer.decode(errors="replace"))

    async def fetch(self, queues):
        """A job, or None when there was none for the time that the server waits."""
        payload = await self.command("FETCH " + " ".join(queues))
        return None if payload is None else json.loads(payload)

    async def acknowledge(self, jid):
        await self.command("ACK " + json.dumps({"jid": jid}))

    async def fail(self, jid):
        await self.command("FAIL " + json.dumps({"jid": jid, "errtype": "Planned", "message": "as planned"}))

    async def beat(self, wid):
        await self.command("BEAT " + json.dumps({"wid": wid}))

    async def info(self):
        return json.loads(await self.command("INFO"))

    async def requeue(self, target):
        """Brings everything of a set into its queues."""
        await self.command("MUTATE " + json.dumps({"cmd": "requeue", "target": target, "filter": {}}))

    async def command(self, line):
        try:
            self.send(line)
        except OSError as error:
            raise Broken(str(error)) from error
        return await self.reply()

    async def _reply(self):
        line = await self._reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise Refused(rest.decode(errors="replace"))
        if kind == b"$":
            count = int(rest)
            if count < 0:
                return None
            payload = await self._reader.readexactly(count + 2)
            return payload[:-2]
        raise ConnectionResetError(f"not a reply: {line[:80]!r}")
