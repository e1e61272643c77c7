#!/usr/bin/env python3
"""Asks people for an approval before an agent acts, by the HTTP API, with nothing but the standard library.

usage: approval_gate.py QUESTION ACTION-JSON KEY      exit 0: approved, 1: not approved (denied, expired, ..), 2: failed
"""
import json, os, sys, urllib.request


def approved(question, action, key, kind="agent_change", url=os.environ.get("STENTOR_URL", "http://127.0.0.1:7373")):
    """Whether people approve exactly this action. Call it again with the same key after a crash: nobody is asked twice."""
    def call(path, body=None, **headers):
        headers |= {"Authorization": "Bearer " + os.environ["STENTOR_TOKEN"], "Content-Type": "application/json"}
        request = urllib.request.Request(url + path, body and json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)
    ask = {"kind": kind, "ask": {"type": "approval", "question": question, "action": action}}
    request = call("/v1/requests", ask, **{"Idempotency-Key": key})
    while request["state"] == "open":
        request = call(f"/v1/requests/{request['id']}?wait=30s")
    return request["outcome"].get("option") == "approve"


if __name__ == "__main__":
    try:
        sys.exit(0 if approved(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]) else 1)
    except (OSError, ValueError, KeyError, IndexError) as error:
        sys.exit(print(f"no answer: {error!r}", file=sys.stderr) or 2)
