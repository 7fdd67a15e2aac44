#!/usr/bin/env python3
"""What a hostile client does to the panel's port, byte by byte.

doors.py requests ADDRESS PORT NAME           sends the corpus; prints what was wrong, then "N requests, N wrong"
doors.py slow ADDRESS PORT NAME KIND SOURCE…  50 slow connections from each source; prints how many
                                              are held and how 20 ordinary requests fared (KIND: head, body, read, tls)
doors.py alike ADDRESS PORT NAME ACCOUNT…     a wrong password for each; prints whether the answers are the same bytes
doors.py storm ADDRESS PORT NAME ACCOUNT PASSWORD SOURCE…
                                              1000 wrong passwords from these sources; prints how the owner fared
doors.py timing SOCKET ACCOUNT SAMPLES        as root, asks the agent; prints the medians of unknown name and wrong password
"""

import concurrent.futures
import html.parser
import json
import re
import socket
import ssl
import statistics
import sys
import threading
import time
import urllib.parse


def tls(address, port, name, source=None, timeout=5.0):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    plain = socket.create_connection((address, port), timeout=timeout, source_address=(source, 0) if source else None)
    return context.wrap_socket(plain, server_hostname=name)


# ---- requests that two programs could read differently --------------------------------------------------------------

# A second request is hidden in most of them; /robots.txt answers without a session, so a second answer is seen.
HIDDEN = b"GET /robots.txt HTTP/1.1\r\nHost: %(host)s\r\n\r\n"
HEAD = b"POST /theme HTTP/1.1\r\nHost: %(host)s\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
GET = b"GET /robots.txt HTTP/1.1\r\nHost: %(host)s\r\n"
REFUSED = {400, 408, 411, 413, 414, 417, 421, 431, 501, 505}


def smuggled(fields, body=b""):
    """A request with two lengths or none that is clear, and another one behind it."""
    return HEAD + fields + b"\r\n" + body + HIDDEN


