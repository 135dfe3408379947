"""A Faktory client of one connection, which tells what is known of each command's outcome."""

import asyncio
import json
import os
import socket


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
    async def open(cls, host, wid=None, timeout=5.0, connect_timeout=1.0):
        """Connects and says HELLO; raises `Unreachable`."""
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(host, 7419, limit=1 << 20), connect_timeout)
        except (OSError, asyncio.TimeoutError) as error:
            raise Unreachable(str(error)) from error
        connection = cls(reader, writer, timeout)
        hello = {"v": 2, "hostname": socket.gethostname(), "pid": os.getpid(), "labels": []}
        if wid is not None:
            hello["wid"] = wid
        try:
            await asyncio.wait_for(reader.readline(), timeout)
            await connection._command("HELLO " + json.dumps(hello))
        except (Unknown, Refused, OSError, asyncio.TimeoutError) as error:
            connection.close()
            raise Unreachable(str(error)) from error
        return connection

    @property
    def has_ended(self):
        """Whether the server has closed the connection while nothing was under way."""
        return self._reader.at_eof()

    def close(self):
        self._writer.transport.abort()

    async def push(self, job):
        await self._command("PUSH " + json.dumps(job))

    async def fetch(self, queues):
        """A job, or None when there was none for the time that the server waits."""
        payload = await self._command("FETCH " + " ".join(queues))
        return None if payload is None else json.loads(payload)

    async def acknowledge(self, jid):
        await self._command("ACK " + json.dumps({"jid": jid}))

    async def fail(self, jid):
        await self._command("FAIL " + json.dumps({"jid": jid, "errtype": "Planned", "message": "as planned"}))

    async def beat(self, wid):
        await self._command("BEAT " + json.dumps({"wid": wid}))

    async def info(self):
        return json.loads(await self._command("INFO"))

    async def requeue(self, target):
        """Brings everything of a set into its queues."""
        await self._command("MUTATE " + json.dumps({"cmd": "requeue", "target": target, "filter": {}}))

    async def _command(self, line):
        try:
            self._writer.write(line.encode() + b"\r\n")
            return await asyncio.wait_for(self._reply(), self._timeout)
        except asyncio.TimeoutError as error:
            raise Unknown("no answer in time") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Broken(str(error)) from error

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
