"""Hands an order to the courier's socket as the agent does, and prints how it ended.

errand.py order DIRECTORY ROOTS ACCOUNT_KEY REQUEST [--kid KID --mac KEY] NAME...
The first line printed is "issued" or "failed KIND", then the moments, then the chain or the words.
"""
import json
import socket
import struct
import sys


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def main():
    arguments = sys.argv[2:]
    binding = None
    if "--kid" in arguments:
        at = arguments.index("--kid")
        binding = {"kid": arguments[at + 1], "key": arguments[at + 3]}
        del arguments[at : at + 4]
    directory, roots, account, request, *names = arguments
    authority = {"directory": directory, "email": None, "roots": read(roots), "binding": binding}
    order = {
        "authority": authority,
        "account": read(account),
        "names": names,
        "request": read(request),
        "seed": 7,
    }
    body = json.dumps({"order": order}).encode()
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(260)
    stream.connect("/run/lalapanel/courier.sock")
    stream.sendall(struct.pack(">I", len(body)) + body)
    answer = b""
    while True:
        part = stream.recv(65536)
        if not part:
            break
        answer += part
    if len(answer) < 4:
        print("closed")
        return
    ended = json.loads(answer[4:])
    if "Err" in ended:
        print("refused", ended["Err"]["code"], ended["Err"]["detail"])
        return
    ordered = ended["Ok"]["ordered"]
    outcome = ordered["outcome"]
    print("issued" if "Ok" in outcome else "failed " + outcome["Err"]["kind"])
    for moment in ordered["moments"]:
        print(moment["after"], moment["what"])
    print(outcome.get("Ok") or outcome["Err"]["detail"])


main()
