"""Errors for tools: what RFC 9457 asks for, and nothing that a proxy would keep."""

from __future__ import annotations

from statuspage.api.problems import problem


def test_a_problem_is_named_by_its_status_and_explained_where_there_is_more_to_say() -> None:
    bare = problem(404)
    assert (bare.status_code, bare.mimetype) == (404, "application/problem+json")
    assert bare.json == {"type": "about:blank", "title": "Not Found", "status": 404}
    told = problem(422, "It is empty.", errors=[{"field": "name"}])
    assert told.json == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "It is empty.",
        "errors": [{"field": "name"}],
    }


def test_no_answer_of_that_kind_is_kept_whatever_headers_go_with_it() -> None:
    answer = problem(429, headers={"Retry-After": "9", "Cache-Control": "max-age=60"})
    assert (answer.headers["Retry-After"], answer.headers["Cache-Control"]) == ("9", "no-store")
