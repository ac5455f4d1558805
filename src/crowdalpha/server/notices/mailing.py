"""Mail, by the operator's own host."""

from __future__ import annotations

import smtplib
import ssl
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage

from crowdalpha.settings import MailSettings

LIMIT = 20.0
"""Seconds that the host may take for each of its answers."""
TAKEN = 250


def mail(settings: MailSettings, to: str, subject: str, text: str, id: str) -> tuple[int, str]:
    """Send a mail: 250 if the host has taken it, else its answer; 0 if there was none. Its id is the notice's."""
    try:
        message = _letter(settings.sender, to, subject, text, id)
    except (HeaderParseError, ValueError, IndexError):
        return 0, "the address cannot be written to"
    try:
        with smtplib.SMTP(settings.host, settings.port, timeout=LIMIT) as host:
            if settings.starttls:
                host.starttls(context=ssl.create_default_context())
            if settings.user:
                host.login(settings.user, settings.password)
            host.send_message(message, settings.sender, [to])
    except smtplib.SMTPRecipientsRefused as refused:
        status, _ = next(iter(refused.recipients.values()))
        return status, f"{status}: the address was refused"
    except smtplib.SMTPResponseException as error:
        return error.smtp_code, f"{error.smtp_code}: the host said no"
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        return 0, f"the host was not reached: {type(error).__name__}"
    return TAKEN, str(TAKEN)


def _letter(sender: str, to: str, subject: str, text: str, id: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["Message-ID"] = subject, f"<{id}@{sender.partition('@')[2]}>"
    message["From"], message["To"] = Address(addr_spec=sender), Address(addr_spec=to)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message
