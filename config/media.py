"""Uploaded pictures, as the embedded default serves them; in production the web server in front does."""

from csp.decorators import csp
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.static import serve

_HARMLESS = {"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "sandbox": True}


# An SVG is a document: opened by itself it must not be able to run anything in the shop's name.
@csp(_HARMLESS)  # type: ignore[arg-type]  # its type leaves out the arguments of the address
def picture(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file under MEDIA_ROOT; 404 for anything else."""
    response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    response["Cache-Control"] = "public, max-age=86400"
    response["X-Content-Type-Options"] = "nosniff"
    return response
