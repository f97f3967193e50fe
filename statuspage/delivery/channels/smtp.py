"""Mail through an SMTP server (RFC 5321), one recipient a transaction.

The server takes responsibility when it answers the final dot.  Until that dot has left this machine
in full, nobody can have the mail; afterwards, without an answer, nobody knows.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlsplit

from statuspage.delivery.channels import sockets
from statuspage.delivery.channels.mime import MessageForm, mailbox
from statuspage.delivery.channels.provider import (
    Fault,
    Outcome,
    OutgoingMessage,
    Recipient,
    Result,
    brief,
    results,
)
from statuspage.delivery.channels.refusal_runs import RefusalRun, Trial, describe_run

_CONNECT = 30.0  # seconds from the first packet to the end of logging in
_IDLE = 30.0  # seconds after which a kept connection is not trusted any more
_QUEUED = re.compile(r"queued (?:mail for delivery|as) ([\w.-]+)", re.IGNORECASE)
_CLOSING = 421
_STEPS = ("MAIL", "RCPT", "DATA")
_LOGIN_CODES = frozenset({530, 534, 535, 538})
# RFC 3463: class, subject, detail.
_ENHANCED = re.compile(r"5\.(\d{1,3})\.(\d{1,3})\b")
# The sender's address (RFC 3463, X.1.7 and X.1.8).
_SENDER_DETAILS = frozenset({("1", "7"), ("1", "8")})
# Our own limit: X.4.5 is Gmail's for a day's mail, X.1.90 Exchange Online's.
_LIMIT_DETAILS = frozenset({("4", "5"), ("1", "90")})
_TOO_LARGE = ("3", "4")
# Codes that name no mailbox: the command, its place, the host, the transaction as a whole.
_NO_MAILBOX = frozenset({500, 502, 503, 504, 521, 554})


class Tls(StrEnum):
    """When the connection is encrypted."""

    IMPLICIT = "implicit"  # from the first byte: smtps://
    REQUIRE = "require"  # STARTTLS, or nothing is sent
    OFFERED = "offered"  # STARTTLS where the server offers it
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = ""


def read_url(url: str) -> SmtpServer:
    """The server that ``smtp://user:password@host:587?starttls=require`` names.

    ``smtps://`` encrypts from the first byte.  ``starttls`` is ``require`` or ``never``; left out,
    it is required where there is a password, used where it is offered, and left alone on this very
    machine.  Raises ``ValueError`` with one sentence, which never holds the password.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("must look like smtp://user:password@host:587")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    preferences = options.pop("starttls", "")
    if options:
        raise ValueError(f"has an unknown option {min(options)!r}; there is only starttls")
    if preferences not in {"", "require", "never"}:
        raise ValueError("starttls must be require or never")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():  # smtplib could not say them
        raise ValueError("user and password must be ASCII")
    near = sockets.is_loopback(parts.hostname)
    if parts.scheme == "smtps":
        return SmtpServer(parts.hostname, parts.port or 465, Tls.IMPLICIT, user, password)
    if user and preferences == "never" and not near:
        raise ValueError("starttls=never would send the password in the clear")
    if preferences:
        tls = Tls(preferences)
    elif near:
        tls = Tls.NEVER
    else:
        tls = Tls.REQUIRE if user else Tls.OFFERED
    return SmtpServer(parts.hostname, parts.port or (587 if user else 25), tls, user, password)


class _LostError(Exception):
    """The connection ended before the final dot was out: certainly not sent."""


