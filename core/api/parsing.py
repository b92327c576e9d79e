"""Reading JSON. Apart from the views: the framework loads this while it loads its own views."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class CarefulJSONParser(JSONParser):
    """JSON as the framework reads it, without what no field can hold: half of a surrogate pair (which no database
    stores), a number beyond all bounds, a nesting deeper than the reader. Each would come back as a fault of ours.
    """

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            text = stream.read().decode("utf-8")
            found = json.loads(text, parse_constant=_no_number, parse_float=_finite)
            if "\\u" in text:  # only so can half a pair get in
                json.dumps(found, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            raise ParseError(str(error)) from error
        return found


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text[:20]} is no number")
