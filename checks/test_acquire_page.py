"""The page of acquire lists every field of a plan with its default."""

import json
import re
from pathlib import Path

from nanospa.acquire import Plan

PAGE = Path(__file__).resolve().parents[1] / "docs" / "acquire.md"


def test_every_field_and_its_default():
    table = PAGE.read_text(encoding="utf-8").split("<!-- plan -->")[1].split("<!-- /plan -->")[0]
    written = {name: json.loads(value) for name, value in re.findall(r"^\| `(\w+)` \| `(.+?)` \|", table, re.MULTILINE)}
    assert written == json.loads(Plan().model_dump_json())
