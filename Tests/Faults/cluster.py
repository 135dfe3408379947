"""Three hosts as scripts/cluster makes them, and what a nemesis can do to them."""

import base64
import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What scripts/cluster keeps of the cluster of this checkout.
DIRECTORY = os.path.join(ROOT, ".cluster")
HOSTS = [1, 2, 3]
# What stands beside them in shared mode.
REDIS = "redis"

# How often is looked for what has no event that could be waited for from outside.
GLANCE = 0.1

# Rules of nft that keep everything from a host, or everything that it says. Loopback stays: it is within the host.
DEAF = ("in", 'iifname != "lo" drop')
MUTE = ("out", 'oifname != "lo" drop')

# From the kernel's ext4.h: the file system takes no more writes, and does not even write out its journal.
EXT4_IOC_SHUTDOWN = 0x8004587D
EXT4_GOING_FLAGS_NOLOGFLUSH = 2


class NotCarriedOut(Exception):
    """What was asked of the cluster was not done; in words."""


def _noted(what):
    """What scripts/cluster wrote down about the cluster of this checkout."""
    with open(os.path.join(DIRECTORY, what)) as file:
        return file.read().strip()


def cluster_name():
    """What the names of its bridge, cables and namespaces begin with."""
    return _noted("name")


def address(host):
    """The address of a host, or of the Redis of shared mode."""
    return f"{_noted('network')}.{4 if host == REDIS else host}"


def is_whole(row):
    """Whether a member, as `millrace cluster status` has it, could lead now without loss."""
    return row["role"] in ("leader", "follower") and row["status"]["isVoter"]


