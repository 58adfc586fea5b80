"""`python -m config.translations`: is every text of the code and the templates said in every language of the shop?

English is the source. Each other language of the settings needs, for every text, a translation that is not empty, not
fuzzy and has the same placeholders. Prints what is wrong and exits with 1. Reads with Babel alone, as gettext's own
tools are not on every machine.
"""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import django
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

SOURCE_LANGUAGE = "en"
FOLDERS = ["accounts", "config", "mylist", "notify", "shop", "templates"]
TEMPLATES = {".html", ".txt"}
KEYWORDS = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"]),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], ((1, "c"), 2)),
    **dict.fromkeys(["npgettext", "npgettext_lazy"], ((1, "c"), 2, 3)),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")


class Text(NamedTuple):
    """A translatable text and where it was first seen."""

    context: str | None
    id: str | tuple[str, ...]
    place: str


def texts_of(path: Path, place: str) -> Iterator[Text]:
    """The translatable texts of a Python file or a template."""
    source = path.read_text(encoding="utf-8")
    method = "python"
    if path.suffix in TEMPLATES:
        # Django turns all but the translatable into X; what is left reads as JavaScript. Its comments may hold quotes.
        source = re.sub(r"^\s*#.*$", "", templatize(source, origin=str(path)), flags=re.MULTILINE)
        method = "javascript"
    for line, message, _comments, context in extract(method, io.BytesIO(source.encode()), KEYWORDS):
        yield Text(context, message, f"{place}:{line}")


def used_texts(root: Path) -> dict[tuple[str | None, str], Text]:
    """Every text of the project by context and (singular) id."""
    found: dict[tuple[str | None, str], Text] = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix == ".py" or path.suffix in TEMPLATES:
                for text in texts_of(path, str(path.relative_to(root))):
                    found.setdefault((text.context, text.id if isinstance(text.id, str) else text.id[0]), text)
    return found


def faults(language: str, root: Path) -> Iterator[str]:
    """What the language lacks, a sentence each."""
    path = root / "locale" / to_locale(language) / "LC_MESSAGES" / "django.po"
    if not path.exists():
        yield f"{path.relative_to(root)} is missing"
        return
    with path.open("rb") as file:
        catalog = read_po(file)
    for (context, singular), text in used_texts(root).items():
        said = catalog.get(singular, context)
        strings = [] if said is None else [said.string] if isinstance(said.string, str) else list(said.string or ())
        if said is None or not all(strings) or not strings:
            yield f"{text.place}: {singular!r} is not translated"
        elif said.fuzzy:
            yield f"{text.place}: the translation of {singular!r} is fuzzy"
        else:
            plural = singular if isinstance(text.id, str) else text.id[-1]
            wanted = set(PLACEHOLDER.findall(singular)) | set(PLACEHOLDER.findall(plural))
            if any(set(PLACEHOLDER.findall(string)) != wanted for string in strings):
                yield f"{text.place}: the translation of {singular!r} has other placeholders"


def main() -> int:
    django.setup()
    wrong = 0
    for language, _name in settings.LANGUAGES:
        if language != SOURCE_LANGUAGE:
            for fault in faults(language, settings.BASE_DIR):
                sys.stdout.write(f"{language}: {fault}\n")
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
