"""HTML as mail programs need it."""

from collections.abc import Mapping
from typing import Any

import css_inline
from django.template.loader import render_to_string

# Mail programs drop <style> or keep it: the look goes into the tags, only what depends on the screen stays behind.
_inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def render_html(template: str, context: Mapping[str, Any]) -> str:
    """The template with the styles of its head written into its tags."""
    return _inliner.inline(render_to_string(template, dict(context)))
