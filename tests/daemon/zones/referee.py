"""Offsets and abbreviations of zones at moments (JSON in, JSON out), by Python's own reader of compiled zones."""

import datetime
import json
import sys
import zoneinfo

with open(sys.argv[1]) as file:
    asked = json.load(file)
epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def shown(zone, second):
    local = (epoch + datetime.timedelta(seconds=second)).astimezone(zone)
    return [int(local.utcoffset().total_seconds()), local.tzname()]


print(json.dumps([[shown(zoneinfo.ZoneInfo(name), second) for second in asked["moments"]] for name in asked["names"]]))
