"""Funnels: built by mouse and by keyboard, saved, opened again, and always with the numbers of the API."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest
from conftest import Opener
from playwright.sync_api import Page, expect
from service import Service
from watched import Watched

STEPS = ["page_view", "click", "sign_up"]


def answer_of(server: Service, watched: Watched) -> Dict[str, Any]:
    """What the API says to the question that the page would copy."""
    page = watched.page
    page.get_by_role("button", name="Copy", exact=True).click()
    question = page.evaluate("JSON.parse(document.querySelector('dialog pre').textContent)")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    return dict(server.ask(question))


def shown_steps(page: Page) -> List[List[str]]:
    """The cells of the table of steps: name, people, then rates and counts."""
    return page.evaluate("""() => [...document.querySelectorAll('.conversion-figures tbody tr')]
        .map(row => [...row.cells].map(cell => cell.innerText.trim().replace(/\\s+/g, ' ')))""")


def percent(part: float) -> str:
    return f"{part * 100:,.1f} %"


def assert_equal(page: Page, answer: Dict[str, Any]) -> None:
    shown = shown_steps(page)
    assert len(shown) == len(answer["steps"])
    for number, (cells, step) in enumerate(zip(shown, answer["steps"]), 1):
        # Numbers below 10,000 are shown with all their digits.
        assert cells == [f"{number} {step['step']}", f"{step['users']:,}", percent(step["conversion_rate"]),
                         percent(step["drop_off"]), percent(step["from_first"]), f"{step['dropped']:,}",
                         f"{step['in_progress']:,}", percent(step["conversion_rate_closed"])]
    expect(page.locator(".answer-figure strong")).to_have_text(percent(answer["overall_conversion_rate"]))


def choose(page: Page, label: str, value: str) -> None:
    field = page.get_by_role("combobox", name=label, exact=True)
    field.click()
    page.get_by_role("option").filter(has=page.get_by_text(value, exact=True)).click()
    expect(field).to_have_value(value)


def build_by_mouse(watched: Watched) -> None:
    watched.show("funnels")
    page = watched.page
    page.get_by_role("button", name="Add step").click()
    for number, event in enumerate(STEPS, 1):
        choose(page, f"Event of step {number}", event)
    expect(page.locator(".conversion-column")).to_have_count(len(STEPS))
    watched.settle()


def test_a_funnel_is_built_by_mouse(server: Service, watched: Watched) -> None:
    build_by_mouse(watched)
    answer = answer_of(server, watched)
    assert answer["steps"][0]["users"] > 0
    assert [step["step"] for step in answer["steps"]] == STEPS
    assert_equal(watched.page, answer)


def test_a_funnel_is_built_by_keyboard(server: Service, watched: Watched) -> None:
    watched.show("funnels")
    page = watched.page
    keys = page.keyboard
    page.get_by_role("button", name="Add step").focus()
    keys.press("Enter")
    for number, event in enumerate(STEPS, 1):
        page.get_by_role("combobox", name=f"Event of step {number}", exact=True).focus()
        keys.type(event)
        expect(page.get_by_role("option").filter(has_text=event).first).to_be_visible()
        keys.press("Enter")
        keys.press("Tab")
    expect(page.locator(".conversion-column")).to_have_count(len(STEPS))
    watched.settle()

    page.get_by_role("button", name="Move step 3 up").focus()
    keys.press("Enter")
    expect(page.locator(".conversion-column .conversion-name").nth(1)).to_have_text("2sign_up")
    page.get_by_role("button", name="Move step 2 down").focus()
    keys.press("Enter")
    expect(page.locator(".conversion-column .conversion-name").nth(1)).to_have_text("2click")
    watched.settle()
    assert_equal(page, answer_of(server, watched))


def test_a_filter_of_a_step_counts(server: Service, watched: Watched) -> None:
    build_by_mouse(watched)
    page = watched.page
    before = shown_steps(page)
    page.get_by_role("button", name="Where …").first.click()
    choose(page, "Filter by", "properties.page_name")
    value = page.get_by_role("combobox", name="Value", exact=True)
    value.fill("signup")
    value.press("Enter")
    expect(page.locator(".conversion-figures tbody tr").first).not_to_contain_text(before[0][1])
    watched.settle()
    answer = answer_of(server, watched)
    assert answer["steps"][0]["users"] < int(before[0][1].replace(",", ""))
    assert_equal(page, answer)


def test_a_funnel_survives_reload_and_is_saved(server: Service, watched: Watched) -> None:
    build_by_mouse(watched)
    page = watched.page
    built = shown_steps(page)
    page.reload()
    watched.settle()
    expect(page.locator(".conversion-column")).to_have_count(len(STEPS))
    assert shown_steps(page) == built

    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Sign-ups of the tests")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign-ups of the tests")
    identifier = page.url.split("#/funnels/")[1].split("?")[0]
    saved = server.call("GET", f"/v1/questions/{identifier}")
    assert saved["kind"] == "funnel"
    assert [step["event_type"] for step in saved["question"]["steps"]] == STEPS

    page.reload()
    watched.settle()
    expect(page.locator(".conversion-column")).to_have_count(len(STEPS))
    assert_equal(page, server.ask(saved["question"]))
    server.call("DELETE", f"/v1/questions/{identifier}")


def test_a_question_saved_by_another_program_opens(server: Service, watched: Watched) -> None:
    steps = [{"event_type": "page_view", "filters": {"page_name": "signup"}}, {"name": "In", "event_type": "sign_up"}]
    question = {"kind": "funnel", "steps": steps, "window": "12_hours", "date_range": {"start": "29_days_ago"}}
    saved = server.call("POST", "/v1/questions", {"name": "By a program", "question": question})
    watched.show(f"funnels/{saved['question_id']}")
    expect(watched.page.locator(".conversion-column")).to_have_count(2)
    answer = answer_of(server, watched)
    assert [step["users"] for step in answer["steps"]] == [step["users"] for step in server.ask(question)["steps"]]
    assert_equal(watched.page, answer)
    server.call("DELETE", f"/v1/questions/{saved['question_id']}")


@pytest.mark.parametrize("outcome", ["converted", "dropped", "in_progress"])
def test_the_parts_of_a_column_show_their_people(server: Service, watched: Watched, outcome: str) -> None:
    build_by_mouse(watched)
    page = watched.page
    page.get_by_role("button", name="Copy", exact=True).click()
    question = page.evaluate("JSON.parse(document.querySelector('dialog pre').textContent)")
    page.keyboard.press("Escape")
    answer = server.ask({**question, "users_at": {"step": 1, "outcome": outcome, "limit": 10000}})
    part = page.locator(f".conversion-column:first-child .conversion-part.{outcome}")
    if answer["user_count"] == 0:
        expect(part).to_have_count(0)
        return
    part.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{answer['user_count']:,} p")
    shown = dialog.locator("tbody tr a").all_inner_texts()
    assert [text.split()[0] for text in shown] == [one["user_id"] for one in answer["users"]][:len(shown)]
    assert len(shown) == min(100, answer["user_count"])
    assert watched.violations() == []
    dialog.locator("tbody tr a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(answer["users"][0]["user_id"])
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_an_answered_funnel_is_accessible(open_page: Opener, width: int, scheme: str) -> None:
    watched = open_page(width=width, scheme=scheme)
    build_by_mouse(watched)
    assert watched.violations() == []
    assert watched.overflow() == 0
