"""The company's branding, chosen in the admin and seen on the page."""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.axe import axe_violations
from tests.browser.conftest import NewPage, sign_in
from tests.service import Service


def test_a_look_is_seen_while_it_is_typed_and_then_on_the_page(
    page: Page, own_service: Service
) -> None:
    sign_in(page, own_service)
    page.goto(f"{own_service.url}/admin/look")
    page.get_by_label("Accent color", exact=True).fill("#7a1fa2")
    page.get_by_label("Style sheet").fill(".brand { letter-spacing: 3px }")
    shown = page.frame_locator(".frames iframe >> nth=0")
    expect(shown.locator(".brand")).to_have_css("letter-spacing", "3px")
    expect(shown.locator("body")).to_have_css("background-color", "rgb(246, 247, 248)")
    page.get_by_label("Scheme", exact=True).select_option("dark")
    expect(shown.locator("body")).to_have_css("background-color", "rgb(15, 18, 21)")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The branding was saved.")).to_be_visible()
    assert axe_violations(page) == []
    subscribe = page.get_by_role("link", name="Subscribe").first
    for _ in range(20):
        page.goto(own_service.url)
        if page.locator('link[href^="/look/"]').count():
            break
        page.wait_for_timeout(250)
    expect(subscribe).to_have_css("background-color", "rgb(122, 31, 162)")
    assert axe_violations(page) == []


def test_each_scheme_has_its_own_logo(new_page: NewPage, own_service: Service) -> None:
    page = new_page()
    sign_in(page, own_service)
    page.goto(f"{own_service.url}/admin/look")
    page.get_by_label("Picture", exact=True).set_input_files(_picture(width=32))
    page.get_by_label("Picture for dark backgrounds").set_input_files(_picture(width=48))
    page.get_by_role("button", name="Use this logo").click()
    expect(page.get_by_text("The logo is on the page.")).to_be_visible()
    for scheme, width in (("light", 32), ("dark", 48)):
        shown = new_page(scheme=scheme)
        for _ in range(20):
            shown.goto(own_service.url)
            if shown.locator("img.logo").count():
                break
            shown.wait_for_timeout(250)
        expect(shown.locator("img.logo")).to_have_js_property("naturalWidth", width)


def _picture(*, width: int) -> FilePayload:
    file = BytesIO()
    Image.new("RGB", (width, 32), "#1d5fc4").save(file, "PNG")
    return {"name": "logo.png", "mimeType": "image/png", "buffer": file.getvalue()}
