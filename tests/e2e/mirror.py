"""A mirror of WordPress's archive by HTTPS, as good or as bad as the file `mode` says: mirror.py DIRECTORY PORT."""

import http.server
import pathlib
import ssl
import sys

directory = pathlib.Path(sys.argv[1])


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves `archive.tar.gz` as /latest.tar.gz, and its checksum beside it."""

    def do_GET(self):
        mode = (directory / "mode").read_text().strip()
        archive = (directory / "archive.tar.gz").read_bytes()
        if mode == "elsewhere":
            self.send_response(302)
            self.send_header("Location", "https://other.example/latest.tar.gz")
            self.end_headers()
        elif self.path == "/latest.tar.gz.sha1" and mode != "bare":
            name = "wrong" if mode == "wrong" else "right"
            self.whole((directory / name).read_bytes())
        elif self.path == "/latest.tar.gz" and mode == "cut":
            self.head(len(archive))
            self.wfile.write(archive[: len(archive) // 2])
        elif self.path == "/latest.tar.gz" and mode == "large":
            self.head(200 << 20)
        elif self.path == "/latest.tar.gz" and mode == "page":
            self.whole(b"<html>Sorry</html>")
        elif self.path == "/latest.tar.gz":
            self.whole(archive)
        else:
            self.send_error(404)

    def head(self, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def whole(self, body):
        self.head(len(body))
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Mirror)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(directory / "server.pem", directory / "server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
