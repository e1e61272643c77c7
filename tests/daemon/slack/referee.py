"""Slack's own library as referee: what it signs, what it takes for signed, and how its Socket Mode client listens."""

import json
import sys

from slack_sdk import WebClient
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse


class At(Clock):
    def __init__(self, now):
        self.at = now

    def now(self):
        return self.at


def sign(question):
    return SignatureVerifier(question["secret"]).generate_signature(timestamp=question["at"], body=question["body"])


def is_valid(question):
    verifier = SignatureVerifier(question["secret"], At(question["now"]))
    headers = {name: question[name] for name in ("X-Slack-Request-Timestamp", "X-Slack-Signature") if name in question}
    try:
        return verifier.is_valid_request(question["body"], headers)
    except ValueError:
        # A time that is no number: the library refuses it by falling over.
        return False


def listen(api_url, token):
    """Acknowledges every envelope with its own payload, and says on a line what it had."""

    def heard(client, request):
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=request.payload))
        line = {"kind": request.type, "id": request.envelope_id, "takes_reply": request.accepts_response_payload}
        print(json.dumps(line), flush=True)

    client = SocketModeClient(app_token=token, web_client=WebClient(base_url=api_url + "/"))
    client.socket_mode_request_listeners.append(heard)
    client.connect()
    print(json.dumps({"kind": "connected"}), flush=True)
    sys.stdin.read()
    client.close()


if sys.argv[1] == "listen":
    listen(sys.argv[2], sys.argv[3])
else:
    judge = {"sign": sign, "is_valid": is_valid}[sys.argv[1]]
    print(json.dumps([judge(question) for question in json.load(sys.stdin)]))
