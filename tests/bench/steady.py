#!/usr/bin/env python3
"""Asks a site by HTTPS so many times a second: steady.py ADDRESS NAME RATE SECONDS. Prints "N answered, N failed"."""
import http.client
import ssl
import sys
import threading
import time

address, name, rate, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
WORKERS = 10
tls = ssl._create_unverified_context()
lock = threading.Lock()
counts = {"answered": 0, "failed": 0}


class ByName(http.client.HTTPSConnection):
    """The name in the handshake, the address on the wire."""

    def connect(self):
        http.client.HTTPConnection.connect(self)
        self.sock = tls.wrap_socket(self.sock, server_hostname=name)


def worker(number):
    begun = time.monotonic() + number / rate
    connection = None
    for i in range(rate * seconds // WORKERS):
        time.sleep(max(0, begun + i * WORKERS / rate - time.monotonic()))
        how = "failed"
        try:
            # A new connection now and then: each handshake sees the certificate of its moment.
            if connection is None or i % 20 == 0:
                connection = ByName(address, 443, timeout=10)
            connection.request("GET", "/", headers={"Host": name})
            answer = connection.getresponse()
            answer.read()
            how = "answered" if answer.status == 200 else "failed"
        except (OSError, http.client.HTTPException) as error:
            # nginx closes a kept connection when it reloads; whoever sends at that moment asks once more, as browsers do.
            try:
                connection = ByName(address, 443, timeout=10)
                connection.request("GET", "/", headers={"Host": name})
                answer = connection.getresponse()
                answer.read()
                how = "answered" if answer.status == 200 else "failed"
                with lock:
                    counts["again"] = counts.get("again", 0) + 1
            except (OSError, http.client.HTTPException):
                print(error, file=sys.stderr)
                connection = None
        with lock:
            counts[how] += 1


threads = [threading.Thread(target=worker, args=(n,)) for n in range(WORKERS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{counts['answered']} answered, {counts['failed']} failed, {counts.get('again', 0)} of them asked twice")
sys.exit(counts["failed"] > 0)
