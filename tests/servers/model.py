#!/usr/bin/python3
"""model.py DIR [CERTIFICATE KEY]: language models on loopback that misbehave on demand.

Speaks what the requests speak (chat completions, responses, Anthropic, Gemini, Interactions,
Ollama; whole replies and streams) and answers "re: PROMPT". Addresses are written to DIR/NAME:

  url      as below; reset, stalled, closed: resets or never answers who connects, refuses
  flaky    as url, but every other connection is reset when it is accepted
  tls      as url, under TLS with CERTIFICATE; away: counts who comes, for redirections

POST /control {"WORD": [PLAN, ...], ...} says how prompts that start with WORD are answered: the
first plan the first time that the prompt comes, the last from then on; each prompt counts apart.
"*" stands for all others. "delay": ms before each reply. "models": names that GET /v1/models lists,
or the status that it gives, else there is no such page. It forgets all that was before.
A plan is an object with any of

  status, headers, body   the reply's; body: JSON, or a text; the text $KEY becomes the key sent
  text                    what the model says

or a word: ok, or

  stall-STAGE reset-STAGE close-STAGE  at STAGE: headers (before), head (within), body (within),
                                       end (all but the last piece)
  slow            a body of a byte each 20 ms   big, bomb       100 MB, plain or from 100 KB of gzip
  lines           an event without an end     long-head       headers without an end
  garbage, html, empty, latin1, noise         no JSON, a page, nothing, no UTF-8, no HTTP
  twice, twice-late                           the reply comes twice, at once or 50 ms later
  plain           JSON although a stream was asked for
  no-end, hang    the stream ends without its last event; has it and does not end
  sse-error, sse-garbage                      in mid-stream

GET /log gives each request as a line: ms, connection, path, headers, prompt, plan, body. GET
/again gives the prompts that came again after their reply had arrived: who asks on a connection
has read what came on it before. GET /away gives how many came there, GET /twice how many
replies were sent twice.
"""
import asyncio
import functools
import gzip
import json
import os
import re
import socket
import ssl
import struct
import sys
import time

STAGES = ("headers", "head", "body", "end")
HUGE = 100 << 20


class State:
    """What one control period knows."""

    def __init__(self, plans):
        self.delay = plans.pop("delay", 0) / 1000
        self.models = plans.pop("models", None)
        self.plans = plans
        self.count = {}
        self.log = []
        self.arrived = set()
        self.again = []
        self.twice = 0

    def plan(self, prompt):
        n = self.count.get(prompt, 0)
        self.count[prompt] = n + 1
        if prompt in self.arrived:
            self.again.append(prompt)
        plans = self.plans.get(prompt.split(" ")[0]) or self.plans.get("*") or ["ok"]
        return plans[min(n, len(plans) - 1)]


state = State({})
away = 0
connections = 0


# ---- the protocols: what was asked, and how it is answered


def text_of(content):
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content


def protocol_of(path):
    for part, name in (("/chat/completions", "openai"), ("/responses", "responses"),
                       ("/messages", "anthropic"), ("enerateContent", "gemini"),
                       ("/interactions", "interactions"), ("/api/chat", "ollama")):
        if part in path:
            return name
    return None


def prompt_of(protocol, body):
    """The first thing that the user says: repairs say more."""
    if protocol == "gemini":
        return text_of(body["contents"][0]["parts"])
    turns = body.get("messages") or body.get("input")
    if isinstance(turns, str):
        return turns
    for turn in turns:
        if turn.get("role", "user") == "user" and turn.get("type") != "model_output":
            return text_of(turn["content"])
    return ""


def wants_stream(protocol, path, body):
    if protocol == "gemini":
        return "streamGenerateContent" in path
    return bool(body.get("stream", protocol == "ollama"))


