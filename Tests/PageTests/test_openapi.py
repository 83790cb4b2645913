"""schemathesis asks the real server what /openapi.json allows, and a little more: no 5xx, no answer off the schema."""

from __future__ import annotations

from typing import Any, Optional

import hypothesis
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (content_type_conformance, response_schema_conformance,
                                               status_code_conformance)
from service import Service

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Streams without an end, and the login's end, after which nothing else would be answered.
LEFT_OUT = r"^/v1/live$|^/v1/sessions$"

# The grammar of questions refers to itself, which schemathesis makes no examples of.
TAKING_QUESTIONS = ["POST /v1/query", "POST /v1/questions", "PUT /v1/questions/{id}"]
STEPS = [{"event_type": "page_view"}, {"event_type": "sign_up", "filters": {"or": [{"not": {"plan": "pro"}}]}}]
QUESTIONS = [
    {"kind": "aggregate"},
    {"kind": "aggregate", "metrics": ["count", {"type": "count_distinct", "field": "user_id"}], "group_by": ["day"]},
    {"kind": "aggregate", "metrics": [{"type": "sum", "field": "properties.amount"}]},
    {"kind": "aggregate", "metrics": [{"type": "median", "field": "properties.amount"}]},
    {"kind": "aggregate", "time_zone": "Europe/Nowhere"},
    {"kind": "aggregate", "limit": -1},
    {"kind": "funnel", "steps": STEPS, "window": "7d"},
    {"kind": "funnel", "steps": STEPS, "users_at": {"step": 1, "outcome": "dropped", "limit": 5}},
    {"kind": "funnel", "steps": STEPS[:1]},
    {"kind": "events", "limit": 3},
    {"kind": "events", "cursor": "nonsense"},
    {"kind": "user", "user_id": "nobody", "timeline": {"limit": 2}},
    {"kind": "adoption", "feature_name": "search"},
    {"kind": "segment", "segment": {"all": [{"did": "purchase", "times": {"gte": 2}}, {"not": {"did": "error"}}]}},
    {"kind": "segment", "segment": {}},
    {"kind": "nothing"},
    {},
]


def failures_of(operation: Any, token: str) -> Optional[str]:
    """What is wrong with an operation, or None after all its examples went well."""
    @hypothesis.seed(20261124)
    @hypothesis.settings(max_examples=25, deadline=None, database=None,
                         suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS, timeout=60)

    try:
        check()
    except BaseExceptionGroup as group:
        return f"{operation.label}: " + "; ".join(str(one)[:600] for one in group.exceptions)
    except (schemathesis.errors.SchemathesisError, AssertionError) as error:
        return f"{operation.label}: {str(error)[:1200]}"
    return None


def failures_of_questions(operation: Any, token: str) -> Optional[str]:
    """The same for an operation that takes questions: good and bad ones, written by hand."""
    is_query = operation.path == "/v1/query"
    for question in QUESTIONS:
        body = question if is_query else {"name": "Of the tests", "question": question}
        path = {"id": "qst_" + "0" * 32} if "{id}" in operation.path else {}
        case = operation.Case(body=body, path_parameters=path, media_type="application/json")
        try:
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS, timeout=60)
        except BaseExceptionGroup as group:
            return f"{operation.label}, {question}: " + "; ".join(str(one)[:600] for one in group.exceptions)
        except AssertionError as error:
            return f"{operation.label}, {question}: {str(error)[:1200]}"
    return None


def test_the_api_is_as_described(server: Service) -> None:
    schema = schemathesis.openapi.from_url(server.url + "/openapi.json").exclude(path_regex=LEFT_OUT)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 20
    taking = [one for one in operations if one.label in TAKING_QUESTIONS]
    assert [one.label for one in taking] == TAKING_QUESTIONS
    failures = [failures_of(one, server.token) for one in operations if one not in taking]
    failures += [failures_of_questions(one, server.token) for one in taking]
    found = [failure for failure in failures if failure]
    assert not found, "\n\n".join(found)


def test_every_call_of_the_page_is_described(server: Service) -> None:
    paths = server.call("GET", "/openapi.json")["paths"]
    for path in ["/v1/query", "/v1/me", "/v1/status", "/v1/live", "/v1/events/names", "/v1/properties",
                 "/v1/dashboards", "/v1/questions", "/v1/shares", "/v1/sessions", "/v1/login-links"]:
        assert path in paths
