"""Three hosts as scripts/cluster makes them, and what a nemesis can do to them."""

import json
import os
import signal
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOSTS = [1, 2, 3]


def address(host):
    return f"10.99.0.{host}"


class Cluster:
    """Commands hosts, and the processes on them, by their numbers."""

    def __init__(self, program):
        self.program = program
        self.directory = os.path.join(ROOT, ".cluster")

    def script(self, *arguments):
        """Runs scripts/cluster."""
        environment = os.environ | {"MILLRACE": self.program}
        command = [os.path.join(ROOT, "scripts", "cluster"), *map(str, arguments)]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=180).stdout

    # What there is.

    def status(self, host):
        """What a member knows, or None while it does not answer."""
        command = [self.program, "cluster", "status", "--json", "-c", f"{self.directory}/{host}/config"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=5)
        except subprocess.TimeoutExpired:
            return None
        return json.loads(done.stdout) if done.returncode == 0 else None

    def leader(self, within=30.0):
        """The host that leads; waits for there to be one."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for host in HOSTS:
                status = self.status(host)
                if status and status.get("leader"):
                    return status["leader"]
            time.sleep(0.1)
        raise TimeoutError("nobody leads")

    def wait_until_whole(self, within=60.0):
        """Waits until somebody leads and every member votes."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            status = self.status(HOSTS[0])
            if status and status.get("leader") and status["voterCount"] == len(HOSTS):
                return
            time.sleep(0.1)
        raise TimeoutError("the cluster is not whole again")

    def processes(self, host):
        """Process id and command of each process of a host."""
        found = subprocess.run(["ip", "netns", "pids", f"millrace-{host}"], capture_output=True, text=True, check=True)
        processes = []
        for pid in map(int, found.stdout.split()):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    processes.append((pid, file.read().replace(b"\0", b" ").decode()))
            except OSError:
                continue
        return processes

    def role(self, host, name):
        """The process ids of a role: etcd, redis, manager, front, scheduler or host."""
        mark = {"etcd": "etcd ", "redis": "redis-server "}.get(name, f"{self.program} {name} ")
        return [pid for pid, command in self.processes(host) if command.startswith(mark)]

    def jobs(self):
        """The ids of all jobs that the leader holds, read from its Redis behind its back."""
        folder = f"{self.directory}/{self.leader()}/data"
        with open(f"{folder}/millrace-redis.password") as file:
            password = file.read().strip()
        command = ["redis-cli", "-s", f"{folder}/millrace-redis.sock", "--user", "manager", "--no-auth-warning"]
        environment = os.environ | {"REDISCLI_AUTH": password}
        found = subprocess.run([*command, "HKEYS", "mr:jobs"], env=environment, capture_output=True, text=True, check=True)
        return found.stdout.split()

    # What can be done to it.

    def signal(self, host, number, roles=None):
        """Sends a signal to all processes of a host, or to those of some roles."""
        if roles is None:
            pids = [pid for pid, _ in self.processes(host)]
        else:
            pids = [pid for role in roles for pid in self.role(host, role)]
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def kill(self, host, roles=None):
        self.signal(host, signal.SIGKILL, roles)

    def pause(self, host, roles=None):
        self.signal(host, signal.SIGSTOP, roles)

    def resume(self, host, roles=None):
        self.signal(host, signal.SIGCONT, roles)

    def start(self, host):
        self.script("start", host)

    def filter(self, host, *rules):
        """Makes a host drop packets by rules of nft; what it dropped before, it lets through again."""
        self.unfilter(host)
        lines = ["table inet fault {", "chain incoming { type filter hook input priority 0;"]
        lines += [rule for direction, rule in rules if direction == "in"]
        lines += ["}", "chain outgoing { type filter hook output priority 0;"]
        lines += [rule for direction, rule in rules if direction == "out"]
        lines += ["}", "}"]
        subprocess.run(self._inside(host, "nft", "-f", "-"), input="\n".join(lines), text=True, check=True)

    def unfilter(self, host):
        subprocess.run(self._inside(host, "nft", "delete", "table", "inet", "fault"), capture_output=True)

    @staticmethod
    def _inside(host, *command):
        return ["ip", "netns", "exec", f"millrace-{host}", *command]