def whole(protocol, model, text):
    """The reply as one object."""
    if protocol == "openai":
        return {"id": "r1", "object": "chat.completion", "model": model, "choices": [
            {"index": 0, "finish_reason": "stop",
             "message": {"role": "assistant", "content": text, "refusal": None}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}
    if protocol == "responses":
        return {"id": "r1", "object": "response", "status": "completed", "model": model,
                "output": [{"type": "message", "role": "assistant", "status": "completed",
                            "content": [{"type": "output_text", "text": text,
                                         "annotations": []}]}],
                "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}}
    if protocol == "anthropic":
        return {"id": "r1", "type": "message", "role": "assistant", "model": model,
                "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
                "usage": {"input_tokens": 10, "output_tokens": 5}}
    if protocol == "gemini":
        return {"candidates": [{"index": 0, "finishReason": "STOP",
                                "content": {"role": "model", "parts": [{"text": text}]}}],
                "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5},
                "modelVersion": model}
    if protocol == "interactions":
        return {"id": "r1", "status": "completed", "model": model, "steps": [
            {"type": "model_output", "content": [{"type": "text", "text": text}]}],
            "output_text": text, "usage": {"total_input_tokens": 10, "total_output_tokens": 5}}
    return {"model": model, "message": {"role": "assistant", "content": text}, "done": True,
            "done_reason": "stop", "prompt_eval_count": 10, "eval_count": 5}


def events(protocol, model, text):
    """The reply as a stream: (name, object) each; the last is what ends it."""
    half = len(text) // 2
    parts = [text[:half], text[half:]]
    reply = whole(protocol, model, text)
    if protocol == "openai":
        base = {"id": "r1", "object": "chat.completion.chunk", "model": model}
        for part in parts:
            yield "", dict(base, choices=[{"index": 0, "delta": {"content": part},
                                           "finish_reason": None}])
        yield "", dict(base, choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        yield "", dict(base, choices=[], usage=reply["usage"])
        yield "", "[DONE]"
    elif protocol == "responses":
        yield "response.created", {"type": "response.created",
                                   "response": {"id": "r1", "status": "in_progress"}}
        for part in parts:
            yield "response.output_text.delta", {"type": "response.output_text.delta",
                                                 "delta": part}
        yield "response.completed", {"type": "response.completed", "response": reply}
    elif protocol == "anthropic":
        yield "message_start", {"type": "message_start", "message": dict(
            reply, content=[], stop_reason=None, usage={"input_tokens": 10, "output_tokens": 1})}
        yield "content_block_start", {"type": "content_block_start", "index": 0,
                                      "content_block": {"type": "text", "text": ""}}
        yield "ping", {"type": "ping"}
        for part in parts:
            yield "content_block_delta", {"type": "content_block_delta", "index": 0,
                                          "delta": {"type": "text_delta", "text": part}}
        yield "content_block_stop", {"type": "content_block_stop", "index": 0}
        yield "message_delta", {"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                                "usage": {"output_tokens": 5}}
        yield "message_stop", {"type": "message_stop"}
    elif protocol == "gemini":
        for part in parts:
            yield "", {"candidates": [{"index": 0, "content": {"parts": [{"text": part}]}}]}
        reply["candidates"][0]["content"]["parts"] = [{"text": ""}]
        yield "", reply
    elif protocol == "interactions":
        yield "interaction.created", {"type": "interaction.created", "event_type":
                                      "interaction.created", "interaction": {"id": "r1"}}
        for part in parts:
            yield "step.delta", {"event_type": "step.delta", "index": 0,
                                 "delta": {"type": "text", "text": part}}
        yield "interaction.completed", {"event_type": "interaction.completed",
                                        "interaction": dict(reply, steps=None, output_text=None)}
    else:
        for part in parts:
            yield "", dict(model=model, message={"role": "assistant", "content": part}, done=False)
        yield "", dict(reply, message={"role": "assistant", "content": ""})


def mid_error(protocol):
    error = {"type": "overloaded_error", "code": "server_error", "message": "it broke"}
    if protocol == "anthropic":
        return "error", {"type": "error", "error": error}
    if protocol == "responses":
        return "error", dict(error, type="error")
    if protocol == "interactions":
        return "error", {"event_type": "error", "error": error}
    return "", {"error": "it broke" if protocol == "ollama" else error}


def packed(protocol, name, data):
    """An event as bytes."""
    data = data if isinstance(data, str) else json.dumps(data)
    if protocol == "ollama":
        return (data + "\n").encode()
    return (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()


# ---- replies


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Ask:
    """A request, and the pieces of what would be a good answer to it."""

    def __init__(self, path, headers, body, writer, reader):
        self.path, self.headers, self.writer, self.reader = path, headers, writer, reader
        self.protocol = protocol_of(path)
        self.body = json.loads(body)
        self.prompt = prompt_of(self.protocol, self.body)
        self.stream = wants_stream(self.protocol, path, self.body)
        self.model = self.body.get("model", "m")
        self.text = "re: " + self.prompt

    def head(self, status=200, headers=None, length=None):
        kind = "application/json" if length is not None else \
            "application/x-ndjson" if self.protocol == "ollama" else "text/event-stream"
        lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}",
                 "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def fixed(self, status, headers, body):
        return [self.head(status, headers, len(body)), body]

    def good(self, headers=None):
        """Head, then pieces; the last is what completes it."""
        if not self.stream:
            body = json.dumps(whole(self.protocol, self.model, self.text)).encode()
            return [self.head(200, headers, len(body)), body[:-9], body[-9:]]
        pieces = [chunk(packed(self.protocol, *event))
                  for event in events(self.protocol, self.model, self.text)]
        return [self.head(200, headers)] + pieces[:-1] + [pieces[-1] + b"0\r\n\r\n"]

    async def send(self, *pieces):
        for piece in pieces:
            self.writer.write(piece)
        await self.writer.drain()

    async def until_gone(self):
        """Waits until they hang up."""
        while await self.reader.read(4096):
            pass


def scripted(ask, plan):
    """The pieces of a reply that the plan describes."""
    ask.text = plan.get("text", ask.text)
    if "status" not in plan and "body" not in plan:
        return ask.good(plan.get("headers"))
    body = plan.get("body", "")
    body = body if isinstance(body, str) else json.dumps(body)
    key = " ".join(ask.headers.get(name, "") for name in
                   ("authorization", "x-api-key", "x-goog-api-key", "api-key"))
    body = body.replace("$KEY", key.replace("Bearer", "").strip())
    return ask.fixed(plan.get("status", 200), plan.get("headers"), body.encode())


def middle(ask, *between):
    """A stream with something else behind its first delta."""
    pieces = ask.good()
    return pieces[:-2] + [chunk(p) for p in between] + [b"0\r\n\r\n"]


@functools.cache
def bomb():
    """What only one test asks for takes half a second to make."""
    return gzip.compress(b'{"model":"' + b"x" * HUGE, 1)


async def pour(ask, data, times):
    for _ in range(times):
        await ask.send(data)


async def huge(ask, word):
    """100 MB of reply; the client may have enough before."""
    block = b"x" * (1 << 16)
    if word == "bomb":
        await ask.send(*ask.fixed(200, {"Content-Encoding": "gzip"}, bomb()))
    elif word == "long-head":
        await ask.send(b"HTTP/1.1 200 OK\r\n")
        await pour(ask, b"X-Long: " + block[:1000] + b"\r\n", HUGE // 1000)
    elif not ask.stream:
        await ask.send(ask.head(200, None, HUGE + 12), b'{"model":"')
        await pour(ask, block, HUGE >> 16)
        await ask.send(b'"}')
    elif word == "lines":
        await ask.send(ask.head(), chunk(b"data: "))
        await pour(ask, chunk(block), HUGE >> 16)
    else:
        said = events(ask.protocol, ask.model, "x" * len(block))
        delta = next(e for e in said if len(json.dumps(e)) > len(block) // 2)
        await ask.send(ask.head())
        await pour(ask, chunk(packed(ask.protocol, *delta)), 2 * HUGE // len(block))


def bytes_of(ask, word):
    """What is written at once for a word; None: it is no such word."""
    good = ask.good()
    if word == "ok":
        return good
    if word == "twice":
        return [b"".join(good * 2)]
    if word == "garbage":
        return ask.fixed(200, None, b'{"id":"r1","choices":[{"mess')
    if word == "html":
        return ask.fixed(200, {"Server": "proxy"}, b"<html><title>Log in</title></html>")
    if word == "empty":
        return ask.fixed(200, None, b"")
    if word == "latin1" and ask.stream:
        return middle(ask, packed(ask.protocol, "", '{"a": "@"}').replace(b"@", b"\xe9"))
    if word == "latin1":
        return ask.fixed(200, None, json.dumps(whole(ask.protocol, ask.model, "caf@"))
                         .encode().replace(b"@", b"\xe9"))
    if word == "noise":
        return [b"SSH-2.0-OpenSSH_9.2\r\n"]
    if word == "plain":
        body = json.dumps(whole(ask.protocol, ask.model, ask.text)).encode()
        return ask.fixed(200, None, body)
    if word == "no-end":
        pieces = [p for p in good[:-1] if b"finish_reason\": \"stop" not in p]
        return pieces + [b"0\r\n\r\n"] if ask.stream else ask.fixed(200, None, b"{}")
    if word == "hang":
        return good[:-1] + [good[-1][:-5]] if ask.stream else good
    if word == "sse-error":
        return middle(ask, packed(ask.protocol, *mid_error(ask.protocol)))
    if word == "sse-garbage":
        return middle(ask, packed(ask.protocol, "", '{"choices":[{"del'))
    return None


def reset(writer):
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def stop_at(ask, how, stage):
    """Sends as far as the stage; then is silent, resets or hangs up. Never goes on."""
    pieces = ask.good()
    if stage == "head":
        await ask.send(pieces[0][:30])
    elif stage == "body":
        body = b"".join(pieces[1:])
        await ask.send(pieces[0], body[:len(body) // 2])
    elif stage == "end":
        await ask.send(*pieces[:-1])
    if how == "stall":
        await ask.until_gone()
    elif how == "reset":
        await asyncio.sleep(0.02)  # what was sent arrives first
        reset(ask.writer)
    return False


async def answer(ask, plan):
    """Whether the connection goes on."""
    if isinstance(plan, dict):
        await ask.send(*scripted(ask, plan))
        return True
    how, _, stage = plan.partition("-")
    if how in ("stall", "reset", "close") and stage in STAGES:
        return await stop_at(ask, how, stage)
    if plan in ("big", "bomb", "lines", "long-head"):
        await huge(ask, plan)
        return True
    if plan == "slow":
        head, *pieces = ask.good()
        await ask.send(head)
        for byte in b"".join(pieces):
            await ask.send(bytes([byte]))
            await asyncio.sleep(0.02)
        return True
    if plan == "twice-late":
        await ask.send(*ask.good())
        await asyncio.sleep(0.05)
        await ask.send(*ask.good())
        state.twice += 1
        return True
    pieces = bytes_of(ask, plan)
    if pieces is None:
        pieces = ask.fixed(400, None, json.dumps({"error": f"no such plan: {plan}"}).encode())
    await ask.send(*pieces)
    state.twice += plan == "twice"
    if plan == "hang" and ask.stream:
        await ask.until_gone()
    return plan != "noise"


# ---- connections


async def read_request(reader):
    """Path, headers by their names in small letters, body; None at the end."""
    head = await reader.readuntil(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in
               (one.partition(":") for one in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return line.split(" ")[1], headers, body


def control(path, body):
    """What the test itself asks for; None: it does not."""
    global state
    if path == "/control":
        state = State(json.loads(body))
        return ""
    if path == "/log":
        return "".join(json.dumps(line) + "\n" for line in state.log)
    if path == "/again":
        return "".join(prompt + "\n" for prompt in state.again)
    if path == "/v1/models" and isinstance(state.models, list):
        return json.dumps({"data": [{"id": name} for name in state.models]})
    if path == "/away":
        return f"{away}\n"
    if path == "/twice":
        return f"{state.twice}\n"
    return None


async def serve_one(request, number, writer, reader):
    """Answers one request; what it asked, and whether the connection goes on."""
    path, headers, body = request
    own = control(path, body)
    if own is not None or protocol_of(path) is None:
        status = 200 if own is not None else 404
        if path == "/v1/models" and isinstance(state.models, int):
            status = state.models
        own = (own or "").encode()
        writer.write(b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n\r\n%s" % (status, len(own), own))
        await writer.drain()
        return None, True
    ask = Ask(path, headers, body, writer, reader)
    now = state
    plan = now.plan(ask.prompt)
    now.log.append({"ms": round(time.time() * 1000), "connection": number, "path": path,
                    "headers": headers, "prompt": ask.prompt, "plan": plan, "body": ask.body})
    if now.delay:
        await asyncio.sleep(now.delay)
    return ask.prompt, await answer(ask, plan)


async def serve(reader, writer):
    global connections
    connections += 1
    number, before, goes_on = connections, None, True
    try:
        while goes_on:
            request = await read_request(reader)
            if before is not None:
                state.arrived.add(before)
            before, goes_on = await serve_one(request, number, writer, reader)
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


flaky = {"n": 0}


async def serve_flaky(reader, writer):
    flaky["n"] += 1
    if flaky["n"] % 2:
        reset(writer)
    else:
        await serve(reader, writer)


async def serve_reset(_, writer):
    reset(writer)


async def serve_stalled(reader, writer):
    await asyncio.sleep(3600)
    writer.close()


async def serve_away(_, writer):
    global away
    away += 1
    writer.close()


def tell(folder, name, url):
    with open(f"{folder}/{name}.new", "w", encoding="utf-8") as f:
        f.write(url)
    os.rename(f"{folder}/{name}.new", f"{folder}/{name}")


async def main(folder, *certificate):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))  # and never listens
    tell(folder, "closed", f"http://127.0.0.1:{closed.getsockname()[1]}")
    roles = {"reset": serve_reset, "stalled": serve_stalled, "away": serve_away,
             "flaky": serve_flaky, "tls": serve, "url": serve}
    for name, role in roles.items():
        context = None
        if name == "tls":
            if not certificate:
                continue
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
        server = await asyncio.start_server(role, "127.0.0.1", 0, ssl=context, limit=1 << 24,
                                            backlog=1000)
        port = server.sockets[0].getsockname()[1]
        tell(folder, name, f"http{'s' if context else ''}://127.0.0.1:{port}")
    await asyncio.Event().wait()


if len(sys.argv) not in (2, 4) or not re.fullmatch(r"[^-].*", sys.argv[1]):
    raise SystemExit(__doc__)
asyncio.run(main(*sys.argv[1:]))
