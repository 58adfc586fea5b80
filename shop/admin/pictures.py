"""Which files may be the picture of a product."""

from xml.etree import ElementTree

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import FileExtensionValidator
from django.utils.translation import gettext_lazy as _

MAX_BYTES = 1_000_000
_STARTS = {"png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff", "jpeg": b"\xff\xd8\xff"}
_SVG = "{http://www.w3.org/2000/svg}svg"
# What runs, embeds a page, or may turn a link into a script while it plays.
_ACTIVE_ELEMENTS = {"script", "handler", "foreignobject", "iframe", "object", "embed", "animate", "set"}

_has_known_extension = FileExtensionValidator(["svg", "png", "jpg", "jpeg", "webp"])


def check_picture(upload: UploadedFile) -> None:
    """ValidationError unless the file is an SVG, PNG, JPEG or WebP below 1 MB that is what its name says.

    An SVG is a document that can carry scripts and reach out to other places: one that does is refused.
    """
    _has_known_extension(upload)
    if (upload.size or 0) >= MAX_BYTES:
        raise ValidationError(_("Choose a picture below 1 MB."), code="picture_too_large")
    upload.seek(0)
    content = upload.read()
    upload.seek(0)
    extension = (upload.name or "").rpartition(".")[2].lower()
    if extension == "svg":
        _check_svg(content)
        return
    is_webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if not (is_webp if extension == "webp" else content.startswith(_STARTS[extension])):
        raise ValidationError(_("This is not the kind of picture its name says."), code="picture_not_what_it_says")


def _check_svg(content: bytes) -> None:
    try:
        text = content.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise ValidationError(_("An SVG with a DOCTYPE is not accepted."), code="svg_with_doctype")
        # Nothing to fear from this parser: no entities get this far, and the size is bounded.
        root = ElementTree.fromstring(text)  # noqa: S314
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise ValidationError(_("This is not an SVG picture."), code="svg_unreadable") from error
    if root.tag != _SVG:
        raise ValidationError(_("This is not an SVG picture."), code="svg_unreadable")
    if any(_is_active(element) for element in root.iter()):
        raise ValidationError(
            _("This SVG contains scripts or links to other places. Save it as a plain SVG."), code="svg_active"
        )


def _is_active(element: ElementTree.Element) -> bool:
    if _local(element.tag) in _ACTIVE_ELEMENTS:
        return True
    for name, value in element.attrib.items():
        if _local(name).startswith("on"):
            return True
        if _local(name) in {"href", "src"} and not value.strip().startswith(("#", "data:image/")):
            return True
    return False


def _local(name: str) -> str:
    return name.rpartition("}")[2].lower()
