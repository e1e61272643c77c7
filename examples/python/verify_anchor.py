#!/usr/bin/env python3
"""Verifies signed copies of anchors, without Stentor: see docs/src/journal-format.md. Python has no Ed25519 of its own,
so OpenSSL (1.1.1 or newer) checks each signature.

usage: verify_anchor.py KEY.PEM COPIES      exit 0: each is signed with this key, 1: one is not, 2: unreadable
"""
import base64, json, subprocess, sys, tempfile


def is_signed(key, copy):
    statement = "stentor journal anchor\nsite {site}\nseq {seq}\nhash {hash}\nat {at}\n".format(**copy)
    with tempfile.NamedTemporaryFile() as said, tempfile.NamedTemporaryFile() as signed:
        said.write(statement.encode("utf-8"))
        signed.write(base64.b64decode(copy["signature"]))
        said.flush(), signed.flush()
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin"]
        return subprocess.run(command + ["-in", said.name, "-sigfile", signed.name], capture_output=True).returncode == 0


if __name__ == "__main__":
    try:
        with open(sys.argv[2], encoding="utf-8", newline="\n") as file:
            copies = [json.loads(line) for line in file if line.strip()]
        wrong = [copy["seq"] for copy in copies if not is_signed(sys.argv[1], copy)]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        sys.exit(print(f"can not be read: {error!r}", file=sys.stderr) or 2)
    print("\n".join([f"anchor {seq}: NOT SIGNED with this key" for seq in wrong] + [f"{len(copies)} copy(s) checked"]))
    sys.exit(1 if wrong else 0)
