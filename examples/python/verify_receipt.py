#!/usr/bin/env python3
"""Verifies a receipt, without Stentor: see docs/src/receipts.md. Needs the package `cryptography`.

usage: verify_receipt.py KEYS RECEIPT      exit 0: valid, 1: it is not, 2: unreadable
KEYS is what the daemon has at /v1/keys. Prints what the receipt says.
"""
import base64, json, sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def decoded(part):
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise ValueError("it is not base64url in its one form")
    return data


def verified(keys, receipt):
    header, claims, signature = receipt.split(".")
    head = json.loads(decoded(header))
    if set(head) != {"alg", "kid", "typ"} or (head["alg"], head["typ"]) != ("EdDSA", "stentor-receipt+jws"):
        raise ValueError(f"its header is not a receipt's: {head}")
    known = [key for key in keys["keys"] if key.get("crv") == "Ed25519" and key.get("kid") == head["kid"]]
    if not known:
        raise ValueError(f'none of the keys is {head["kid"]}')
    key = Ed25519PublicKey.from_public_bytes(decoded(known[0]["x"]))
    key.verify(decoded(signature), f"{header}.{claims}".encode("ascii"))
    return json.loads(decoded(claims))


if __name__ == "__main__":
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            keys = json.load(file)
        with open(sys.argv[2], encoding="ascii") as file:
            receipt = file.read().strip()
    except (OSError, ValueError, IndexError) as error:
        sys.exit(print(f"can not be read: {error!r}", file=sys.stderr) or 2)
    try:
        print(json.dumps(verified(keys, receipt), indent=2, ensure_ascii=False))
    except (InvalidSignature, ValueError, KeyError, TypeError) as error:
        sys.exit(print(f"NOT valid: {error!r}") or 1)
