#!/usr/bin/python3
"""batch.py DIR: the batch APIs of OpenAI, Anthropic and Gemini on loopback.

Strict about what it is asked: shapes, keys, names. Writes its address to
DIR/url once it listens, a line a request to DIR/log, and to DIR/paid the prompt
of every request that a batch was made of. Results come in reverse order, one of
them twice, with one that nobody asked for. A prompt's words say what
becomes of it:

  expires-once, busy-once, lost-once   the first time only
  bad        refused as a bad request
  cancelled  somebody cancelled it
  shaped     no JSON until the request holds an assistant's turn, then {"ok":true}

Words in the file DIR/faults, each used once:

  create-good   the batch is made: what follows is for the next
  create-cut    the batch is made, and the connection closed without an answer
  create-500    the batch is made, and the answer is a 500
  create-429    the batch is not made
  create-quota  the batch is not made, for want of money
  create-tokens it is made and fails: too many tokens wait already (OpenAI)
  poll-503, results-cut, upload-cut    once, without more harm
  output-late   it has ended and does not name its results yet (OpenAI)
  forget        the latest batch was never made
DIR/polls: how often a batch must be looked at before it has ended (default 1).
DIR/hidden: the id of a batch that this key does not see.
DIR/slow: seconds that making a batch takes, before and after it is made. A list of batches lacks
none that was asked for a second ago: it waits for one that is being made.
"""
import json
import os
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import RLock
from urllib.parse import unquote_plus

FOLDER = sys.argv[1]
lock = RLock()
files, batches, seen = {}, {}, {}
making = []  # when each that is being made was asked for
numbers = {"n": 0}


class Refused(Exception):
    def __init__(self, status, text, code=None):
        super().__init__(text)
        self.status, self.code = status, code


def need(condition, text, status=400):
    if not condition:
        raise Refused(status, text)


def setting(name, default):
    try:
        with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
            return float(f.read())
    except (OSError, ValueError):
        return default


def fault(word):
    """Whether that is to go wrong now; takes it off the list."""
    path = os.path.join(FOLDER, "faults")
    with lock:
        try:
            with open(path, encoding="utf-8") as f:
                words = f.read().split()
        except OSError:
            return False
        if word not in words:
            return False
        words.remove(word)
        with open(path, "w", encoding="utf-8") as f:
            f.write(" ".join(words))
        return True


def append(name, text):
    with lock, open(os.path.join(FOLDER, name), "a", encoding="utf-8") as f:
        f.write(text + "\n")


def visible(name):
    """A batch by its id, if this key sees it."""
    try:
        with open(os.path.join(FOLDER, "hidden"), encoding="utf-8") as f:
            need(f.read().strip() != name, "no such batch", 404)
    except OSError:
        pass
    return batches[name]


def every(kind):
    """The batches of a kind, oldest first."""
    while any(time.monotonic() - asked > 1 for asked in tuple(making)):
        time.sleep(0.01)
    with lock:
        return [b for b in batches.values() if b["kind"] == kind]


def fresh(prefix):
    with lock:
        numbers["n"] += 1
        return f"{prefix}{numbers['n']}"


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def fate(prompt):
    """What becomes of a request: a word, and whether it is the first time."""
    with lock:
        seen[prompt] = seen.get(prompt, 0) + 1
        first = seen[prompt] == 1
    for word in ("expires-once", "busy-once", "lost-once"):
        if word in prompt:
            return word if first else "done"
    for word in ("bad", "cancelled"):
        if word in prompt:
            return word
    return "done"


def shuffled(lines):
    """Any order, one twice, one that nobody asked for."""
    lines = lines[::-1]
    return lines[:1] + lines if lines else lines


def make(kind, requests, **more):
    """requests: [(id, prompt, answered before)]"""
    with lock:
        ids = [r[0] for r in requests]
        need(len(set(ids)) == len(ids), "duplicate ids")
        need(all(re.fullmatch("[0-9a-f]{64}", i) for i in ids), "ids are not keys")
        name = fresh({"openai": "batch_", "anthropic": "msgbatch_", "gemini": "batches/b"}[kind])
        for _, prompt, _ in requests:
            append("paid", prompt)
        batches[name] = dict(kind=kind, id=name, polls=0, made=now(), count=len(requests),
                             results=[(i, p, fate(p), turns) for i, p, turns in requests], **more)
        return batches[name]


def text_for(prompt, turns):
    if "shaped" in prompt:
        return '{"ok":true}' if turns else "no JSON at all"
    return f"reply to {prompt}"


# ---- the three of them ----

