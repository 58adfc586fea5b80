"""What the schema says of refusals: all of them are problem details (RFC 9457), and where each can come."""

from typing import Any

PROBLEM = {
    "type": "object",
    "description": "A refusal. `type` is its name for programs, `detail` a sentence for people.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "example": "/problems/list_changed"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 499},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {},
            "description": "invalid: what is wrong, by field; `non_field_errors` where it is the whole",
        },
        "items": {
            "type": "array",
            "description": "list_changed: the items of the list that stood in the way",
            "items": {
                "type": "object",
                "required": ["id", "reason", "unit_price", "stock"],
                "properties": {
                    "id": {"type": "integer"},
                    "reason": {"type": "string"},
                    "unit_price": {"type": "string", "nullable": True, "description": "the price now"},
                    "stock": {"type": "integer", "nullable": True},
                },
            },
        },
        "lines": {
            "type": "array",
            "description": "refused: the lines that stood in the way",
            "items": {
                "type": "object",
                "required": ["sku", "reason"],
                "properties": {
                    "sku": {"type": "string"},
                    "reason": {"type": "string"},
                    "price": {"type": "string", "nullable": True, "description": "the price now"},
                    "currency": {"type": "string"},
                    "stock": {"type": "integer", "nullable": True},
                },
            },
        },
    },
}
_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_COMMON = {
    "400": ("BadRequest", "parse_error or invalid (see `errors`); idempotency_key_missing, idempotency_key_invalid"),
    "401": ("NotSignedIn", "not_authenticated: no session token, or one that opens nothing any more"),
    "403": ("Forbidden", "permission_denied: a browser's session without its CSRF token"),
    "404": ("NotFound", "not_found: there is none, or it is not yours"),
    "406": ("NotAcceptable", "not_acceptable: the Accept header leaves no room for JSON"),
    "413": ("BodyTooLarge", "body_too_large: the body has more than 2.5 MB"),
    "415": ("UnsupportedMediaType", "unsupported_media_type: the body is not application/json"),
}
_UNSAFE = {"post", "put", "patch", "delete"}


def document_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: Problem as the body of every refusal, and the refusals any view gives.

    A method a path does not name is answered 405, also with a Problem; OpenAPI has no place to say so.
    """
    components = result["components"]
    components["schemas"] = dict(sorted({**components["schemas"], "Problem": PROBLEM}.items()))
    components["responses"] = {name: {"description": text, "content": _CONTENT} for name, text in _COMMON.values()}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            for status, answer in responses.items():
                if status >= "400":
                    answer["content"] = _CONTENT
            for status in _refusals(path, method, operation):
                responses.setdefault(status, {"$ref": f"#/components/responses/{_COMMON[status][0]}"})
            operation["responses"] = dict(sorted(responses.items()))
    return result


def _refusals(path: str, method: str, operation: dict[str, Any]) -> set[str]:
    """The statuses the framework answers before, or whatever, the view says."""
    found = {"406"}
    if "requestBody" in operation:
        found |= {"400", "413", "415"}
    if {} not in operation["security"]:
        found |= {"401", "403"} if method in _UNSAFE else {"401"}
    if "{" in path:
        found.add("404")
    return found
