"""Coming and going: sign up, sign in, sign out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from crowdalpha.server.auth import LEAST
from crowdalpha.server.pages.render import answer
from crowdalpha.server.pages.route import pages, refusal_of, wrongs
from crowdalpha.server.pages.visitors import Filled, cookie_of, door_of, forget, form, now_of, remember, visitor_of

router = pages()
Sent = Annotated[Filled, Depends(form)]
HOME = "/account"


@router.get("/sign-in")
@router.get("/sign-up")
def door(request: Request) -> Response:
    """The form; who is signed in already is sent home."""
    return RedirectResponse(HOME, 303) if visitor_of(request) else _form(request, request.query_params.get("next", ""))


@router.post("/sign-up")
def sign_up(request: Request, sent: Sent) -> Response:
    """Open an account, and come in."""
    people, now = door_of(request).service.people, now_of(request)
    try:
        account = people.sign_up(sent["email"], sent["password"], sent["name"], now)
    except Exception as error:
        return _again(request, sent, error)
    return _welcome(request, sent, *people.begin(account.id, now))


@router.post("/sign-in")
def sign_in(request: Request, sent: Sent) -> Response:
    """Come in."""
    people, now = door_of(request).service.people, now_of(request)
    try:
        begun = people.log_in(sent["email"], sent["password"], now)
    except Exception as error:
        return _again(request, sent, error)
    return _welcome(request, sent, *begun)


@router.post("/sign-out")
def sign_out(request: Request, sent: Sent) -> Response:
    """Go: the session ends, here and for whoever else has its cookie."""
    door_of(request).service.people.log_out(request.cookies.get(cookie_of(request), ""), now_of(request))
    return forget(request, RedirectResponse("/", 303))


def inside(address: str) -> str:
    """An address of this site, or home: nobody is sent elsewhere by a link to us.

    >>> inside("/submit"), inside("//elsewhere.example"), inside("/\\\\elsewhere.example")
    ('/submit', '/account', '/account')
    """
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain and len(address) < 200 else HOME


def _welcome(request: Request, sent: Filled, cookie: str, session: Any) -> Response:
    return remember(request, RedirectResponse(inside(sent["next"]), 303), cookie, session)


def _again(request: Request, sent: Filled, error: Exception) -> Response:
    """The form again, with what is wrong; the password is to be written anew."""
    said = refusal_of(error)
    return _form(request, sent["next"], status=said.status, problems=wrongs(said), said=sent)


def _form(request: Request, next: str, *, status: int = 200, problems: Any = (), said: Any = None) -> Response:
    new = request.url.path == "/sign-up"
    before = {"name": said["name"], "email": said["email"]} if said else {"name": "", "email": ""}
    context = {"new": new, "next": inside(next), "least": LEAST, "problems": problems, "said": before}
    context |= {"changed": "changed" in request.query_params}
    return answer(request, "sign.html", status=status, **context)
