"""Attacks of those who reach a port and should not do much there: strangers, a front, a scheduler, and one bad member.

Each is given a running server and returns what it has to say. Those on the links have a cluster of two members that are
true and a third that is not, once with keys and once without; or a server of one host, whose manager's socket they may use.
"""

import base64
import contextlib
import hashlib
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

import link

PASSWORD = "open-sesame"
# Who is refused again and again writes no more than this to the log.
LOG_BYTES = 64 << 10
GREATEST = (1 << 64) - 1


def hello(challenge, password):
    """The line of a client that knows a password, or guesses one."""
    greeting = json.loads(challenge[len(b"+HI ") :])
    digest = hashlib.sha256((password + greeting["s"]).encode()).digest()
    for _ in range(1, greeting["i"]):
        digest = hashlib.sha256(digest).digest()
    return b'HELLO {"v":2,"pwdhash":"%s"}\r\n' % digest.hex().encode()


def cluster_keys(server, name):
    with open(os.path.join(server.directory, name + ".pub"), "rb") as file:
        public = file.read().strip()
    with open(os.path.join(server.directory, name), "rb") as file:
        secret = [line for line in file.read().splitlines() if line and not line.startswith(b"#")][0]
    return public, secret


def register(attack, require, Client):
    """Adds the attacks to those of scripts/attack."""

    def logged(server, body, bound=LOG_BYTES):
        """Carries out an attack, and looks at how much of the log is its work."""
        before = len(server.text())
        note = body()
        grown = len(server.text()) - before
        require(grown <= bound, f"the log has grown by {grown} bytes")
        return f"{note}, {grown} bytes of log"

    # MARK: Passwords

    def guess_for(seconds, threads, guess):
        """How often guesses were made, and answered, from many threads."""
        end = time.monotonic() + seconds
        counts = [0] * threads

        def work(index):
            while time.monotonic() < end:
                with contextlib.suppress(OSError):
                    guess()
                    counts[index] += 1

        workers = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
        for worker in workers:
            worker.start()
        return workers, counts

    def right(server):
        client = Client(server.port, greet=False)
        client.send(hello(client.line(), PASSWORD))
        reply = client.line()
        client.close()
        return reply == b"+OK"

    @attack(
        "200 connections that guess the password without waiting for the answer, and 200 clients that know it",
        settings=(f"front.password={PASSWORD}",),
        steady=False,
    )
    def wrong_passwords(server):
        def guess():
            client = Client(server.port, greet=False, timeout=5)
            challenge = client.line()
            client.send(b'HELLO {"v":1,"pwdhash":"%s"}\r\n' % hashlib.sha256(challenge).hexdigest().encode())
            client.is_closed(5)
            client.close()

        def body():
            workers, counts = guess_for(10, 200, guess)
            admitted = sum(right(server) for _ in range(200))
            for worker in workers:
                worker.join()
            require(admitted == 200, f"{admitted} of 200 with the right password were let in")
            require(sum(counts) <= 1_500, f"{sum(counts)} guesses were answered in ten seconds")
            return f"{admitted} let in, {sum(counts) / 10:.0f} guesses a second"

        return logged(server, body)

    @attack(
        "guesses at /stats, on one connection and on 100",
        settings=(f"front.password={PASSWORD}", "web.bind=127.0.0.1:{web}"),
        steady=False,
    )
    def stats_guesses(server):
        credentials = base64.b64encode(b"a:wrong").decode()
        request = f"GET /stats HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\n\r\n".encode()
        local = threading.local()

        def guess():
            if not hasattr(local, "connection"):
                local.connection = socket.create_connection(("127.0.0.1", server.web), timeout=10)
            local.connection.sendall(request)
            answer = local.connection.recv(4_096)
            if not answer:
                del local.connection
                raise OSError("closed")
            require(b" 401 " in answer, f"{answer[:40]}")

        def body():
            workers, one = guess_for(5, 1, guess)
            for worker in workers:
                worker.join()
            require(sum(one) <= 10, f"{sum(one)} guesses on one connection in five seconds")
            workers, many = guess_for(5, 100, guess)
            admitted = sum(right(server) for _ in range(50))
            for worker in workers:
                worker.join()
            require(admitted == 50, f"{admitted} of 50 with the right password were let in")
            require(sum(many) <= 800, f"{sum(many)} guesses on 100 connections in five seconds")
            return f"{sum(one) / 5:.1f} and {sum(many) / 5:.0f} guesses a second"

        return logged(server, body)

    # MARK: The web port

    def web_connections(server, count, first):
        connections = []
        for _ in range(count):
            with contextlib.suppress(OSError):
                connection = socket.create_connection(("127.0.0.1", server.web), timeout=10)
                if first:
                    connection.sendall(first)
                connections.append(connection)
        return connections

    def healthy(server):
        with socket.create_connection(("127.0.0.1", server.web), timeout=10) as connection:
            connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b" 200 " in connection.recv(4_096)

    def closed(connections, within):
        end = time.monotonic() + within
        count = 0
        for connection in connections:
            connection.settimeout(max(0.001, end - time.monotonic()))
            try:
                while connection.recv(4_096):
                    pass
                count += 1
            except TimeoutError:
                pass
            except OSError:
                count += 1
            connection.close()
        return count

    @attack("20,000 silent connections to the web port", settings=("web.bind=127.0.0.1:{web}",))
    def web_silence(server):
        connections = web_connections(server, 20_000, b"")
        require(healthy(server), "/health is not served")
        count = closed(connections, 15)
        require(count == len(connections), f"{count} of {len(connections)} were closed")
        return f"{count} closed"

    @attack("3,000 requests to the web port that do not end", settings=("web.bind=127.0.0.1:{web}",))
    def web_half_requests(server):
        connections = web_connections(server, 3_000, b"GET /health HTTP/1.1\r\nHost: x\r\nX: ")
        require(healthy(server), "/health is not served")
        count = closed(connections, 15)
        require(count == len(connections), f"{count} of {len(connections)} were closed")
        return f"{count} closed"

    @attack(
        "1,100 silent connections to the web port of a front with 1,024 descriptors",
        settings=("web.bind=127.0.0.1:{web}", "front.max_connections=200"),
        descriptors=1_024,
    )
    def few_descriptors(server):
        connections = web_connections(server, 1_100, b"")
        time.sleep(8)
        require(healthy(server), "/health is not served")
        for connection in connections:
            connection.close()

    # MARK: The manager's port, without keys

    def peer(server):
        return link.Peer("ipc://" + os.path.join(server.data, "millrace-manager.sock"))

    def settled(server, stranger):
        """Waits until everything that was sent before is taken in: a new session is answered behind it."""
        session = (GREATEST, time.monotonic_ns())
        for _ in range(60):
            stranger.say(link.attach(session), link.heartbeat(session))
            if stranger.heard(link.ALIVE, 1):
                stranger.say(link.detach(session))
                return
        require(False, "the manager does not answer")

    @attack("100,000 messages of one byte to the manager")
    def link_garbage(server):
        def body():
            stranger = peer(server)
            for _ in range(100_000):
                stranger.say(b"\0")
            settled(server, stranger)
            stranger.close()
            return "100,000 sent"

        return logged(server, body)

    @attack("30,000 sessions of one peer", manager=300)
    def link_sessions(server):
        def body():
            stranger = peer(server)
            for number in range(30_000):
                stranger.say(link.attach((1, number)))
            time.sleep(6)
            settled(server, stranger)
            stranger.close()
            return "30,000 attached"

        return logged(server, body)

    @attack("65,536 lanes of one session, with ten jobs each", manager=300)
    def link_lanes(server):
        def body():
            stranger = peer(server)
            stranger.say(link.attach((2, 1)))
            for lane in range(65_536):
                pushes = [link.push(number, f"lane-{lane}-{number}") for number in range(1, 11)]
                stranger.say(link.batch((2, 1), 1, pushes, lane=lane))
            settled(server, stranger)
            stranger.close()
            return "65,536 lanes"

        return logged(server, body)

    @attack("two million copies of a FETCH that waits", manager=300)
    def link_copies(server):
        stranger = peer(server)
        stranger.say(link.attach((3, 1)))
        for number in range(1, 201):
            stranger.say(link.batch((3, 1), number, [link.fetch(7, "nothing", wait=60_000)] * 10_000))
            require(stranger.heard(link.REPLIES, 30), "a batch is not answered")
        settled(server, stranger)
        stranger.close()

    @attack("a million FETCHes that wait, each withdrawn at once", manager=400)
    def link_withdrawals(server):
        stranger = peer(server)
        stranger.say(link.attach((4, 1)))
        request = 0
        for number in range(1, 201):
            commands = []
            for _ in range(5_000):
                request += 1
                commands += [link.fetch(request, "nothing", wait=GREATEST >> 32), link.command(4, request)]
            stranger.say(link.batch((4, 1), number, commands))
            require(stranger.heard(link.REPLIES, 30), "a batch is not answered")
        settled(server, stranger)
        stranger.close()

    @attack("a batch with the greatest number there is, and the next one behind the last")
    def link_numbers(server):
        front = peer(server)
        front.say(link.attach((5, 1)), link.batch((5, 1), 1, [link.push(1, "numbers-1")]))
        require(front.heard(link.REPLIES), "the first batch is not answered")
        front.say(link.batch((5, 1), GREATEST, [link.push(2, "numbers-2")]))
        require(front.heard(link.ATTACH_FIRST), "a number beyond the next one is not refused")
        front.say(link.batch((5, 1), 2, [link.push(3, "numbers-3")]))
        require(front.heard(link.REPLIES), "the next batch is not answered")
        front.close()

    # MARK: The ports of a cluster, with keys

    def member_peer(server, name, member=1, port="manager", **more):
        keys = cluster_keys(server, name)
        server_key, _ = cluster_keys(server, f"member-{member}")
        return link.Peer(server.endpoint(member, port), keys=keys, server_key=server_key, **more)

    def leader_peer(server, name):
        return member_peer(server, name, member=server.leader())

    @attack("a scheduler's key that pushes, fetches and flushes", cluster=True)
    def keys_scheduler(server):
        client = Client(server.port)
        require(client.ask(b'PUSH {"jid":"kept-by-all","jobtype":"A","args":[],"queue":"kept"}') == b"+OK", "no PUSH")

        def body():
            scheduler = leader_peer(server, "scheduler")
            scheduler.say(link.tick(3))
            require(scheduler.hear(5) is not None, "its tick is not answered")
            commands = [link.push(1, "by-scheduler"), link.fetch(2, "kept"), link.flush(3)]
            for number in range(1, 1_001):
                scheduler.say(link.attach((6, 1)), link.batch((6, 1), number, commands))
            require(not scheduler.heard(link.ATTACHED, 3), "it was attached")
            scheduler.close()
            return "not heard"

        note = logged(server, body)
        require(b"kept-by-all" in (client.ask(b"FETCH kept") or b""), "the job is gone")
        client.ask(b'ACK {"jid":"kept-by-all"}')
        return note

    @attack("a front's key under the session and the name of another front", cluster=True)
    def keys_front(server):
        mine, other = leader_peer(server, "front"), leader_peer(server, "other-front")
        session = (7, 1)
        mine.say(link.attach(session, "mine"), link.batch(session, 1, [link.push(1, "mine-000001")]))
        require(mine.heard(link.REPLIES, 5), "a front is not served")

        def body():
            for _ in range(1_000):
                other.say(
                    link.attach(session, is_new=False),
                    link.batch(session, 2, [link.fetch(9, "attack")]),
                    link.batch(session, GREATEST, [link.push(10, "wedged-0001")]),
                    link.detach(session),
                )
            require(other.hear(3) is None, "it was answered")
            other.say(link.attach((7, 2), "mine"))
            require(other.heard(link.ATTACHED, 5), "it may attach under a session of its own")
            return "not heard"

        note = logged(server, body)
        mine.say(link.batch(session, 2, [link.push(2, "mine-000002")]))
        require(mine.heard(link.REPLIES, 5), "the true front is not served any more")
        mine.say(link.detach(session))
        other.say(link.detach((7, 2)))
        return note

    @attack("5,000 connections with a key that nobody knows, to both ports of a member", cluster=True)
    def keys_stranger(server):
        import zmq

        server_key, _ = cluster_keys(server, "member-1")

        def body():
            for _ in range(100):
                peers = [
                    link.Peer(server.endpoint(1, port), keys=zmq.curve_keypair(), server_key=server_key)
                    for port in ("manager", "peer")
                    for _ in range(25)
                ]
                for one in peers:
                    one.say(link.attach((8, 1)))
                time.sleep(0.1)
                for one in peers:
                    one.close(linger=0)
            return "turned away"

        return logged(server, body)

    def heartbeat(kind, epoch, rest=b""):
        return struct.pack("<BBQ", 1, kind, epoch) + rest

    def bad_member(server, make):
        """What the third member says to the two true ones, and what becomes of the cluster."""

        def body():
            peers = [make(member, identity) for member in (1, 2) for identity in (b"member-3", b"member-1", b"member-2")]
            lies = [
                heartbeat(1, GREATEST), heartbeat(4, GREATEST), heartbeat(5, GREATEST), heartbeat(6, GREATEST),
                heartbeat(2, GREATEST, struct.pack("<QQB", GREATEST, GREATEST, 1)),
                heartbeat(3, GREATEST, struct.pack("<Q", GREATEST)), b"\1", b"x" * 60_000,
            ]
            for _ in range(200):
                for one in peers:
                    one.say(*lies)
                time.sleep(0.01)
            for one in peers:
                one.close()
            return "lied"

        return logged(server, body)

    def still_elects(server):
        before = server.leader()
        server.restart(before)
        require(server.leader(within=60) in (1, 2), "nobody leads any more")
        client = Client(server.port_of(3 - before))
        end = time.monotonic() + 30
        while (reply := client.ask(b'PUSH {"jid":"after-lies","jobtype":"A","args":[]}')) != b"+OK":
            require(time.monotonic() < end, f"a PUSH is answered {reply}")

    @attack("a member's key that lies about epochs, positions and its own number", cluster=True, steady=False)
    def keys_bad_member(server):
        note = bad_member(
            server, lambda member, identity: member_peer(server, "member-3", member, "peer", identity=identity)
        )
        still_elects(server)
        return note

    @attack("a stranger without a key that lies as a member could", cluster="plain", steady=False)
    def plain_bad_member(server):
        note = bad_member(server, lambda member, identity: link.Peer(server.endpoint(member, "peer"), identity=identity))
        still_elects(server)
        return note


