#!/usr/bin/python3
"""deepl.py DIR: a DeepL v2 on loopback that is strict about what it is asked.

Writes its address to DIR/url once it listens, and a line to DIR/log for each
request: the connection's number, the status, the body. A text comes back as
"<TARGET> text", tags as they were. What the real service refuses is refused,
and unknown members too. The header `test: WORD=N,...` makes it misbehave:

  429=N, 529=N, 500=N, silent=N, cut=N  the first N requests of this process
  456, 403, html, echo, lose, double, rename, surrogate, fewer, garbage   every request
  quota=N   456 once N characters were asked for
"""
import json
import os
import re
import socket
import sys
import xml.etree.ElementTree as xml
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

FOLDER = sys.argv[1]
KEY = "test-key-0123456789:fx"
TARGETS = {"AR", "DE", "EN-US", "EN-GB", "ES", "ES-419", "FR", "IT", "JA", "KO", "NB", "PT-BR",
           "PT-PT", "RU", "TR", "ZH-HANS", "ZH-HANT"}
SOURCES = {"AR", "DE", "EN", "ES", "FR", "IT", "JA", "KO", "NB", "PT", "RU", "TR", "ZH"}
FORMAL = {"DE", "ES", "ES-419", "FR", "IT", "JA", "PT-BR", "PT-PT", "RU"}
MEMBERS = {
    "text": lambda v: isinstance(v, list) and 0 < len(v) <= 50 and
    all(isinstance(t, str) and t for t in v),
    "target_lang": lambda v: v in TARGETS,
    "source_lang": lambda v: v in SOURCES,
    "context": lambda v: isinstance(v, str),
    "split_sentences": lambda v: v in ("0", "1", "nonewlines"),
    "preserve_formatting": lambda v: isinstance(v, bool),
    "formality": lambda v: v in ("default", "more", "less", "prefer_more", "prefer_less"),
    "glossary_id": lambda v: isinstance(v, str) and re.fullmatch(r"[0-9a-f-]{36}", v),
    "show_billed_characters": lambda v: isinstance(v, bool),
    "tag_handling": lambda v: v in ("xml", "html"),
    "tag_handling_version": lambda v: v in ("v1", "v2"),
}
state = {"requests": 0, "connections": 0, "characters": 0}
lock = Lock()


def refusal(body):
    """What is wrong with a request, as DeepL would say it; None: nothing."""
    for name, value in body.items():
        if name not in MEMBERS:
            return f"unknown member '{name}'"
        if not MEMBERS[name](value):
            return f"Value for '{name}' not supported."
    for name in ("text", "target_lang"):
        if name not in body:
            return f"Parameter '{name}' not specified."
    if body.get("formality") in ("more", "less") and body["target_lang"] not in FORMAL:
        return "'formality' is not supported for given 'target_lang'."
    if "glossary_id" in body and "source_lang" not in body:
        return "glossary_id needs source_lang"
    if body.get("tag_handling") == "xml" and body.get("tag_handling_version") == "v2":
        for text in body["text"]:
            try:
                xml.fromstring(f"<t>{text}</t>")
            except xml.ParseError as e:
                return f"Tag handling parsing failed: {e}"
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: the second would wait 40 ms for the first one's ACK.
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        with lock:
            state["connections"] += 1
            self.number = state["connections"]

    def log_message(self, *args):
        pass

    def answer(self, status, content, kind="application/json", body=None):
        with lock, open(FOLDER + "/log", "a", encoding="utf-8") as log:
            log.write(json.dumps({"connection": self.number, "status": status,
                                  "body": body}, ensure_ascii=False) + "\n")
        data = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def say(self, status, message, body=None):
        self.answer(status, json.dumps({"message": message}), body=body)

    def faults(self):
        words = [w for w in self.headers.get("test", "").split(",") if w]
        return dict(w.partition("=")[::2] for w in words)

    def fault(self, faults, number, body):
        """Misbehaves, if this request is to; whether it did."""
        for status in ("429", "529", "500"):
            if number <= int(faults.get(status) or 0):
                self.answer(int(status), "", body=body)
                return True
        if number <= int(faults.get("silent") or 0):
            with open(FOLDER + "/log", "a", encoding="utf-8") as log:
                log.write('{"status":0}\n')
            self.rfile.read(1)  # until they give up
            self.close_connection = True
            return True
        if number <= int(faults.get("cut") or 0):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return True
        if "456" in faults:
            self.say(456, "Quota Exceeded", body)
        elif "403" in faults:
            self.answer(403, "", body=body)
        elif "echo" in faults:
            self.say(400, "bad header: " + self.headers["Authorization"], body)
        elif "html" in faults:
            self.answer(400, "<!DOCTYPE html><pre>Bad Request</pre>", "text/html", body)
        elif "garbage" in faults:
            self.answer(200, '{"translations":[{"text":', body=body)
        else:
            return False
        return True

    def translate(self, body, faults):
        done = []
        for text in body["text"]:
            out = f"{body['target_lang']} {text}"
            if "lose" in faults:
                out = re.sub(r"<x[^>]*>", "", out)
            if "double" in faults:
                out = re.sub(r"(<x[^>]*>)", r"\1\1", out)
            if "surrogate" in faults:
                out = "a &#xd800;" + out
            if "rename" in faults:
                out = out.replace('<x id="', '<x id="7')
            entry = {"detected_source_language": body.get("source_lang", "EN"), "text": out}
            if body.get("show_billed_characters"):
                entry["billed_characters"] = len(text)
            done.append(entry)
        return {"translations": done[:-1] if "fewer" in faults else done}

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        faults = self.faults()
        with lock:
            state["requests"] += 1
            number = state["requests"]
        if len(raw) > 100 * 1024:
            return self.answer(413, "<html><body>Payload Too Large</body></html>", "text/html")
        if self.path != "/v2/translate":
            return self.say(404, "Not found")
        if not self.headers.get("User-Agent"):
            return self.say(400, "User-Agent is required")
        if self.headers.get("Content-Type", "").split(";")[0] != "application/json":
            return self.say(415, "Unsupported Media Type")
        if self.headers.get("Authorization") != f"DeepL-Auth-Key {KEY}":
            return self.answer(403, "")
        if KEY.encode() in raw:
            return self.say(400, "the key stands in the body")
        try:
            body = json.loads(raw)
        except ValueError:
            return self.answer(400, "<html>Bad Request</html>", "text/html")
        if self.fault(faults, number, body):
            return None
        wrong = refusal(body)
        if wrong:
            return self.say(400, wrong, body)
        with lock:
            state["characters"] += sum(len(t) for t in body["text"])
        if "quota" in faults and state["characters"] > int(faults["quota"]):
            return self.say(456, "Quota Exceeded", body)
        return self.answer(200, json.dumps(self.translate(body, faults), ensure_ascii=False),
                           body=body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(FOLDER + "/url.new", "w", encoding="utf-8") as f:
    f.write(f"http://127.0.0.1:{server.server_address[1]}")
os.rename(FOLDER + "/url.new", FOLDER + "/url")
server.serve_forever()