def openai_request(line):
    need(set(line) == {"custom_id", "method", "url", "body"}, "members of a line")
    need(line["method"] == "POST", "method")
    body = line["body"]
    need("stream" not in body, "stream in a batch")
    if line["url"] == "/v1/responses":
        turns = body["input"]
    else:
        need(line["url"] == "/v1/chat/completions", "url of a line")
        turns = body["messages"]
    need(body.get("model"), "no model")
    return (line["custom_id"], turns[0]["content"], any(t["role"] == "assistant" for t in turns))


def openai_lines(batch):
    done, failed = [], []
    for key, prompt, what, turns in batch["results"]:
        line = {"id": "r", "custom_id": key, "response": None, "error": None}
        if what in ("done", "busy-once", "bad"):
            status = {"done": 200, "busy-once": 429, "bad": 400}[what]
            if status == 200 and batch["endpoint"] == "/v1/responses":
                body = {"id": "resp_1", "object": "response", "status": "completed", "model": "m-1",
                        "output": [{"type": "message", "role": "assistant", "content":
                                    [{"type": "output_text", "text": text_for(prompt, turns)}]}],
                        "usage": {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8}}
            elif status == 200:
                body = {"id": "c", "object": "chat.completion", "model": "m-1", "choices": [
                    {"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": text_for(prompt, turns)}}],
                    "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}}
            else:
                code = "rate_limit_exceeded" if status == 429 else "invalid_value"
                body = {"error": {"message": f"{prompt}: {what} it is", "type": code, "code": code}}
            line["response"] = {"status_code": status, "request_id": "q", "body": body}
            (done if status == 200 else failed).append(line)
        elif what in ("expires-once", "cancelled"):
            code = "batch_expired" if what == "expires-once" else "batch_cancelled"
            line["error"] = {"code": code, "message": "too late"}
            failed.append(line)
    return done, failed