class Cluster:
    """Two members of three on this machine, the third of which has ended; with an etcd, and with keys or without.

    Two of three are a majority, so that the third may be anybody.
    """

    def __init__(self, executable, settings, is_encrypted, free_port, require):
        self.executable = executable
        self.require = require
        self.directory = tempfile.mkdtemp(prefix="millrace-attack-")
        self.ports = {name: free_port() for name in ("front", "manager", "peer", "redis", "etcd", "etcd-peer")}
        self.is_encrypted = is_encrypted
        self.settings = [
            "mode=replicated",
            "cluster.members=1@127.0.0.1,2@127.0.0.2,3@127.0.0.3",
            f"cluster.etcd=http://127.0.0.1:{self.ports['etcd']}",
            f"cluster.manager_port={self.ports['manager']}",
            f"cluster.peer_port={self.ports['peer']}",
            f"cluster.redis_port={self.ports['redis']}",
            f"cluster.redis_password={self.write('redis-password', 'a-password-of-attacks')}",
            *settings,
        ]
        self.processes = {}
        self.log = open(os.path.join(self.directory, "log"), "ab+")
        try:
            self.make_keys()
            self.start_etcd()
            for member in (1, 2, 3):
                self.start(member)
            # A new cluster begins with all of its members.
            self.leader(within=60, voters=3)
            self.end(3)
            self.port = self.port_of(self.leader(within=60))
        except BaseException:
            self.stop()
            raise

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text + "\n")
        return path

    def make_keys(self):
        lines = []
        for name in ("member-1", "member-2", "member-3", "front", "other-front", "scheduler"):
            path = os.path.join(self.directory, name)
            subprocess.run([self.executable, "keys", path], check=True, stdout=subprocess.DEVNULL)
            with open(path + ".pub") as file:
                key = file.read().strip()
            if name.startswith("member-"):
                lines += [f"member {name[-1]} {key}", f"front {key}", f"scheduler {key}"]
            else:
                lines.append(f"{name.split('-')[-1]} {key}")
        self.write("allowed", "\n".join(lines))

    def keys(self, name):
        if not self.is_encrypted:
            return []
        return [
            "--set", f"cluster.curve_key={os.path.join(self.directory, name)}",
            "--set", f"cluster.curve_allowed={os.path.join(self.directory, 'allowed')}",
        ]

    def start_etcd(self):
        client, peer = (f"http://127.0.0.1:{self.ports[name]}" for name in ("etcd", "etcd-peer"))
        self.processes["etcd"] = subprocess.Popen(
            [
                "etcd", "--name", "alone", "--data-dir", os.path.join(self.directory, "etcd"),
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", f"alone={peer}", "--heartbeat-interval", "50", "--election-timeout", "500",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def flags(self):
        return [word for setting in self.settings for word in ("--set", setting)]

    def start(self, member):
        directory = os.path.join(self.directory, f"data-{member}")
        self.processes[member] = subprocess.Popen(
            [
                self.executable, "host", "-d", directory, "-c", self.directory, "-w", ":0",
                "-b", f"127.0.0.{member}:{self.ports['front']}", "--set", f"cluster.member={member}",
                *self.flags(), *self.keys(f"member-{member}"),
            ],
            stdout=self.log,
            stderr=self.log,
        )

    def endpoint(self, member, port):
        return f"tcp://127.0.0.{member}:{self.ports[port]}"

    def port_of(self, member):
        return (f"127.0.0.{member}", self.ports["front"])

    def leader(self, within=30, voters=2):
        """The number of the member that leads, once one does."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            done = subprocess.run(
                [self.executable, "cluster", "status", "--json", "-c", self.directory, *self.flags()]
                + self.keys("member-1"),
                capture_output=True,
                text=True,
            )
            with contextlib.suppress(ValueError):
                status = json.loads(done.stdout)
                if status.get("leader") and status.get("voterCount", 0) >= voters:
                    return status["leader"]
            time.sleep(0.2)
        self.require(False, f"nobody leads: {done.stdout} {done.stderr} {self.text()[-2_000:]}")

    def end(self, member):
        self.processes[member].terminate()
        self.processes[member].wait(60)

    def restart(self, member):
        self.end(member)
        self.start(member)

    def text(self):
        with open(os.path.join(self.directory, "log"), errors="replace") as file:
            return file.read()

    def memory(self, role):
        """The most memory that any process of this role has had, in MiB."""
        most = 0
        for line in self.text().splitlines():
            if "started" in line and f"process={role}" in line:
                with contextlib.suppress(OSError, StopIteration):
                    with open(f"/proc/{line.split('pid=')[1].split()[0]}/status") as file:
                        most = max(most, next(int(row.split()[1]) for row in file if row.startswith("VmHWM:")))
        return most / 1024

    def starts(self):
        return {}

    def stop(self):
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
