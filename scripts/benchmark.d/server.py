"""A `millrace dev` of the benchmark's own."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import processes
from client import Client

_ROLES = ("front", "manager", "scheduler")
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 60


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def uninterrupted():
    """Lets nobody end the script in the middle of cleaning up."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before):
            signal.signal(number, handler)


class Server:
    """A context: the server runs while it is open, and its data is removed at the end."""

    def __init__(self, millrace: str, **settings: str):
        self._millrace = millrace
        self._settings = settings
        self._process: subprocess.Popen | None = None
        self._pids: list[int] = []
        self.port = _free_port()

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="millrace-benchmark-")
        self._directory = pathlib.Path(self._temporary.name)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with uninterrupted():
            self.stop()
            self._temporary.cleanup()

    def start(self) -> float:
        """Starts the server, and returns after how many seconds it answered its first INFO."""
        began = time.monotonic()
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                env={name: value for name, value in os.environ.items() if not name.startswith(("MILLRACE", "FAKTORY"))},
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the script, which then stops the server in order.
                start_new_session=True,
            )
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() - began > _SECONDS_TO_START:
                raise RuntimeError("the server did not start:\n" + (self._directory / "log").read_text())
            time.sleep(0.002)
        took = time.monotonic() - began
        self._pids = processes.children(self._process.pid)
        return took

    def stop(self):
        """Stops the server and keeps its data; does nothing when it does not run."""
        if self._process is None:
            return
        children = processes.children(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process = None

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def supervisor(self) -> int:
        """The process that has started all others."""
        return self._process.pid

    @property
    def pids(self) -> dict[str, int]:
        """The server's processes by what they are."""
        found = {}
        for pid in self._pids:
            words = processes.command(pid) + ["", ""]
            if words[0].startswith("redis-server"):
                found["redis"] = pid
            elif words[1] in _ROLES:
                found[words[1]] = pid
        return {name: found[name] for name in (*_ROLES, "redis") if name in found}

    @property
    def redis_socket(self) -> str:
        return str(next((self._directory / "db").glob("*redis*.sock")))

    def redis(self, *command: str) -> str:
        """Asks the server's Redis something; the benchmark never writes there."""
        words = ["redis-cli", "-s", self.redis_socket, *command]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    def redis_used_bytes(self) -> int:
        lines = dict(line.split(":", 1) for line in self.redis("INFO", "memory").splitlines() if ":" in line)
        return int(lines["used_memory"])

    def resident_bytes(self) -> dict[str, int]:
        return {name: processes.resident_bytes(pid) for name, pid in self.pids.items()}

    @contextlib.contextmanager
    def stopped(self, role: str):
        """Holds one of the server's processes with SIGSTOP, until the function that it gives is called or at the end."""
        pid = self.pids[role]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield lambda: os.kill(pid, signal.SIGCONT)
        finally:
            os.kill(pid, signal.SIGCONT)

    def _command(self) -> list[str]:
        words = [self._millrace, "dev", "-d", str(self._directory / "db"), "-c", str(self._directory)]
        words += ["-b", f"127.0.0.1:{self.port}", "-w", ":0"]
        for name, value in self._settings.items():
            words += ["--set", f"{name.replace('__', '.')}={value}"]
        return words

    def _answers(self) -> bool:
        try:
            with Client(self.port) as client:
                client.info()
                return True
        except OSError:
            return False
