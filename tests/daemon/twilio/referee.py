"""Twilio's own library as referee: what it signs, and how it writes its documents. Reads questions (a JSON list) from
standard input and writes their answers."""
import json
import sys
from xml.etree.ElementTree import canonicalize

from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Gather, VoiceResponse


class Form(dict):
    """A form in which a name may come twice."""

    def __init__(self, fields):
        super().__init__(fields)
        self.fields = fields

    def getlist(self, name):
        return [value for known, value in self.fields if known == name]


def say(verbs, lines):
    for n, line in enumerate(lines):
        if n:
            verbs.pause(length=1)
        verbs.say(line)


def document(question):
    if "reply" in question:
        response = MessagingResponse()
        if question["reply"]:
            response.message(question["reply"])
        return str(response)
    response = VoiceResponse()
    if question.get("action"):
        gather = Gather(
            input="dtmf", num_digits=1, finish_on_key="", timeout=8, action_on_empty_result=True, method="POST",
            action=question["action"],
        )
        say(gather, question["lines"])
        response.append(gather)
    else:
        say(response, question["lines"])
    response.hangup()
    return str(response)


def answer(question):
    if "token" in question:
        fields = Form([tuple(field) for field in question["fields"]])
        return RequestValidator(question["token"]).compute_signature(question["url"], fields)
    return canonicalize(document(question)) == canonicalize(question["xml"]) or document(question)


json.dump([answer(question) for question in json.load(sys.stdin)], sys.stdout)
