"""What a client's JSON may look like before anybody reads its fields."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class PlainJSONParser(JSONParser):
    """JSON in UTF-8, as RFC 8259 wants it. ParseError also for what would stumble later.

    That is nesting beyond all need, and lone surrogates, which neither the database nor an answer can write.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = super().parse(stream, media_type, {"encoding": "utf-8"})
            json.dumps(data, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError("JSON parse error - nested too deeply") from None
        except UnicodeEncodeError:
            raise ParseError("JSON parse error - text that is no Unicode") from None
        return data
