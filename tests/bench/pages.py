"""Fetches pages of the panel as a browser would and prints shell assignments.

pages.py URL NAME PASSWORD FOLDER     signs in; login page's weight, medians of login and home
pages.py --reference URL HOST FILES   the same files (comma-separated paths) from nginx
"""
import html.parser
import http.client
import os
import re
import ssl
import statistics
import sys
import time
import urllib.parse


class Page(html.parser.HTMLParser):
    """What a page loads, and its first form's fields."""

    def __init__(self, text):
        super().__init__()
        self.files, self.fields, self.action = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "link" and any(r in (a.get("rel") or "") for r in ("stylesheet", "icon", "preload", "manifest")):
            self.files.append(a.get("href"))
        if tag in ("script", "img") and a.get("src"):
            self.files.append(a["src"])
        if tag == "use" and a.get("href", "").startswith("/"):
            self.files.append(a["href"].split("#")[0])
        if tag == "form" and self.action is None:
            self.action = a.get("action") or ""
        if tag == "input" and a.get("name") and self.action is not None:
            self.fields[a["name"]] = (a.get("type") or "text", a.get("value") or "")


class Visitor:
    """One connection that is kept, with cookies."""

    def __init__(self, url, host=None):
        parts = urllib.parse.urlsplit(url)
        self.origin, self.cookies = url, {}
        self.host = host
        if parts.scheme == "https":
            self.connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, context=ssl._create_unverified_context(), timeout=20)
        else:
            self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)

    def ask(self, path, body=None, encoding="br, gzip"):
        headers = {"Accept-Encoding": encoding, "User-Agent": "Mozilla/5.0 bench", "Accept": "text/html,*/*"}
        if self.host:
            headers["Host"] = self.host
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if body is not None:
            headers.update({"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin,
                            "Sec-Fetch-Site": "same-origin", "Referer": self.origin + path})
        started = time.perf_counter()
        self.connection.request("GET" if body is None else "POST", path, body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        took = (time.perf_counter() - started) * 1000
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        size = len(data) + sum(len(k) + len(v) + 4 for k, v in answer.getheaders()) + 19
        return answer, data, took, size


def median_of(visitor, path, runs):
    times, server = [], []
    for _ in range(runs):
        answer, _, took, _ = visitor.ask(path)
        if answer.status != 200:
            raise SystemExit(f"{path} answers {answer.status}")
        times.append(took)
        timing = re.search(r"dur=([0-9.]+)", answer.getheader("Server-Timing") or "")
        if timing:
            server.append(float(timing.group(1)))
    return statistics.median(times), statistics.median(server) if server else None


def reference(url, host, files):
    visitor, total = Visitor(url, host), 0
    for path in ["/"] + [p for p in files.split(",") if p]:
        total += visitor.ask(path)[3]
    print(f"reference_bytes={total}")
    print(f"reference_ms={median_of(visitor, '/', 300)[0]:.3f}")


def panel(url, name, password, folder):
    visitor = Visitor(url)
    os.makedirs(folder, exist_ok=True)
    plain = visitor.ask("/login", encoding="identity")[1]
    with open(os.path.join(folder, "page"), "wb") as f:
        f.write(plain)
    page = Page(plain.decode())
    files = list(dict.fromkeys(urllib.parse.urlsplit(urllib.parse.urljoin("/login", p)).path
                               for p in page.files if p and not p.startswith("data:")))
    total = visitor.ask("/login")[3]
    for path in files:
        total += visitor.ask(path)[3]
        target = os.path.join(folder, path.lstrip("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as f:
            f.write(visitor.ask(path, encoding="identity")[1])
    runs = 300
    login_ms = median_of(visitor, "/login", runs)[0]
    print(f"login_bytes={total}\nlogin_count={len(files) + 1}\nlogin_files={','.join(files)}")
    print(f"login_ms={login_ms:.3f}\nlogin_runs={runs}")

    fields = {}
    for key, (kind, value) in page.fields.items():
        fields[key] = password if kind == "password" else value if kind == "hidden" else name
    answer = visitor.ask(page.action or "/login", urllib.parse.urlencode(fields))[0]
    if answer.status not in (200, 302, 303):
        raise SystemExit(f"sign-in answers {answer.status}")
    home_ms, server_ms = median_of(visitor, "/", runs)
    print(f"home_ms={home_ms:.3f}\nhome_runs={runs}")
    if server_ms is not None:
        print(f"home_server_ms={server_ms:.3f}")


if sys.argv[1] == "--reference":
    reference(*sys.argv[2:5])
else:
    panel(*sys.argv[1:5])
