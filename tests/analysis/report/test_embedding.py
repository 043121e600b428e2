"""Nothing that is put into a page can end its element."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report import embedding

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@dataclass
class Option:
    label: str


@given(JSON)
def test_data_is_plain_ascii_without_markup_and_reads_back(value: object) -> None:
    text = str(embedding.data(value))
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text) == value


def test_data_takes_dataclasses_mappings_and_numbers_of_arrays() -> None:
    value = {"options": (Option("</script>"),), "n": np.int64(3), "x": np.float64(0.5)}
    read = json.loads(embedding.data(value))
    assert read == {"options": [{"label": "</script>"}], "n": 3, "x": 0.5}


def test_data_holds_no_number_that_json_does_not_have() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        embedding.data({"x": math.nan})
    with pytest.raises(TypeError, match="a page holds JSON alone, but got set"):
        embedding.data({1})


@pytest.mark.parametrize("text", ["'</script>'", "'</SCRIPT >'", "'<!--'"])
def test_a_script_must_not_end_its_element(text: str) -> None:
    with pytest.raises(ValueError, match="must not contain"):
        embedding.script(text)


def test_a_style_must_not_end_its_element() -> None:
    assert embedding.style("p > a {}") == "p > a {}"
    with pytest.raises(ValueError, match="must not contain"):
        embedding.style("p::after {content: '</style>'}")


def test_the_policy_lets_nothing_be_loaded() -> None:
    digest = base64.b64encode(hashlib.sha256(b"go()").digest()).decode()
    directives = dict(part.strip().split(" ", 1) for part in embedding.policy(["go()"]).split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == f"'sha256-{digest}'"
    assert "connect-src" not in directives
    assert "http" not in embedding.policy(["go()"])
