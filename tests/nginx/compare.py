"""Compares our trees with crossplane's, file by file, and gixy-ng's findings with what is allowed."""

import json
import pathlib
import subprocess
import sys

import crossplane

# What gixy-ng finds on a rendered server and we keep: (finding, file) and the reason.
ALLOWED = {
    ("weak_ssl_tls", "/etc/nginx/conf.d/lalapanel.conf"): "the catch-all refuses every handshake before a protocol is chosen",
}
# The same in every file of a site.
ALLOWED_IN_SITES = {
    "valid_referers": "images for this site only: who types their address, or hides where they come from, sees them all the same",
    "return_bypasses_allow_deny": "what is returned is 403, 404 or the owner's redirect: nothing of the site itself",
    "hsts_header": "an owner turns it on (`tls.hsts`): a browser that has seen it cannot go back to HTTP",
}


def ours(tree):
    return [(one["line"], one["words"], one["inside"] and ours(one["inside"]) if one["inside"] is not None else None) for one in tree]


def theirs(block):
    return [(one["line"], [one["directive"], *one["args"]], theirs(one["block"]) if "block" in one else None) for one in block]


def without_brackets(tree):
    """crossplane takes the brackets of an `if` off; we keep what is written."""
    found = []
    for line, words, inside in tree:
        if words[0] == "if" and len(words) > 1:
            first, last = words[1][1:].lstrip(), words[-1]
            words = ["if", first, *words[2:]]
            words[-1] = words[-1][:-1].rstrip()
            words = ["if", *[word for word in words[1:] if word]]
        found.append((line, words, without_brackets(inside) if inside is not None else None))
    return found


def same(directory, name, entry):
    read = crossplane.parse(str(directory / name), single=True, check_ctx=False, check_args=False)
    return not read["errors"] and theirs(read["config"][0]["parsed"]) == without_brackets(ours(entry["tree"]))


def compare(directory):
    passed, failed = 0, []
    for line in (directory / "trees.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if same(directory, entry["file"], entry):
            passed += 1
        else:
            failed.append(entry["file"])
    return passed, failed


def findings(gixy, dump):
    ran = subprocess.run([gixy, "--format", "json", str(dump)], capture_output=True, text=True, check=False)
    found = json.loads(ran.stdout)
    assert ran.returncode in (0, 1), ran.stderr
    ours = [one for one in found if one["file"].startswith("/etc/nginx/") and one["file"] != "/etc/nginx/nginx.conf"]
    def kept(one):
        in_site = one["file"].startswith("/etc/nginx/sites-enabled/") and one["plugin"] in ALLOWED_IN_SITES
        return in_site or (one["plugin"], one["file"]) in ALLOWED

    return [one for one in ours if not kept(one)]


def main():
    directory, gixy = pathlib.Path(sys.argv[1]), sys.argv[2]
    passed, failed = compare(directory)
    for name in failed[:5]:
        print(f"FAIL {name}:\n{(directory / name).read_text(encoding='utf-8')}")
    assert passed + len(failed) > 5000, "the generated files are missing"
    found = findings(gixy, directory / "dump.conf")
    for one in found[:20]:
        print("FAIL gixy", json.dumps(one))
    # A reader that finds nothing anywhere proves nothing.
    planted = directory / "planted.conf"
    fault = "location /planted { return 301 https://a.example$uri; } location /"
    planted.write_text((directory / "dump.conf").read_text().replace("location /", fault, 1))
    blind = not findings(gixy, planted) or same(directory, "0.conf", {"tree": []})
    if blind:
        print("FAIL a planted fault is not found")
    print(f"{passed + (not found) + (not blind)} passed, {len(failed) + len(found) + blind} failed")
    return 1 if failed or found or blind else 0


sys.exit(main())
