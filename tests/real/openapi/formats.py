"""Formats of the API's document that JSON Schema does not have."""

import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.format("time-zone", st.sampled_from(["UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata"]))
