"""The Standard Webhooks library as referee of what we sign. Reads a JSON list of {key, headers, body} from standard input
and writes for each whether it is believed."""
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def believed(case):
    try:
        Webhook(case["key"]).verify(case["body"], case["headers"])
        return True
    except WebhookVerificationError:
        return False


json.dump([believed(case) for case in json.load(sys.stdin)], sys.stdout)