def openai_view(batch):
    ended = batch["polls"] >= setting("polls", 1)
    view = {"id": batch["id"], "object": "batch", "endpoint": batch["endpoint"],
            "metadata": batch["metadata"], "created_at": int(time.time()), "error_file_id": "",
            "request_counts": {"total": batch["count"], "completed": 0, "failed": 0},
            "status": "in_progress" if batch["polls"] else "validating", "output_file_id": None}
    if batch["tokens"]:
        view["status"] = "failed"
        view["errors"] = {"object": "list", "data": [
            {"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]}
    elif ended:
        done, failed = batch["lines"]
        view["status"] = "expired" if any(r[2] == "expires-once" for r in batch["results"]) \
            else "completed"
        view["request_counts"]["completed"] = batch["paid"]
        if done and not fault("output-late"):
            view["output_file_id"] = batch["id"] + "-out"
            files[batch["id"] + "-out"] = done
        if failed:
            view["error_file_id"] = batch["id"] + "-err"
            files[batch["id"] + "-err"] = failed
    return view


def anthropic_request(one):
    need(set(one) == {"custom_id", "params"}, "members of a request")
    params = one["params"]
    need("stream" not in params and params.get("max_tokens") and params.get("model"), "params")
    turns = params["messages"]
    return (one["custom_id"], turns[0]["content"], any(t["role"] == "assistant" for t in turns))


def anthropic_line(key, prompt, what, turns):
    if what == "done":
        result = {"type": "succeeded", "message": {
            "id": "msg", "type": "message", "role": "assistant", "model": "m-1",
            "content": [{"type": "text", "text": text_for(prompt, turns)}],
            "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 5}}}
    elif what in ("busy-once", "bad"):
        kind = "overloaded_error" if what == "busy-once" else "invalid_request_error"
        result = {"type": "errored", "error": {"type": "error", "request_id": "q",
                                               "error": {"type": kind, "message": f"{prompt}: {what}"}}}
    else:
        result = {"type": "expired" if what == "expires-once" else "canceled"}
    return {"custom_id": key, "result": result}


def anthropic_view(batch, host):
    ended = batch["polls"] >= setting("polls", 1)
    counts = {"processing": 0 if ended else batch["count"],
              "succeeded": batch["count"] if ended else 0,
              "errored": 0, "canceled": 0, "expired": 0}
    return {"id": batch["id"], "type": "message_batch", "created_at": batch["made"],
            "processing_status": "ended" if ended else "in_progress", "request_counts": counts,
            # A key must not follow this one: it is another host's.
            "results_url": f"http://localhost:1{host[-4:]}/x" if ended else None}


def gemini_request(key, request):
    need(request["contents"], "contents")
    turns = request["contents"]
    return (key, turns[0]["parts"][0]["text"], any(t["role"] == "model" for t in turns))


def gemini_line(key, prompt, what, turns, inline):
    line = {"metadata": {"key": key}} if inline else {"key": key}
    if what == "done":
        line["response"] = {"candidates": [{"finishReason": "STOP", "content": {
            "role": "model", "parts": [{"text": text_for(prompt, turns)}]}}], "modelVersion": "m-1",
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 5}}
    else:
        code = {"busy-once": 14, "bad": 3, "cancelled": 1, "expires-once": 4}[what]
        line["error"] = {"code": code, "message": f"{prompt}: {what} it is"}
    return line


def gemini_view(batch):
    ended = batch["polls"] >= setting("polls", 1)
    view = {"name": batch["id"], "done": ended, "metadata": {
        "displayName": batch["display"], "batchStats": {"successfulRequestCount": "0"},
        "state": "BATCH_STATE_SUCCEEDED" if ended else "BATCH_STATE_PENDING"}}
    if ended:
        lines = [gemini_line(*r, batch["inline"]) for r in batch["results"] if r[2] != "lost-once"]
        # One that names nobody is nobody's.
        lines = [{"metadata": {"key": 5}, "key": 5, "error": {"code": 3}}] + shuffled(lines)
        if batch["inline"]:
            view["response"] = {"inlinedResponses": {"inlinedResponses": lines}}
        else:
            files[batch["id"] + "-out"] = lines
            view["response"] = {"responsesFile": batch["id"] + "-out"}
    return view


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: the second would wait 40 ms for the first one's ACK.
    disable_nagle_algorithm = True
    body = b""

    def log_message(self, *_):
        pass

    def answer(self, status, value, headers=()):
        data = json.dumps(value).encode() if not isinstance(value, bytes) else value
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def cut(self):
        self.close_connection = True

    def created(self, maker, shower):
        """A batch is made, or not, and is told of, or not."""
        good = fault("create-good")
        if not good and fault("create-429"):
            raise Refused(429, "slow down", "rate_limit_exceeded")
        if not good and fault("create-quota"):
            raise Refused(429, "no money", "insufficient_quota")
        making.append(asked := time.monotonic())
        try:
            time.sleep(setting("slow", 0))
            batch = maker()
        finally:
            making.remove(asked)
        time.sleep(setting("slow", 0))
        if fault("create-cut"):
            self.cut()
        elif fault("create-500"):
            raise Refused(500, "made, but who knows")
        else:
            self.answer(200, shower(batch))

    def results(self, lines):
        text = "".join(json.dumps(one) + "\n" for one in lines).encode()
        if fault("results-cut"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text[:len(text) // 2])
            self.cut()
        else:
            self.answer(200, text)

    def multipart(self):
        boundary = self.headers["Content-Type"].split("boundary=")[1].encode()
        parts = self.body.split(b"--" + boundary)
        need(parts[0] == b"" and parts[-1] == b"--\r\n", "multipart's frame")
        fields = {}
        for part in parts[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            fields[re.search(rb' name="(\w+)"', head).group(1).decode()] = content[:-2]
        return fields

    def openai(self, path, query):
        need(self.headers["Authorization"] == "Bearer test-key", "key", 401)
        if path == "/v1/files" and self.command == "POST":
            fields = self.multipart()
            need(fields["purpose"] == b"batch", "purpose")
            name = fresh("file-")
            files[name] = [json.loads(one) for one in fields["file"].splitlines()]
            if fault("upload-cut"):
                return self.cut()
            return self.answer(200, {"id": name, "object": "file"})
        if path == "/v1/batches" and self.command == "POST":
            wanted = json.loads(self.body)
            need(set(wanted) == {"input_file_id", "endpoint", "completion_window", "metadata"},
                 "batch")
            lines = files[wanted["input_file_id"]]
            need(all(one["url"] == wanted["endpoint"] for one in lines), "endpoint")
            need(len({one["body"]["model"] for one in lines}) == 1, "several models in one batch")

            def maker():
                batch = make("openai", [openai_request(one) for one in lines],
                             endpoint=wanted["endpoint"], metadata=wanted["metadata"],
                             tokens=fault("create-tokens"))
                done, failed = openai_lines(batch)
                if done:
                    junk = json.loads(json.dumps(done[0]))
                    junk["custom_id"] = "0" * 64
                    done.append(junk)
                batch["lines"], batch["paid"] = (shuffled(done), failed), len(done) - 1
                return batch
            return self.created(maker, openai_view)
        if path == "/v1/batches":
            known = every("openai")[::-1]
            if "after" in query:
                names = [b["id"] for b in known]
                known = known[names.index(query["after"]) + 1:]
            return self.answer(200, {"data": [openai_view(b) for b in known[:2]],
                                     "has_more": len(known) > 2})
        if path.startswith("/v1/batches/"):
            batch = visible(path.split("/")[3])
            batch["polls"] += 1
            return self.answer(200, openai_view(batch))
        need(path.startswith("/v1/files/") and path.endswith("/content"), "no such path", 404)
        return self.results(files[path.split("/")[3]])

    def anthropic(self, path, query):
        need(self.headers["Authorization"] == "Bearer test-key" or
             self.headers["x-api-key"] == "test-key", "key", 401)
        need(self.headers["anthropic-version"], "anthropic-version")
        root = "/v1/messages/batches"
        if path == root and self.command == "POST":
            wanted = json.loads(self.body)
            need(set(wanted) == {"requests"}, "batch")
            requests = [anthropic_request(one) for one in wanted["requests"]]
            return self.created(lambda: make("anthropic", requests),
                                lambda b: anthropic_view(b, ""))
        if path == root:
            known = every("anthropic")[::-1]
            if "after_id" in query:
                names = [b["id"] for b in known]
                known = known[names.index(query["after_id"]) + 1:]
            return self.answer(200, {"data": [anthropic_view(b, "00000") for b in known[:2]],
                                     "has_more": len(known) > 2})
        batch = visible(path[len(root) + 1:].split("/")[0])
        if path.endswith("/results"):
            return self.results(shuffled([anthropic_line(*r) for r in batch["results"]
                                          if r[2] != "lost-once"]))
        batch["polls"] += 1
        return self.answer(200, anthropic_view(batch, "00000"))

    def gemini(self, path, query):
        if path.startswith("/upload-here/"):
            need("x-goog-api-key" not in self.headers, "the key went along")
            need(self.headers["X-Goog-Upload-Command"] == "upload, finalize", "command")
            name = "files/" + path.split("/")[2]
            files[name] = [json.loads(one) for one in self.body.splitlines()]
            return self.cut() if fault("upload-cut") else self.answer(200, {"file": {"name": name}})
        need(self.headers["x-goog-api-key"] == "test-key", "key", 401)
        if path == "/upload/v1beta/files":
            need(self.headers["X-Goog-Upload-Protocol"] == "resumable", "protocol")
            host = setting("elsewhere", 0) and "localhost:1" or self.headers["Host"]
            where = f"http://{host}/upload-here/{fresh('f')}"
            return self.answer(200, b"", [("X-Goog-Upload-URL", where)])
        if path.endswith(":batchGenerateContent"):
            wanted = json.loads(self.body)["batch"]
            source = wanted["input_config"]
            if "file_name" in source:
                pairs = [(one["key"], one["request"]) for one in files[source["file_name"]]]
            else:
                pairs = [(one["metadata"]["key"], one["request"])
                         for one in source["requests"]["requests"]]
            requests = [gemini_request(*pair) for pair in pairs]
            return self.created(lambda: make("gemini", requests, display=wanted["display_name"],
                                             inline="file_name" not in source), gemini_view)
        if path == "/v1beta/batches":
            # In no order that is promised, and with tokens that are no words.
            known = every("gemini")
            at = int(unquote_plus(query.get("pageToken", "0%2B/%3D")).removesuffix("+/="))
            more = {"nextPageToken": f"{at + 2}+/="} if len(known) > at + 2 else {}
            return self.answer(200, {"operations": [gemini_view(b) for b in known[at:at + 2]],
                                     **more})
        if path.startswith("/download/v1beta/"):
            return self.results(files[path[len("/download/v1beta/"):-len(":download")]])
        batch = visible(path[len("/v1beta/"):])
        batch["polls"] += 1
        return self.answer(200, gemini_view(batch))

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, tail = self.path.partition("?")
        query = dict(pair.split("=", 1) for pair in tail.split("&") if pair)
        append("log", f"{self.command} {path}")
        if batches and fault("forget"):
            batches.popitem()
        try:
            if self.command == "GET" and fault("poll-503"):
                raise Refused(503, "later")
            if "messages" in path:
                self.anthropic(path, query)
            elif "v1beta" in path or "upload-here" in path:
                self.gemini(path, query)
            else:
                self.openai(path, query)
        except Refused as e:
            append("log", f"refused: {e}")
            kind = e.code or ("authentication_error" if e.status == 401 else
                              "invalid_request_error")
            self.answer(e.status, {"type": "error", "error": {
                "type": kind, "code": e.code, "message": str(e)}}, [("x-should-retry", "true")] if
                e.status == 500 else ())
        except KeyError as e:
            append("log", f"refused: no {e}")
            self.answer(404, {"error": {"type": "not_found_error", "message": f"no {e}"}})

    do_GET = do_POST = serve


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(os.path.join(FOLDER, "url.part"), "w", encoding="utf-8") as out:
    out.write(f"http://127.0.0.1:{server.server_address[1]}")
os.rename(os.path.join(FOLDER, "url.part"), os.path.join(FOLDER, "url"))
server.serve_forever()