class Cluster:
    """Commands hosts, and the processes on them, by their numbers."""

    def __init__(self, program):
        self.program = program
        self.directory = DIRECTORY
        self.is_shared = os.environ.get("MODE") == "shared"
        # How long until every member has everything again, in seconds: a copy of much takes long.
        self.patience = 60.0
        # How long a front may take to serve again once a fault has ended, and what clients were told meanwhile.
        self.recovery = 10.0
        self.history = None
        self.syncs_each_batch = os.environ.get("DURABILITY", "disk") == "disk"

    def script(self, *arguments, **variables):
        """Runs scripts/cluster."""
        environment = os.environ | {"MILLRACE": self.program} | variables
        command = [os.path.join(ROOT, "scripts", "cluster"), *map(str, arguments)]
        return self.run(command, environment)

    def run(self, command, environment=None):
        """Runs a program to its end; what it complains of is what was not carried out."""
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired as error:
            raise NotCarriedOut(f"{' '.join(command[-3:])}: not done in {error.timeout} s") from error
        if done.returncode != 0:
            raise NotCarriedOut(f"{' '.join(command[-3:])}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

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
            time.sleep(GLANCE)
        raise TimeoutError("nobody leads")

    def wait_until_whole(self):
        """Waits until somebody leads, and every member has everything and a vote."""
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            status = self.status(HOSTS[0])
            if status and status.get("leader") and all(map(is_whole, status["members"])):
                return
            time.sleep(GLANCE)
        known = {host: self.status(host) for host in HOSTS}
        raise TimeoutError(f"the cluster is not whole again: {json.dumps(known)}")

    def becomes_whole(self, host, within):
        """Whether a member has everything and a vote at some time from now on."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            status = self.status(host)
            if status and any(row["number"] == host and is_whole(row) for row in status["members"]):
                return True
            time.sleep(GLANCE)
        return False

    def folder(self, host, *names):
        """A place on the disk of a host."""
        return os.path.join(self.directory, str(host), "disk", *names)

    def processes(self, host):
        """Process id and command of each process of a host."""
        found = subprocess.run(["ip", "netns", "pids", f"{cluster_name()}-{host}"], capture_output=True, text=True, check=True)
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

    def keep_logs(self, name):
        """Copies what the hosts logged to where the next run leaves it alone, and says where."""
        target = os.path.join(ROOT, ".build", "faults", str(name))
        shutil.rmtree(target, ignore_errors=True)
        for host in HOSTS:
            os.makedirs(os.path.join(target, str(host)))
            logs = [os.path.join(self.directory, str(host), log) for log in ("millrace.log", "etcd.log")]
            # In shared mode there is no Redis of a host's own.
            for path in [*logs, self.folder(host, "data", "millrace-redis.log"), self.folder(host, "data", "millrace-member")]:
                try:
                    shutil.copy(path, os.path.join(target, str(host)))
                except OSError as error:
                    # A disk may be gone, and what was on it.
                    print(f"not kept: {error}", file=sys.stderr)
        return target

    def jobs(self):
        """The ids of all jobs that the leader holds."""
        return self.redis("HKEYS", "mr:jobs").split()

    def describe(self, jid):
        """What the leader holds of a job, without its arguments, and of its worker."""
        payload = self.redis("HGET", "mr:jobs", jid)
        start, end = payload.find('"args"'), payload.rfind("]")
        job = payload if start < 0 else payload[:start] + payload[end + 1 :]
        reservation = self.redis("HGET", "mr:reservation", jid)
        beating = [worker for worker in self.redis("SMEMBERS", "mr:beating").split() if worker in reservation]
        return f"{job.strip()} {ascii(reservation.strip())} beating: {beating}"

    def redis(self, *arguments):
        """What the leader's Redis, or that of all, says to a command that is given to it behind the leader's back."""
        if self.is_shared:
            password, way = f"{self.directory}/password", ["-h", address(REDIS)]
        else:
            folder = self.folder(self.leader(), "data")
            password, way = f"{folder}/millrace-redis.password", ["-s", f"{folder}/millrace-redis.sock", "--user", "manager"]
        with open(password) as file:
            environment = os.environ | {"REDISCLI_AUTH": file.read().strip()}
        command = ["redis-cli", *way, "--no-auth-warning", *arguments]
        found = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=True)
        return found.stdout

    def growing_log(self, host):
        """The file to which the Redis of a host appends."""
        folder = f"{self.directory}/redis/appendonlydir" if host == REDIS else self.folder(host, "data", "millrace-aof")
        found = [entry for entry in os.scandir(folder) if ".incr." in entry.name]
        if not found:
            raise NotCarriedOut(f"the Redis of host {host} has no log")
        return max(found, key=lambda entry: entry.stat().st_mtime).path

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

    def start(self, host, **variables):
        self.script("start", host, **variables)

    def end(self, host):
        """Kills everything on a host, and waits for it to be gone."""
        while self.processes(host):
            self.kill(host)
            time.sleep(GLANCE)

    def transfer(self, host):
        """Lets a host lead, in good order."""
        self.wait_until_whole()
        if self.leader() != host:
            self.run([self.program, "cluster", "transfer", str(host), "-c", f"{self.directory}/{host}/config"])

    def cut_power(self, *hosts):
        """Hosts fall silent and forget what was not written to their disks, all of them at the same time."""
        for host in hosts:
            self.filter(host, DEAF, MUTE)
        # Nobody may see the disk fail and live on: a power cut leaves no time for that.
        for host in hosts:
            self.pause(host)
        for host in hosts:
            disk = os.open(self.folder(host), os.O_RDONLY)
            try:
                fcntl.ioctl(disk, EXT4_IOC_SHUTDOWN, struct.pack("I", EXT4_GOING_FLAGS_NOLOGFLUSH))
            finally:
                os.close(disk)
        for host in hosts:
            self.end(host)
            self._unmount(self.folder(host))
            # Another mount namespace may have this one, too, and keep the dead file system; a new file is another disk.
            image = f"{self.directory}/{host}/disk.img"
            self.run(["cp", "--sparse=always", image, image + ".new"])
            os.rename(image + ".new", image)

    def _unmount(self, path):
        """Takes a disk away; the last threads of those that had files there may end after their process is gone."""
        deadline = time.monotonic() + 10
        while True:
            try:
                self.run(["umount", path])
                return
            except NotCarriedOut:
                if time.monotonic() > deadline:
                    raise
                time.sleep(GLANCE)

    def restore_power(self, *hosts):
        for host in hosts:
            self.unfilter(host)
            self.start(host)

    def fill_disk(self, host):
        """Takes all the room that is left on the disk of a host."""
        with open(self.folder(host, "ballast"), "ab") as file:
            size = 1 << 26
            while size >= 1 << 12:
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
                except OSError:
                    size >>= 1

    def clear_disk(self, host):
        """Gives that room back."""
        os.unlink(self.folder(host, "ballast"))

    def wipe(self, host):
        """Forgets all that a host that is down kept for Millrace; what its etcd keeps is another matter."""
        shutil.rmtree(self.folder(host, "data"))

    def ask_etcd(self, host, path, body):
        """What an etcd answers to a call; raises `NotCarriedOut` with its reason when it refuses."""
        url = f"http://{address(host)}:2379/v3/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise NotCarriedOut(f"etcd {path}: {error.read().decode(errors='replace')}") from error
        except OSError as error:
            raise NotCarriedOut(f"etcd {path}: {error}") from error

    def fill_etcd(self, host):
        """Puts into etcd what nobody needs, until no member of it takes anything any more."""
        for number in range(1_000):
            value = base64.b64encode(os.urandom(400_000)).decode()
            try:
                self.ask_etcd(host, "kv/put", {"key": base64.b64encode(b"ballast/%d" % number).decode(), "value": value})
            except NotCarriedOut as error:
                if "space" in str(error):
                    return
                raise
        raise NotCarriedOut("etcd took 400 MB and was not full: it has no quota")

    def clear_etcd(self):
        """Makes room in etcd and tells it so, as docs/operations.md says."""
        key, end = base64.b64encode(b"ballast/").decode(), base64.b64encode(b"ballast0").decode()
        answer = self.ask_etcd(HOSTS[0], "kv/deleterange", {"key": key, "range_end": end})
        self.ask_etcd(HOSTS[0], "kv/compaction", {"revision": answer["header"]["revision"], "physical": True})
        for host in HOSTS:
            self.ask_etcd(host, "maintenance/defragment", {})
        for alarm in self.ask_etcd(HOSTS[0], "maintenance/alarm", {"action": "GET"}).get("alarms", []):
            self.ask_etcd(HOSTS[0], "maintenance/alarm", alarm | {"action": "DEACTIVATE"})

    def empty_etcd(self):
        """All that etcd knew is gone, on every host, and it begins anew."""
        for host in HOSTS:
            self.kill(host, ["etcd"])
        for host in HOSTS:
            while self.role(host, "etcd"):
                time.sleep(GLANCE)
            shutil.rmtree(self.folder(host, "etcd"))
        for host in HOSTS:
            self.start(host)

    def set_clock(self, host, offset):
        """How wrong the clock of a host is that was started with FAKED_CLOCK, in seconds: "+3600"."""
        path = f"{self.directory}/{host}/clock"
        with open(path + ".new", "w") as file:
            file.write(offset)
        os.rename(path + ".new", path)

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
        return ["nsenter", f"--net=/run/netns/{cluster_name()}-{host}", *command]
