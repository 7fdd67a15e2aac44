#!/usr/bin/env python3
"""Constant load on one address: load.py ADDRESS HOSTNAME PATH REQUESTS WORKERS [UNTIL]

At least so many requests, and on until the file UNTIL is there. Each worker asks one request after the other, each on a connection of its own. What is
not a 200 with a body has failed. Prints one JSON document: how many, how many failed
and how, latencies in milliseconds, and how often each body came.
"""
import collections
import json
import os
import socket
import sys
import threading
import time

address, hostname, path, total, workers = sys.argv[1:4] + [int(n) for n in sys.argv[4:6]]
request = f"GET {path} HTTP/1.1\r\nHost: {hostname}\r\nConnection: close\r\n\r\n".encode()
until = sys.argv[6] if len(sys.argv) > 6 else ""
lock, left = threading.Lock(), total
latencies, failures, bodies = [], collections.Counter(), collections.Counter()


def ask():
    with socket.create_connection((address, 80), timeout=30) as link:
        link.sendall(request)
        answer = b""
        while part := link.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].decode("latin-1")
    if not status.startswith("HTTP/1.1 200"):
        return status or "closed without a word", ""
    if b"chunked" in head.lower():
        body = body.split(b"\r\n")[1] if b"\r\n" in body else b""
    return ("", body.decode("latin-1").strip()) if body else ("200 without a body", "")


def work():
    global left
    while True:
        with lock:
            if left <= 0 and (not until or os.path.exists(until)):
                return
            left -= 1
        began = time.monotonic()
        try:
            fault, body = ask()
        except OSError as error:
            fault, body = repr(error), ""
        took = (time.monotonic() - began) * 1000
        with lock:
            latencies.append(took)
            if fault:
                failures[fault] += 1
            else:
                bodies[body[:80]] += 1


began = time.monotonic()
threads = [threading.Thread(target=work) for _ in range(workers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
latencies.sort()
print(json.dumps({
    "requests": len(latencies),
    "failed": sum(failures.values()),
    "failures": failures,
    "bodies": bodies,
    "seconds": round(time.monotonic() - began, 1),
    "p50": round(latencies[len(latencies) // 2], 1),
    "p99": round(latencies[len(latencies) * 99 // 100], 1),
    "max": round(latencies[-1], 1),
}))
