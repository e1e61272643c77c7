#!/usr/bin/env python3
"""Asks people for an approval before an agent acts, by the HTTP API, with nothing but the standard library.

usage: approval_gate.py QUESTION ACTION-JSON KEY [EDIT-JSON]
exit 0: approved, with the action to do on standard output; 1: not approved (denied, expired, ..), 2: failed
"""
import json, os, sys, urllib.request


def approved(question, action, key, edit=None, kind="agent_change",
             url=os.environ.get("STENTOR_URL", "http://127.0.0.1:7373")):
    """What people approve: this action, or as they changed it within `edit`; None if they do not. Do that and nothing else.
    Call it again with the same key after a crash: nobody is asked twice."""
    def call(path, body=None, **headers):
        headers |= {"Authorization": "Bearer " + os.environ["STENTOR_TOKEN"], "Content-Type": "application/json"}
        request = urllib.request.Request(url + path, body and json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)
    ask = {"kind": kind, "ask": {"type": "approval", "question": question, "action": action, "edit": edit}}
    request = call("/v1/requests", ask, **{"Idempotency-Key": key})
    while request["state"] == "open":
        request = call(f"/v1/requests/{request['id']}?wait=30s")
    outcome = request["outcome"]
    return outcome.get("action", action) if outcome.get("option") == "approve" else None


if __name__ == "__main__":
    try:
        action = approved(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], *map(json.loads, sys.argv[4:5]))
        sys.exit(1 if action is None else print(json.dumps(action)))
    except (OSError, ValueError, KeyError, IndexError) as error:
        sys.exit(print(f"no answer: {error!r}", file=sys.stderr) or 2)