class _NoSessionError(Exception):
    """There is no server to talk to; says whose fault that is."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class _Reply:
    code: int
    text: str

    @property
    def is_good(self) -> bool:
        return 200 <= self.code < 400

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class _Session:
    """One connection to the server; serves one thread at a time."""

    def __init__(self, sock: sockets.DeadlineSocket, *, hostname: str) -> None:
        self.sock = sock
        self.served = 0
        self._smtp = smtplib.SMTP(local_hostname=hostname)
        self._smtp.sock = sock  # type: ignore[assignment]
        self._used = time.monotonic()

    @property
    def is_over(self) -> bool:
        return self._smtp.sock is None

    @property
    def is_encrypted(self) -> bool:
        return self.sock.is_encrypted

    def is_fresh(self) -> bool:
        return time.monotonic() - self._used < _IDLE and self.sock.is_quiet()

    def greet(self, server: SmtpServer, *, tls: ssl.SSLContext | None) -> None:
        """Say who we are, encrypt as ``server`` asks for, and log in.

        Raises ``smtplib.SMTPException`` or another ``OSError``.
        """
        smtp = self._smtp
        code, text = smtp.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        self._introduce()
        if tls and server.tls is not Tls.IMPLICIT:
            if smtp.has_extn("starttls"):
                self._start_tls(tls, hostname=server.host)
            elif server.tls is Tls.REQUIRE:
                raise smtplib.SMTPNotSupportedError("it offers no STARTTLS")
        if server.user:
            smtp.login(server.user, server.password)

    def check(self, recipient: Recipient) -> None:
        """``ValueError`` where this server cannot be given the address (RFC 6531)."""
        if not mailbox(recipient.address).isascii() and not self._smtp.has_extn("smtputf8"):
            raise ValueError(
                "the mail server takes only addresses in ASCII (it offers no SMTPUTF8)"
            )

    def deliver(
        self, sender: str, recipient: Recipient, *, message: bytes, still_ours: Callable[[], bool]
    ) -> Result | None:
        """One transaction; None where it is not ours to finish any more.

        Raises ``_LostError`` where the connection ends while nothing can have been sent, and
        ``_NoSessionError`` where the server's answer is about us.
        """
        self._used = time.monotonic()
        address = mailbox(recipient.address)
        wide = "" if address.isascii() else " SMTPUTF8 BODY=8BITMIME"
        replies, unread = self._ask(f"MAIL FROM:<{sender}>{wide}", f"RCPT TO:<{address}>", "DATA")
        if not replies[-1].is_good:
            self._start_over(unread=unread)
            return _refusal(recipient, _STEPS[len(replies) - 1], replies[-1])
        if replies[-1].code != 354:
            raise self._lost(f"it answered {replies[-1]} to DATA")
        if not still_ours():
            self.close()
            return None
        self._write(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        self.served += 1
        try:
            reply = self._read()
        except _LostError as error:
            reason = f"the mail server took the message and did not answer: {error}"
            return Result(recipient, Outcome.UNKNOWN, Fault.PROVIDER, reason)
        return self._conclude(recipient, reply)

    def close(self) -> None:
        self._smtp.close()

    def quit(self) -> None:
        """Take leave without waiting for an answer."""
        self.sock.deadline = time.monotonic() + 1
        with contextlib.suppress(OSError):
            self.sock.sendall(b"QUIT\r\n")
        self.close()

    def _conclude(self, recipient: Recipient, reply: _Reply) -> Result:
        if 200 <= reply.code < 300:
            found = _QUEUED.search(reply.text)
            return Result(recipient, Outcome.ACCEPTED, provider_id=found[1] if found else None)
        if 500 <= reply.code < 600:
            return _permanent(recipient, reply)
        if 400 <= reply.code < 500:
            if reply.code == _CLOSING:
                self.close()
            return Result(recipient, Outcome.NOT_SENT, Fault.PROVIDER, str(reply))
        self.close()
        return Result(recipient, Outcome.UNKNOWN, Fault.PROVIDER, f"no SMTP answer: {reply}")

    def _ask(self, *commands: str) -> tuple[list[_Reply], int]:
        """The replies up to the first bad one, and how many more are still to come.

        Where the server can, the commands go out together (RFC 2920).
        """
        together = self._smtp.has_extn("pipelining")
        if together:
            self._write("".join(f"{command}\r\n" for command in commands).encode())
        replies: list[_Reply] = []
        for command in commands:
            if not together:
                self._write(f"{command}\r\n".encode())
            replies.append(self._read())
            if replies[-1].code == _CLOSING:
                raise self._lost(str(replies[-1]))
            if not replies[-1].is_good:
                break
        return replies, len(commands) - len(replies) if together else 0

    def _start_over(self, *, unread: int) -> None:
        """Make ready for the next transaction after one that was refused."""
        with contextlib.suppress(_LostError):
            late = [self._read() for _ in range(unread)]
            if any(reply.code == 354 for reply in late):  # it waits for a text nobody would get
                self.close()
                return
            self._write(b"RSET\r\n")
            if self._read().code != 250:
                self.close()

    def _introduce(self) -> None:
        """EHLO, or HELO to a server that knows no EHLO.

        Where both fail it is the answer to EHLO that says why: ``smtplib`` would ask once more on a
        connection that was closed with that answer, and report the closing alone.
        """
        code, text = self._smtp.ehlo()
        if 200 <= code < 300:
            return
        if code != _CLOSING:
            with contextlib.suppress(smtplib.SMTPServerDisconnected):
                if 200 <= self._smtp.helo()[0] < 300:
                    return
        raise smtplib.SMTPResponseException(code, text)

    def _start_tls(self, context: ssl.SSLContext, *, hostname: str) -> None:
        code, text = self._smtp.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, text)
        self.sock.start_tls(context, hostname=hostname)
        # What was said in the clear counts for nothing (RFC 3207, section 4.2).
        self._smtp.file = None
        self._smtp.ehlo_resp = self._smtp.helo_resp = None
        self._smtp.esmtp_features = {}
        self._smtp.does_esmtp = False
        self._introduce()

    def _write(self, data: bytes) -> None:
        try:
            self._smtp.send(data)
        except OSError as error:
            raise self._lost(str(error.__context__ or error)) from None

    def _read(self) -> _Reply:
        try:
            code, text = self._smtp.getreply()
        except OSError as error:
            raise self._lost(str(error.__context__ or error)) from None
        return _Reply(code, brief(text.decode(errors="replace")))

    def _lost(self, reason: str) -> _LostError:
        self.close()
        return _LostError(f"the connection to the mail server ended: {reason}")


class Smtp:
    """Sends letters through one SMTP server, over connections that are kept and shared.

    ``timeout`` is in seconds of wall clock for one transaction, answers included.  RFC 5321 wants
    minutes of patience after the final dot; a shorter one makes mail uncertain, not lost.
    ``hostname`` is the domain that we greet the server with (RFC 5321, 4.1.1.1): a name that its
    operator knows, which the name of a machine or a container is not.  Raises ``ValueError`` as
    :func:`read_url` does.
    """

    max_batch = 100

    def __init__(self, url: str, *, timeout: float = 120.0, hostname: str = "localhost") -> None:
        self._server = read_url(url)
        self._timeout = timeout
        self._hostname = hostname
        self._tls = None if self._server.tls is Tls.NEVER else ssl.create_default_context()
        self._idle: deque[_Session] = deque()
        self._refusals = RefusalRun()

    def send(
        self,
        outgoing: OutgoingMessage,
        recipients: Sequence[Recipient],
        *,
        still_ours: Callable[[], bool],
    ) -> Iterator[Sequence[Result]]:
        """As :class:`.provider.Provider` promises: a chunk for each acceptance.

        Whether a refusal is about its recipient, :mod:`.refusal_runs` decides.
        A connection that ends in use is opened once more for the same recipient.  When the server
        cannot be reached, or fails twice in a row, all who are left are ``NOT_SENT``.
        """
        try:
            form = MessageForm(outgoing, date=datetime.now(UTC))
        except ValueError as error:
            yield results(recipients, Outcome.NOT_SENT, fault=Fault.CREDENTIALS, reason=str(error))
            return
        left = deque(recipients)
        trial = Trial(self._refusals)
        try:
            with contextlib.closing(self._try_each(form, outgoing, left, still_ours)) as tries:
                for was_asked, result in tries:
                    known = [replace(result, reason=self._clean(result.reason))]
                    if certain := trial.add(known) if was_asked else known:
                        yield certain
                    if was_asked and result.outcome is Outcome.REFUSED and trial.is_hopeless:
                        raise _NoSessionError(Fault.PROVIDER, describe_run(result.reason))
            if left:  # it is not ours to go on
                return
        except _NoSessionError as error:
            if left:
                reason = self._clean(str(error))
                yield results(left, Outcome.NOT_SENT, fault=error.fault, reason=reason)
        if refused := trial.finish():
            yield refused

    def _try_each(
        self,
        form: MessageForm,
        outgoing: OutgoingMessage,
        left: deque[Recipient],
        still_ours: Callable[[], bool],
    ) -> Generator[tuple[bool, Result]]:
        """One recipient after the other, taken out of ``left``: was the server asked, its answer.

        Ends early where it is not ours to go on; raises ``_NoSessionError`` where it is no use.
        """
        sender = mailbox(outgoing.sender)
        losses = 0
        session: _Session | None = None
        try:
            while left:
                recipient = left[0]
                try:
                    message = form.render(recipient)
                    if session is None or session.is_over:
                        session = self._take_session()
                    session.check(recipient)
                except ValueError as error:
                    left.popleft()
                    yield False, Result(recipient, Outcome.REFUSED, Fault.RECIPIENT, str(error))
                    continue
                session.sock.deadline = time.monotonic() + self._timeout
                served = session.served
                try:
                    result = session.deliver(
                        sender, recipient, message=message, still_ours=still_ours
                    )
                except _LostError as error:
                    if served:
                        continue
                    result = Result(recipient, Outcome.NOT_SENT, Fault.PROVIDER, str(error))
                except _NoSessionError:
                    raise
                except BaseException:
                    # In the middle of a transaction: nobody may go on talking on this connection.
                    session.close()
                    raise
                if result is None:
                    return
                left.popleft()
                yield True, result
                losses = losses + 1 if session.is_over and result.fault is Fault.PROVIDER else 0
                if losses > 1 or (losses and session.sock.is_late()):
                    raise _NoSessionError(Fault.PROVIDER, result.reason)
        finally:
            if session and not session.is_over:
                self._idle.append(session)

    def probe(self) -> str:
        """Greet the server, encrypt and log in as for a mail, and send none; what came of it.

        Raises ``OSError`` with the reason where that fails.
        """
        try:
            session = self._open_session()
        except _NoSessionError as error:
            raise OSError(self._clean(str(error))) from None
        self._idle.append(session)
        server = self._server
        encrypted = "encrypted" if session.is_encrypted else "not encrypted"
        login = f", logged in as {server.user}" if server.user else ", without a login"
        return f"{server.host}:{server.port} answers, {encrypted}{login}"

    def close(self) -> None:
        """Take leave of the server on every connection that is kept."""
        while self._idle:
            self._idle.pop().quit()

    def _take_session(self) -> _Session:
        while self._idle:
            try:
                session = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if session.is_fresh():
                return session
            session.close()
        return self._open_session()

    def _open_session(self) -> _Session:
        server = self._server
        deadline = time.monotonic() + min(_CONNECT, self._timeout)
        implicit = self._tls if server.tls is Tls.IMPLICIT else None
        try:
            sock = sockets.connect(server.host, server.port, deadline=deadline, tls=implicit)
        except (OSError, ValueError) as error:
            reason = f"the mail server cannot be reached: {error}"
            raise _NoSessionError(Fault.PROVIDER, reason) from None
        session = _Session(sock, hostname=self._hostname)
        try:
            session.greet(server, tls=self._tls)
        except (OSError, ValueError) as error:
            session.close()
            raise _NoSessionError(_whose(error), _describe(error)) from None
        return session

    def _clean(self, reason: str) -> str:
        password = self._server.password
        return brief(reason.replace(password, "[password]") if len(password) > 3 else reason)


def _refusal(recipient: Recipient, step: str, reply: _Reply) -> Result:
    """What a refusal before the text means, by the command that it answers.

    Raises ``_NoSessionError`` where it is about us.
    """
    if reply.code < 400 or reply.code >= 600:
        return Result(recipient, Outcome.NOT_SENT, Fault.PROVIDER, f"no SMTP answer: {reply}")
    if reply.code < 500:
        fault = Fault.RECIPIENT if step == "RCPT" else Fault.PROVIDER
        return Result(recipient, Outcome.NOT_SENT, fault, str(reply))
    if step == "MAIL" and mailbox(recipient.address).isascii():
        # It does not know the recipient yet.
        reason = f"the mail server does not let us send as {reply}"
        raise _NoSessionError(Fault.CREDENTIALS, reason)
    return _permanent(recipient, reply)


def _permanent(recipient: Recipient, reply: _Reply) -> Result:
    """What a 5xx at a recipient or after the text means; see RFC 5321, 4.2.2 and RFC 3463.

    ``Fault.PROVIDER`` says that it may as well be about us.  Raises ``_NoSessionError`` where it
    certainly is: the sender's address, our login, our limit, the server's own trouble.
    """
    found = _ENHANCED.match(reply.text)
    detail = found.groups() if found else ("", "")
    if reply.code in _LOGIN_CODES or detail in _SENDER_DETAILS:
        raise _NoSessionError(Fault.CREDENTIALS, str(reply))
    if detail in _LIMIT_DETAILS or (detail[0] == "3" and detail != _TOO_LARGE):
        raise _NoSessionError(Fault.PROVIDER, str(reply))
    # Policy (X.7) and protocol (X.5) may be about one mailbox or about everything we send.
    is_doubtful = detail[0] in {"5", "7"} or (not found and reply.code in _NO_MAILBOX)
    fault = Fault.PROVIDER if is_doubtful else Fault.RECIPIENT
    return Result(recipient, Outcome.REFUSED, fault, str(reply))


def _whose(error: Exception) -> Fault:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Fault.CREDENTIALS if error.smtp_code >= 500 else Fault.PROVIDER
    return Fault.PROVIDER


def _describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error
        text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
        return f"the mail server answered {error.smtp_code} {text}"
    return f"the mail server cannot be used: {error}"
