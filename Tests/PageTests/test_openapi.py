"""schemathesis asks the real server what /openapi.json allows, and a little more: no 5xx, no answer off the schema."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (content_type_conformance, response_schema_conformance,
                                               status_code_conformance)
from service import Service

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Streams without an end, and the login's end, after which nothing else would be answered.
LEFT_OUT = r"^/v1/live$|^/v1/sessions$"


@pytest.fixture
def described(server: Service) -> Any:
    return schemathesis.openapi.from_url(server.url + "/openapi.json").exclude(path_regex=LEFT_OUT)


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@hypothesis.seed(20261124)
@hypothesis.settings(max_examples=25, deadline=None, database=None,
                     suppress_health_check=list(hypothesis.HealthCheck))
def test_the_api_is_as_described(case: Any, server: Service) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {server.token}"}, checks=CHECKS, timeout=60)


def test_every_call_of_the_page_is_described(server: Service) -> None:
    paths = server.call("GET", "/openapi.json")["paths"]
    for path in ["/v1/query", "/v1/me", "/v1/status", "/v1/live", "/v1/events/names", "/v1/properties",
                 "/v1/dashboards", "/v1/questions", "/v1/shares", "/v1/sessions", "/v1/login-links"]:
        assert path in paths
