"""Signing in, in Chromium with its virtual authenticator and at a real OpenID Connect provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Page, expect

from statuspage.core import clock
from tests.browser.conftest import NewPage
from tests.browser.test_subscribe import newest_mail
from tests.fakes.oidc_server import OidcServer
from tests.ports import free_port
from tests.service import FirstStart, Service

PASSWORD, NEW_PASSWORD = "four words out of nowhere", "another few words of nothing"
# What the open incident's next update says.
WORDS, DRAFT = "#resolution", "We renewed the certificate."
CLIENT, SECRET = "status-page", "the provider's and ours"


@pytest.fixture(scope="module")
def by_name(
    tmp_path_factory: pytest.TempPathFactory, first_start: FirstStart
) -> Iterator[tuple[Service, int]]:
    """The service under a name, since browsers bind no passkey to a bare IP address.

    With the port of its provider, which is not started yet.
    """
    port, providers = free_port(), free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.service.free_port", lambda: port)
        running = Service(
            tmp_path_factory.mktemp("by-name"),
            {
                "PUBLIC_URL": f"http://localhost:{port}",
                "OIDC_ISSUER": f"http://127.0.0.1:{providers}",
                "OIDC_CLIENT_ID": CLIENT,
                "OIDC_CLIENT_SECRET": SECRET,
                "OIDC_NAME": "the lab",
                "OIDC_SCOPES": "openid email profile groups",
                "OIDC_ROLES": "Staff=admin, Comms=comms_lead, Everybody=viewer",
                "OIDC_CREATE_ACCOUNTS": "yes",
            },
            first_start=first_start,
        )
    running.url = f"http://localhost:{port}"
    yield running, providers
    running.stop()


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, service: Service, page: Page, email: str, password: str = PASSWORD) -> None:
        self.page, self.email, self.password = page, email, password
        self.admin = f"{service.url}/admin"

    def go(self, path: str) -> None:
        self.page.goto(f"{self.admin}{path}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def fill(self, **values: str) -> None:
        for label, value in values.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)

    def sees(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def accept(self, link: str, name: str) -> None:
        self.page.goto(link)
        self.fill(Your_name=name, Password=self.password)
        self.press("Continue")
        self.is_in()

    def enter_password(self) -> None:
        self.go("/login")
        self.fill(Email_address=self.email, Password=self.password)
        self.press("Sign in")

    def is_in(self) -> None:
        self.page.wait_for_url(f"{self.admin}/")

    def sign_out(self) -> None:
        self.go("/")
        self.press("Sign out")
        self.sees("Sign in")

    def has_authenticator(self) -> None:
        devices = self.page.context.new_cdp_session(self.page)
        devices.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_from_the_first_start_to_a_lost_password(
    by_name: tuple[Service, int], new_page: NewPage
) -> None:
    service, _ = by_name
    first = Person(service, new_page(), service.email, service.password)
    first.enter_password()
    first.is_in()
    invited = {role: invite(first, f"{role}@example.com", role) for role in INVITED}

    dana = Person(service, new_page(), "comms_lead@example.com")
    dana.accept(invited["comms_lead"], "Dana")
    dana.has_authenticator()
    codes, app = set_up_app(dana)
    dana.go("/me/passkeys")
    dana.fill(Name="Laptop")
    dana.press("Add a passkey")
    expect(dana.page.get_by_role("status")).to_contain_text("Your passkey was added")

    dana.sign_out()
    dana.press("Sign in with a passkey")
    dana.is_in()
    dana.sign_out()
    dana.enter_password()
    dana.sees("Enter your code")
    # The code that set the app up counts no more.
    dana.fill(Code=app.at(clock.now() + timedelta(seconds=30)))
    dana.press("Sign in")
    dana.is_in()
    dana.sign_out()
    dana.enter_password()
    dana.press("Sign in with a passkey")
    dana.is_in()

    # The phone is lost, and then the password.
    dana.sign_out()
    dana.enter_password()
    dana.fill(Code=codes[0])
    dana.press("Sign in")
    dana.is_in()
    dana.sign_out()
    dana.page.get_by_role("link", name="Forgot your password?").click()
    dana.fill(Email_address=dana.email)
    dana.press("Email a link")
    mail = newest_mail(service, dana.email, "Choose a new password")
    [link] = re.findall(r"http://\S+/admin/invitations/\S+", mail)
    dana.password = NEW_PASSWORD
    dana.page.goto(link)
    dana.fill(Your_name="Dana", Password=dana.password)
    dana.press("Continue")
    dana.sees("Enter your code")
    dana.fill(Code=codes[1])
    dana.press("Sign in")
    dana.is_in()

    riley = Person(service, new_page(), "responder@example.com")
    riley.accept(invited["responder"], "Riley")
    open_incident(riley)
    expect(riley.page.locator("[name=publish]")).to_have_count(0)
    riley.page.locator(WORDS).fill(DRAFT)
    riley.press("Save draft")
    expect(riley.page.get_by_role("status").first).to_contain_text("The draft is saved.")

    open_incident(dana)
    dana.page.get_by_role("link", name="Open a copy").click()
    expect(dana.page.locator(WORDS)).to_have_value(DRAFT)
    dana.page.locator(".composer [name=publish]").click()
    expect(dana.page.locator(".last-said")).to_contain_text(DRAFT)

    vic = Person(service, new_page(), "viewer@example.com")
    vic.accept(invited["viewer"], "Vic")
    open_incident(vic)
    expect(vic.page.locator(".composer")).to_have_count(0)
    vic.go("/settings")
    expect(vic.page.locator("main")).to_contain_text("Viewer")
    expect(vic.page.locator("main")).to_contain_text("Admin")


INVITED = ("comms_lead", "responder", "viewer")


def invite(person: Person, email: str, role: str) -> str:
    """The link that an invited colleague is sent."""
    person.go("/accounts")
    person.fill(Email_address=email)
    person.page.locator(f"[name=role][value={role}]").check()
    person.press("Invite")
    return person.page.locator("#link").inner_text()


def set_up_app(person: Person) -> tuple[list[str], pyotp.TOTP]:
    """The recovery codes, and the app that was set up."""
    person.go("/me/second-factor")
    person.press("Set up an authenticator app")
    app = pyotp.TOTP(person.page.locator("#secret").inner_text().replace(" ", ""))
    person.fill(Code=app.at(clock.now()))
    person.press("Confirm")
    person.sees("Recovery codes")
    return person.page.locator("main li code").all_inner_texts(), app


def open_incident(person: Person) -> None:
    person.go("/incidents?show=open")
    person.page.locator(".stories h2 a").first.click()
    expect(person.page.locator(".standing")).to_be_visible()


TRIES = 12
GROUPS = {"ada": ["Staff"], "bo": ["Comms", "Everybody"], "cy": ["Everybody"], "di": ["Suppliers"]}
PEOPLE = {
    name: {
        "email": f"{name}@lab.example",
        "email_verified": True,
        "name": name.title(),
        "groups": groups,
    }
    for name, groups in GROUPS.items()
}


def test_a_provider_lets_in_by_group_and_signs_out(
    by_name: tuple[Service, int], new_page: NewPage
) -> None:
    service, port = by_name
    people = {name: Person(service, new_page(), name) for name in PEOPLE}
    ada = people["ada"]
    ada.go("/login")
    ada.page.get_by_role("link", name="Continue with the lab").click()
    expect(ada.page.locator("main")).to_contain_text("The lab can’t be reached right now.")
    client = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uris": [f"{ada.admin}/sso/callback"],
        "post_logout_redirect_uris": [f"{ada.admin}/login"],
        "backchannel_logout_uri": f"{service.url}/hooks/oidc-logout",
        "backchannel_logout_session_required": True,
    }
    with OidcServer(port, client=client, people=PEOPLE):
        for person in people.values():
            enter_at_provider(person, port)
        expect(people["di"].page.locator("main")).to_contain_text("None of your groups may sign in")
        roles = {}
        for name in ("ada", "bo", "cy"):
            people[name].is_in()
            people[name].go("/settings")
            roles[name] = people[name].page.locator("main").inner_text()
        assert "Comms lead" in roles["bo"]
        assert "Viewer" in roles["cy"]
        ada.sees("Page settings")

        # Signing out here goes on to the provider; signing out there ends what is here.
        bo = people["bo"]
        bo.go("/")
        bo.press("Sign out")
        bo.press("Yes, sign me out")
        bo.sees("Sign in")
        ada.page.goto(f"http://127.0.0.1:{port}/session/end")
        ada.press("Yes, sign me out")
        ada.page.wait_for_url(re.compile("/session/end/success"))
        ada.go("/")
        ada.sees("Sign in")


def enter_at_provider(person: Person, port: int) -> None:
    """Sign in at the provider's own pages, and agree that it says who one is."""
    # For some seconds a provider that was away is asked by nobody, so they try again.
    for _ in range(TRIES):
        person.go("/login")
        person.page.get_by_role("link", name="Continue with the lab").click()
        if urlsplit(person.page.url).port == port:
            break
        person.page.wait_for_timeout(1_000)
    person.page.locator("[name=login]").fill(person.email)
    person.page.locator("[name=password]").fill("any")
    person.page.locator("[type=submit]").click()
    person.page.locator("[type=submit]").click()
