#!/usr/bin/env python3
"""Kills and cuts a shared session at random, and accounts for every message.

usage: chaos.py [--seed=N] [--faults=N] [--messages=N] [--clients=N] [--history=N] [--dir=DIR]

Clients (kandil-collab join, each with --log) talk to a hub (kandil-collab
serve) through a proxy of ours. Faults: kill -9 of a client or of the hub, a cut or a
silent (half-open) connection, a client that is stopped for a while. Every
client is fed numbered lines; after a kill it is fed on behind the last one that its
outbox had taken. In the end the faults stop, and then must hold:

  log     every line that was taken is in every other client's log exactly once, as it
          was, in order
  stdout  the same over all lives of a client, but that the first line of a life may
          repeat the last one of the life before, and says so
  gaps    none

Prints what it did and ends with status 0 or 1. The hub stores nothing unless
--history is given. Lines are fed as fast as faults come: messages / faults between two.
"""
import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time

ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "KANDIL_COLLAB_KEY": "",
       **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}}
TOPIC = "chaos"


class Proxy:
    """TCP between the clients and the hub; connections can be cut or go silent."""

    def __init__(self, rng):
        self.rng, self.port, self.hub, self.pairs, self.silent = rng, 0, 0, set(), set()

    async def start(self):
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.hub)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, back)
        self.pairs.add(pair)
        await asyncio.gather(self.pump(pair, reader, back), self.pump(pair, there, writer))
        self.cut(pair)

    async def pump(self, pair, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if pair in self.silent:
                    continue  # half-open: taken, and gone
                writer.write(data)
                await writer.drain()
        self.cut(pair)

    def cut(self, pair):
        for writer in pair:
            writer.transport.abort()
        self.pairs.discard(pair)
        self.silent.discard(pair)


class Client:
    """One member: its lines, its lives, what came out."""

    def __init__(self, number, chaos):
        self.number, self.chaos, self.name = number, chaos, f"c{number}"
        self.state, self.log = f"{chaos.dir}/state{number}", f"{chaos.dir}/log{number}"
        self.wanted = self.taken = 0   # lines to feed; lines known to be in the outbox
        self.fed, self.process, self.lives, self.up = 0, None, [], False
        self.newest = {}  # of each other client, on stdout

    def line(self, n):
        text = random.Random(self.number * 1000003 + n)
        return json.dumps({"who": self.number, "n": n, "text": "é" * text.randrange(40)},
                          ensure_ascii=text.random() < .5, separators=(",", ": "))

    def join(self, *options, **streams):
        return asyncio.create_subprocess_exec(
            "kandil-collab", "join", TOPIC, "-q", f"--as={self.name}", f"--state-dir={self.state}",
            f"--url=http://127.0.0.1:{self.chaos.proxy.port}", *options, env=ENV, **streams)

    async def settle(self):
        """Has been here once: who has nothing on disk begins where the others are."""
        process = await self.join("--once", stdin=asyncio.subprocess.DEVNULL)
        if await process.wait() != 0:
            sys.exit(f"{self.name} cannot be here: status {process.returncode}")

    async def start(self):
        self.process = await self.join(
            "--status", f"--log={self.log}", limit=1 << 20,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        self.lives.append([])
        self.chaos.tasks.append(asyncio.create_task(self.listen(self.process, self.lives[-1])))
        self.chaos.tasks.append(asyncio.create_task(self.feed(self.process)))

    async def listen(self, process, life):
        while line := await process.stdout.readline():
            if line.endswith(b"\n"):
                record = json.loads(line)
                if record["kind"] == "status":
                    if record["state"] == "open":
                        self.fed = self.taken = record["last"]
                        life.insert(0, None)  # the marker that feeding may begin
                    self.up |= record["state"] == "up"
                else:
                    life.append(record)
                    if record["kind"] == "message":
                        said = record["payload"]
                        self.newest[said["who"]] = max(said["n"], self.newest.get(said["who"], 0))
        await process.wait()

    async def feed(self, process):
        life = self.lives[-1]
        with contextlib.suppress(OSError):
            while process.returncode is None and process is self.process:
                if life and life[0] is None and self.fed < self.wanted:
                    up_to = min(self.wanted, self.fed + 100)
                    text = "".join(self.line(n) + "\n" for n in range(self.fed + 1, up_to + 1))
                    self.fed = up_to
                    process.stdin.write(text.encode())
                    await process.stdin.drain()
                else:
                    await asyncio.sleep(.005)

    async def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self.start()


class Chaos:
    def __init__(self, options):
        self.options, self.rng = options, random.Random(options.seed)
        self.dir, self.proxy, self.tasks = options.dir, Proxy(self.rng), []
        self.clients = [Client(i, self) for i in range(options.clients)]
        self.hub, self.count = None, {}

    async def start_hub(self):
        history = [f"--history={self.options.history}"] if self.options.history else []
        self.hub = await asyncio.create_subprocess_exec(
            "kandil-collab", "serve", f"--listen=127.0.0.1:{self.proxy.hub}", "--max-joins=0",
            *history, stderr=asyncio.subprocess.PIPE, env=ENV)
        line = (await self.hub.stderr.readline()).decode()
        if "listening" not in line:
            sys.exit(f"the hub says: {line}")
        self.proxy.hub = int(line.split("127.0.0.1:")[1].split(",")[0].split("/")[0].split()[0])
        self.tasks.append(asyncio.create_task(self.hub.stderr.read()))

    async def fault(self):
        what = self.rng.choices(["client", "hub", "cut", "cut all", "silent", "stop"],
                                [40, 15, 30, 5, 5, 5])[0]
        self.count[what] = self.count.get(what, 0) + 1
        client = self.rng.choice(self.clients)
        if what == "client":
            await client.kill()
        elif what == "hub":
            self.hub.kill()
            await self.hub.wait()
            await self.start_hub()
        elif what == "stop":
            client.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(self.rng.random())
            with contextlib.suppress(ProcessLookupError):
                client.process.send_signal(signal.SIGCONT)
        elif self.proxy.pairs:
            pairs = sorted(self.proxy.pairs, key=id)
            for pair in pairs if what == "cut all" else [self.rng.choice(pairs)]:
                if what == "silent":
                    self.proxy.silent.add(pair)
                    # What beats every 25 s finds out then; here the far end goes away sooner.
                    asyncio.get_running_loop().call_later(1, self.proxy.cut, pair)
                else:
                    self.proxy.cut(pair)

    def logged(self, client):
        with contextlib.suppress(FileNotFoundError), open(client.log, encoding="utf-8") as log:
            return [json.loads(line) for line in log if line.endswith("\n")]
        return []

    def complete(self, client):
        """The log and stdout, which may be behind it."""
        if any(client.newest.get(other.number, 0) < other.wanted
               for other in self.clients if other is not client):
            return False
        with contextlib.suppress(FileNotFoundError), open(client.log, "rb") as log:
            return sum(line.startswith(b'{"kind":"message"') for line in log) >= \
                sum(other.wanted for other in self.clients if other is not client)
        return False

    async def run(self):
        await self.proxy.start()
        await self.start_hub()
        await asyncio.gather(*(client.settle() for client in self.clients))
        for client in self.clients:
            await client.start()
        while not all(client.up for client in self.clients):
            await asyncio.sleep(.05)
        each = self.options.messages // self.options.clients
        for number in range(self.options.faults):
            for client in self.clients:
                client.wanted = each * (number + 1) // self.options.faults
            await asyncio.sleep(self.rng.random() * self.options.pause * 2)
            await self.fault()
        for client in self.clients:
            client.wanted = each
        end = time.monotonic() + self.options.patience
        while not all(self.complete(client) for client in self.clients):
            if time.monotonic() > end:
                break
            await asyncio.sleep(.2)
        await asyncio.sleep(.5)
        for client in self.clients:
            client.process.send_signal(signal.SIGTERM)
        self.hub.send_signal(signal.SIGTERM)
        await asyncio.wait(self.tasks, timeout=10)

    def check(self):
        wrong = []
        for client in self.clients:
            self.check_stream(client, "log", self.logged(client), wrong)
            out = []
            for life in client.lives:
                life = [record for record in life if record]
                if life and life[0].get("replayed") and out and \
                        self.same(out[-1], life[0]):
                    life = life[1:]
                out += life
            self.check_stream(client, "stdout", out, wrong)
        return wrong

    @staticmethod
    def same(one, two):
        return (one.get("from"), one.get("seq")) == (two.get("from"), two.get("seq"))

    def check_stream(self, client, what, records, wrong):
        next_of = {other.number: 1 for other in self.clients if other is not client}
        for record in records:
            if record["kind"] == "gap":
                wrong.append(f"{client.name} {what}: {record}")
            if record["kind"] != "message":
                continue
            who, n = record["payload"]["who"], record["payload"]["n"]
            if n != next_of[who]:
                wrong.append(f"{client.name} {what}: {n} of c{who} where {next_of[who]} was due")
            elif record["payload"] != json.loads(self.clients[who].line(n)):
                wrong.append(f"{client.name} {what}: {n} of c{who} is another")
            next_of[who] = max(next_of[who], n + 1)
        for who, n in next_of.items():
            if n != self.clients[who].wanted + 1:
                wrong.append(f"{client.name} {what}: of c{who} the last is {n - 1}, "
                             f"not {self.clients[who].wanted}")


def main():
    parser = argparse.ArgumentParser()
    for name, value in (("seed", int(time.time())), ("faults", 40), ("messages", 4000),
                        ("clients", 4), ("history", 0), ("patience", 60)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--pause", type=float, default=.1, help="seconds between faults, on average")
    parser.add_argument("--dir")
    options = parser.parse_args()
    scratch = None
    if not options.dir:
        scratch = options.dir = tempfile.mkdtemp()
    os.makedirs(options.dir, exist_ok=True)
    chaos = Chaos(options)
    print(f"seed {options.seed}", flush=True)
    asyncio.run(chaos.run())
    wrong = chaos.check()
    print(f"{options.messages} messages of {options.clients} clients, faults: " +
          ", ".join(f"{count} x {what}" for what, count in sorted(chaos.count.items())))
    for line in wrong[:20]:
        print(line)
    print(f"{len(wrong)} wrong")
    if scratch and not wrong:
        shutil.rmtree(scratch)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