def corpus():
    chunked = b"0\r\n\r\n"
    yield "two kinds of length", smuggled(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunked)
    yield "two kinds of length, the other way", smuggled(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunked)
    yield "length longer than the chunks", smuggled(b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n", chunked)
    yield "two lengths that differ", smuggled(b"Content-Length: 5\r\nContent-Length: 0\r\n", b"theme")
    yield "two lengths in one field", smuggled(b"Content-Length: 5, 0\r\n", b"theme")
    yield "a signed length", smuggled(b"Content-Length: +5\r\n", b"theme")
    yield "a negative length", smuggled(b"Content-Length: -1\r\n")
    yield "a length with a unit", smuggled(b"Content-Length: 0x5\r\n", b"theme")
    yield "a length beyond counting", smuggled(b"Content-Length: 99999999999999999999999\r\n")
    yield "an empty length", smuggled(b"Content-Length:\r\n")
    for value in (b"xchunked", b"chunked, identity", b"identity", b"gzip", b'"chunked"', b"chunked;q=1", b"\x0bchunked", b""):
        yield f"an encoding called {value!r}", smuggled(b"Transfer-Encoding: " + value + b"\r\n", chunked)
    yield "two encodings", smuggled(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunked)
    yield "an encoding with HTTP/1.0", smuggled(b"Transfer-Encoding: chunked\r\n", chunked).replace(b"1.1", b"1.0", 1)
    yield "a blank before the colon", smuggled(b"Transfer-Encoding : chunked\r\n", chunked)
    yield "a blank before the name", smuggled(b" Transfer-Encoding: chunked\r\n", chunked)
    yield "a tab before the name", smuggled(b"\tTransfer-Encoding: chunked\r\n", chunked)
    yield "a folded field", smuggled(b"Transfer-Encoding:\r\n chunked\r\n", chunked)
    yield "a folded field of ours", GET + b"X-Folded: one\r\n two\r\n\r\n" + HIDDEN
    yield "a bare CR in a field", GET + b"X-One: a\rX-Two: b\r\n\r\n"
    yield "a bare CR before a length", smuggled(b"X: y\rContent-Length: 5\r\n", b"theme")
    yield "a NUL in a field", GET + b"X-One: a\0b\r\n\r\n"
    yield "a NUL in a name", GET + b"X-\0ne: a\r\n\r\n"
    yield "a NUL in the path", GET.replace(b"robots", b"rob\0ts") + b"\r\n"
    yield "a field without a colon", GET + b"Transfer-Encoding chunked\r\n\r\n"
    yield "a field without a name", GET + b": chunked\r\n\r\n"
    yield "a byte above ASCII in a name", GET + b"Tr\xc3\xa4nsfer: x\r\n\r\n"
    for size in (b"x", b"-1", b"0x5", b"+5", b"5 5", b"fffffffffffffffff", b"", b"5\n"):
        yield f"a chunk of {size!r}", smuggled(b"Transfer-Encoding: chunked\r\n", size + b"\r\ntheme\r\n0\r\n\r\n")
    yield "a chunk longer than it says", smuggled(b"Transfer-Encoding: chunked\r\n", b"3\r\ntheme\r\n0\r\n\r\n")
    yield "a chunk ended by a bare LF", smuggled(b"Transfer-Encoding: chunked\r\n", b"5\ntheme\r\n0\r\n\r\n")
    yield "an endless chunk extension", smuggled(b"Transfer-Encoding: chunked\r\n", b"5;" + b"a" * 40000 + b"\r\ntheme\r\n0\r\n\r\n")
    yield "another host in the line", GET.replace(b"/robots", b"https://evil.example/robots") + b"\r\n"
    yield "another host in the field", GET.replace(b"%(host)s", b"evil.example") + b"\r\n"
    yield "a host that begins with ours", GET.replace(b"%(host)s", b"%(name)s.evil.example") + b"\r\n"
    yield "a host behind our port", GET.replace(b"%(host)s", b"%(host)s.evil.example") + b"\r\n"
    yield "a host with a user", GET.replace(b"%(host)s", b"evil@%(host)s") + b"\r\n"
    yield "two hosts", GET + b"Host: evil.example\r\n\r\n"
    yield "the same host twice", GET + b"Host: %(host)s\r\n\r\n"
    yield "no host", b"GET /robots.txt HTTP/1.1\r\n\r\n"
    yield "an empty host", b"GET /robots.txt HTTP/1.1\r\nHost:\r\n\r\n"
    yield "no host, the old way", b"GET /robots.txt HTTP/1.0\r\n\r\n"
    for path in (
        b"/a/..%%2f..%%2fetc/passwd", b"/%%2e%%2e/etc/passwd", b"/../../etc/passwd", b"/a/../robots.txt", b"/a/./robots.txt",
        b"/a%%2fapp.css", b"/a%%5capp.css", b"/a\\app.css", b"//robots.txt", b"/robots.txt%%00", b"/robots.txt;x=y",
        b"/robots%%2etxt", b"/%%72obots.txt", b"/robots.txt%%20", b"/robots.txt/.", b"/a/%%c0%%ae%%c0%%ae/", b"/" + b"a" * 5000,
    ):
        yield f"the path {path[:40]!r}", GET.replace(b"/robots.txt", path) + b"\r\n"
    yield "a path without a slash", GET.replace(b"/robots.txt", b"robots.txt") + b"\r\n"
    yield "a blank in the path", GET.replace(b"/robots.txt", b"/robots .txt") + b"\r\n"
    yield "a path beyond reading", GET.replace(b"/robots.txt", b"/" + b"a" * 100_000) + b"\r\n"
    yield "one field of 64 KiB", GET + b"X-Bulk: " + b"b" * 65536 + b"\r\n\r\n"
    yield "20 KiB of fields", GET + b"".join(b"X-%d: %s\r\n" % (n, b"b" * 400) for n in range(50)) + b"\r\n"
    yield "two hundred fields", GET + b"".join(b"X-%d: b\r\n" % n for n in range(200)) + b"\r\n"
    yield "a method of 100 KB", b"G" * 100_000 + b" / HTTP/1.1\r\n\r\n"
    yield "a version there is not", GET.replace(b"HTTP/1.1", b"HTTP/1.9") + b"\r\n"
    yield "version 0.9", b"GET /robots.txt\r\n\r\n"
    yield "a version in small letters", GET.replace(b"HTTP/1.1", b"http/1.1") + b"\r\n"
    yield "asking for another protocol", b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n"
    yield "no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20
    yield "a body beyond the limit", HEAD + b"Content-Length: 600000\r\n\r\n" + b"a" * 600_000
    yield "chunks beyond the limit", HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"8000\r\n%s\r\n" % (b"a" * 0x8000) * 20


def answers_to(address, port, name, payload):
    """The status of every answer, and whether the connection was closed."""
    stream = tls(address, port, name, timeout=2.0)
    received, closed = b"", False
    try:
        stream.sendall(payload)
    except OSError:
        closed = True
    try:
        while True:
            part = stream.recv(65536)
            if not part:
                closed = True
                break
            received += part
    except TimeoutError:
        pass
    except OSError:
        closed = True
    stream.close()
    return [int(code) for code in re.findall(rb"(?m)^HTTP/1\.[01] (\d\d\d)", received)], closed


def requests(address, port, name):
    host = name.encode() if port == 443 else b"%s:%d" % (name.encode(), port)
    sound, _ = answers_to(address, port, name, GET % {b"host": host} + b"Connection: close\r\n\r\n")
    wrong, count = ([] if sound == [200] else [f"an ordinary request: {sound}"]), 1

    def send(case):
        payload = case[1].replace(b"%%", b"%").replace(b"%(host)s", host).replace(b"%(name)s", name.encode())
        return case[0], *answers_to(address, port, name, payload)

    for what, statuses, closed in concurrent.futures.ThreadPoolExecutor(16).map(send, corpus()):
        count += 1
        if len(statuses) > 1 or any(status not in REFUSED for status in statuses) or not (statuses or closed):
            wrong.append(f"{what}: {statuses}{' and closed' if closed else ''}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{count} requests, {len(wrong)} wrong")


# ---- clients that take their time -------------------------------------------------------------------------------------


def slow(address, port, name, kind, sources):
    """50 connections from each source that never get anywhere, and an ordinary client beside them."""

    def opened(source):
        try:
            if kind == "tls":  # connected, and not a byte of a handshake
                return socket.create_connection((address, port), timeout=5, source_address=(source, 0))
            stream = tls(address, port, name, source)
            stream.sendall(begun(kind, f"{name}:{port}".encode()))
            return stream
        except OSError:
            return None

    # Each source opens its own beside the others, or the first would be closed as too slow before the last is open.
    with concurrent.futures.ThreadPoolExecutor(4 * len(sources)) as openers:
        held = [stream for stream in openers.map(opened, sources * 50) if stream]
    open_still = sum(map(is_open, held))
    stop = threading.Event()
    dripping = threading.Thread(target=drip, args=(held, kind, stop))
    dripping.start()
    times, bad = [], 0
    for _ in range(20):
        began = time.monotonic()
        try:
            stream = tls(address, port, name)
            stream.sendall(GET % {b"host": f"{name}:{port}".encode()} + b"Connection: close\r\n\r\n")
            answer = b""
            while part := stream.recv(65536):
                answer += part
            stream.close()
            bad += not answer.startswith(b"HTTP/1.1 200")
        except OSError:
            bad += 1
        times.append(time.monotonic() - began)
        time.sleep(0.1)
    stop.set()
    dripping.join()
    late = sum(took > 1 for took in times)
    print(f"held={open_still} median={statistics.median(times):.3f} slowest={max(times):.3f} late={late} failed={bad}")


def begun(kind, host):
    if kind == "head":
        return b"GET /robots.txt HTTP/1.1\r\nHost: " + host + b"\r\nX-Slow: "
    if kind == "body":
        return HEAD % {b"host": host} + b"Content-Length: 10000\r\n\r\n"
    return (GET % {b"host": host} + b"\r\n") * 400  # read: asked for much, and takes none of it


def drip(streams, kind, stop):
    while not stop.wait(0.5):
        for stream in streams if kind in ("head", "body") else ():
            try:
                stream.send(b"a")
            except OSError:
                pass


def is_open(stream):
    """False once the other side has closed: then a read ends at once."""
    stream.settimeout(0.01)
    try:
        return bool(stream.recv(1))
    except (TimeoutError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False


# ---- what a guesser could learn -----------------------------------------------------------------------------------------


class Token(html.parser.HTMLParser):
    """The form's token."""

    value = ""

    def handle_starttag(self, tag, attributes):
        fields = dict(attributes)
        if tag == "input" and fields.get("name") == "token":
            self.value = fields["value"]


class Browser:
    """One with cookies, at the sign-in form."""

    def __init__(self, address, port, name, source=None):
        self.door = (address, port, name, source)
        self.host = f"{name}:{port}"
        self.cookies = {}
        page = Token()
        page.feed(self.send("GET", "/login")[1].decode())
        self.token = page.value

    def send(self, method, path, fields=None):
        """The status, and the whole answer."""
        form = urllib.parse.urlencode(fields) if fields else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept: text/html\r\nConnection: close\r\n"
        if self.cookies:
            head += "Cookie: " + "; ".join(f"{key}={value}" for key, value in self.cookies.items()) + "\r\n"
        if fields:
            head += "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            head += f"Content-Length: {len(form)}\r\n"
        stream = tls(*self.door, timeout=60)
        stream.sendall((head + "\r\n" + form).encode())
        answer = b""
        while part := stream.recv(65536):
            answer += part
        for key, value in re.findall(rb"(?im)^set-cookie: ([^=]+)=([^;\r]*)", answer):
            self.cookies[key.decode()] = value.decode()
        return int(answer.split(b" ", 2)[1]), answer

    def sign_in(self, account, password):
        return self.send("POST", "/login", {"token": self.token, "name": account, "password": password})


def alike(address, port, name, accounts):
    """Wrong passwords for these names (of one length), in one browser."""
    browser = Browser(address, port, name)
    answers = []
    for account in accounts:
        answer = browser.sign_in(account, "not the password at all")[1]
        answers.append(re.sub(rb"(?im)^date: .*\r$", b"date: -\r", answer).replace(account.encode(), b"NAME"))
    status = {answer.split(b"\r\n", 1)[0].decode() for answer in answers}
    print("the same bytes" if len(set(answers)) == 1 else "different", *sorted(status), sep="\n")
    if len(set(answers)) > 1:
        print(*answers, sep="\n----\n")


def storm(address, port, name, account, password, sources):
    """A thousand wrong passwords from elsewhere, and the owner who signs in meanwhile and afterwards."""
    owner = Browser(address, port, name)
    first = owner.sign_in(account, password)[0]
    bad = [Browser(address, port, name, source) for source in sources]
    counts, times = {}, []

    def guess(number):
        return bad[number % len(bad)].sign_in(account, f"not the password {number}")[0]

    with concurrent.futures.ThreadPoolExecutor(len(bad)) as strangers:
        guesses = [strangers.submit(guess, number) for number in range(1000)]
        while not all(one.done() for one in guesses) or len(times) < 3:
            owner.cookies = {key: value for key, value in owner.cookies.items() if key != "__Host-lala_session"}
            began = time.monotonic()
            status = owner.sign_in(account, password)[0]
            times.append(time.monotonic() - began)
            if status != 303:
                print(f"the owner got {status}")
            time.sleep(0.5)
        for one in guesses:
            counts[one.result()] = counts.get(one.result(), 0) + 1
    stranger = Browser(address, port, name).sign_in(account, password)[0]
    told = " ".join(f"{status}:{count}" for status, count in sorted(counts.items()))
    print(
        f"first={first} owner_median={statistics.median(times):.3f} owner_slowest={max(times):.3f} "
        f"owner_times={len(times)} guesses={told} stranger={stranger}"
    )


def timing(path, account, samples):
    """Root's shell asks the agent itself: no limit counts there, and no page is made."""
    agent = socket.socket(socket.AF_UNIX)
    agent.connect(path)

    def login(name, secret):
        call = json.dumps({"request": {"login": {"name": name, "password": secret}}}).encode()
        began = time.monotonic()
        agent.sendall(len(call).to_bytes(4, "big") + call)
        length = int.from_bytes(agent.recv(4, socket.MSG_WAITALL), "big")
        answer = json.loads(agent.recv(length, socket.MSG_WAITALL))
        took = time.monotonic() - began
        if answer.get("Err", {}).get("code") != "session.refused":
            raise SystemExit(f"not refused: {answer}")
        return took, json.dumps(answer)

    unknown, wrong, answers = [], [], set()
    for number in range(samples):
        pair = ((f"nobody{number}", unknown), (account, wrong))
        for name, times in pair if number % 2 else reversed(pair):
            took, answer = login(name, f"not the password {number}")
            times.append(took)
            answers.add(answer)
    one, other = statistics.median(unknown), statistics.median(wrong)
    apart = abs(one - other) / max(one, other) * 100
    print(f"unknown_ms={one * 1000:.2f} wrong_ms={other * 1000:.2f} apart_percent={apart:.2f} answers={len(answers)}")


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "requests":
        requests(rest[0], int(rest[1]), rest[2])
    elif verb == "slow":
        slow(rest[0], int(rest[1]), rest[2], rest[3], rest[4:])
    elif verb == "alike":
        alike(rest[0], int(rest[1]), rest[2], rest[3:])
    elif verb == "storm":
        storm(rest[0], int(rest[1]), *rest[2:5], rest[5:])
    elif verb == "timing":
        timing(rest[0], rest[1], int(rest[2]))
    else:
        raise SystemExit(__doc__)
