"""A mail server with STARTTLS and AUTH, and a webhook by HTTPS, which keep what they get: sink.py DIRECTORY mail|hook PORT.

Mail goes to DIRECTORY/mail.N, a webhook's body to DIRECTORY/hook.N. Only ops with the password in the file `password` may send; a
webhook is taken only if it is signed with what is in the file `secret`, and not five minutes ago.
"""

import base64
import hashlib
import hmac
import http.server
import pathlib
import socketserver
import ssl
import sys
import time

directory = pathlib.Path(sys.argv[1])
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(directory / "server.pem", directory / "server.key")


def kept(kind, content):
    """Its number."""
    number = len(list(directory.glob(f"{kind}.*"))) + 1
    part = directory / f"part.{number}"
    part.write_bytes(content)
    part.rename(directory / f"{kind}.{number}")
    return number


class Mail(socketserver.StreamRequestHandler):
    """RFC 5321, as far as a client that sends one letter needs it."""

    timeout = 20

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def handle(self):
        secure = signed_in = False
        envelope = []
        self.say("220 sink.example ESMTP")
        while line := self.rfile.readline(4096).decode().rstrip("\r\n"):
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                self.say("250-sink.example")
                self.say("250 AUTH PLAIN LOGIN" if secure else "250 STARTTLS")
            elif verb == "STARTTLS" and not secure:
                self.say("220 go ahead")
                self.connection = tls.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb")
                secure = True
            elif verb == "QUIT":
                return self.say("221 bye")
            elif not secure:
                self.say("530 5.7.0 Must issue a STARTTLS command first")
            elif verb == "AUTH":
                wanted = "\0ops\0" + (directory / "password").read_text().strip()
                signed_in = base64.b64decode(line.split(" ")[2]).decode() == wanted
                self.say("235 2.7.0 welcome" if signed_in else "535 5.7.8 no such user")
            elif not signed_in:
                self.say("530 5.7.0 Authentication required")
            elif verb in ("MAIL", "RCPT"):
                envelope.append(line)
                self.say("250 2.1.0 fine")
            elif verb == "DATA":
                self.say("354 go on")
                lines = []
                while (text := self.rfile.readline(4096)) != b".\r\n":
                    lines.append(text[1:] if text.startswith(b".") else text)
                number = kept("mail", "\n".join(envelope).encode() + b"\n" + b"".join(lines))
                self.say(f"250 2.0.0 taken as letter {number}")
            else:
                self.say("500 5.5.1 what?")


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes what is signed, and writes no log: the address is a secret."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stamp = self.headers["X-Lalapanel-Timestamp"]
        secret = (directory / "secret").read_text().strip().encode()
        wanted = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        is_fresh = abs(time.time() - int(stamp)) < 300
        is_signed = hmac.compare_digest(self.headers["X-Lalapanel-Signature"], "sha256=" + wanted)
        if is_fresh and is_signed and self.path == "/hooks/canary-path":
            kept("hook", body)
        self.send_response(204 if is_fresh and is_signed else 403)
        self.end_headers()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


kind, port = sys.argv[2], int(sys.argv[3])
server = Server(("127.0.0.1", port), Mail if kind == "mail" else Hook)
if kind == "hook":
    server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
