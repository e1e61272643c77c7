"""Clients of other products, pointed at Stentor: `senders.py CLIENT ADDRESS TOKEN`. Each says as JSON what it was told."""

import json
import sys


def pagerduty(address, token):
    import pagerduty

    def of(key):
        # It wants https, which a proxy before Stentor speaks: here it is told the plain address.
        client = pagerduty.EventsApiV2Client(key)
        client._url = address
        return client

    client = of(token)
    key = client.trigger("db-7 is down", "db-7", severity="critical", custom_details={"lag_s": 42})
    acknowledged = client.acknowledge(key)
    client.send_change_event({"summary": "deployed 1.2", "source": "ci"})
    try:
        of("R" * 32).trigger("x", "y")
        stranger = None
    except pagerduty.HttpError as error:
        stranger = error.response.status_code
    second = client.trigger("db-8 is down", "db-8", severity="critical", dedup_key="db-8")
    client.resolve(second)
    return {"key": key, "acknowledged": acknowledged, "second": second, "stranger": stranger}


def opsgenie(address, token):
    import opsgenie_sdk as sdk

    configuration = sdk.Configuration()
    configuration.host = address
    configuration.api_key["Authorization"] = token
    configuration.short_polling_max_retries = 1
    alerts = sdk.AlertApi(sdk.ApiClient(configuration))
    wish = sdk.CreateAlertPayload(
        message="db-7 is down", alias="db-7", priority="P1", tags=["db"], details={"lag_s": "42"}, entity="db-7"
    )
    created = alerts.create_alert(create_alert_payload=wish)
    result = created.retrieve_result()
    acknowledged = alerts.acknowledge_alert(identifier="db-7", identifier_type="alias")
    note = acknowledged.retrieve_result()
    second = alerts.create_alert(create_alert_payload=sdk.CreateAlertPayload(message="db-8 is down", priority="P1"))
    found = second.retrieve_result().data.alert_id
    closed = alerts.close_alert(identifier=found, identifier_type="id")
    pinged = sdk.HeartbeatApi(sdk.ApiClient(configuration)).ping("etl")
    try:
        alerts.create_alert(create_alert_payload=sdk.CreateAlertPayload(message="x", priority="P1", alias="a" * 513))
        refused = None
    except sdk.exceptions.ConfigurationException as error:
        refused = 422 if "(422)" in str(error) else str(error)
    return {
        "result": result.data.status, "alias": result.data.alias, "acknowledged": note.data.is_success,
        "closed": closed.retrieve_result().data.action, "pinged": pinged.result, "refused": refused,
    }


def cloudevents(address, token):
    import requests
    from cloudevents.core.bindings.http import to_binary, to_structured
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent

    def event(subject):
        attributes = {
            "type": "com.example.halt", "source": "/feeds/é 3", "subject": subject, "venue": "CME",
            "datacontenttype": "application/json",
        }
        return CloudEvent(attributes={**attributes, "id": subject}, data={"summary": f"{subject} is halted", "depth": 3})

    def send(message):
        headers = {**message.headers, "Authorization": f"Bearer {token}"}
        return requests.post(f"{address}/monitors/cloudevents/sender", headers=headers, data=message.body).status_code

    messages = [make(event(f"{n} ünd"), JSONFormat()) for n, make in enumerate([to_binary, to_structured])]
    return [send(message) for message in messages + messages]


def apprise(address, token):
    import apprise

    host = address.removeprefix("http://")
    notes = apprise.Apprise()
    assert notes.add(f"json://anyone:{token}@{host}/monitors/json/sender")
    return bool(notes.notify(title="db-7 is down", body="no heartbeat for 42 s", notify_type=apprise.NotifyType.FAILURE))


print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
