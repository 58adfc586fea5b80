"""How an app's session token leads to its session."""

from importlib import import_module

from allauth.headless.tokens.strategies.sessions import SessionTokenStrategy
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from accounts import devices


class SessionTokens(SessionTokenStrategy):
    """allauth's own, but in one statement: it asks first whether there is a session, then loads it."""

    def lookup_session(self, session_token: str) -> SessionBase | None:
        session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(session_token)
        signed_in = session.get(SESSION_KEY)  # loads it; one that is missing or expired forgets its key
        if signed_in and devices.note_seen(session, at=timezone.now()):
            session.save()
        return session if session.session_key else None
