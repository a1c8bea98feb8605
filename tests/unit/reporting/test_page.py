from __future__ import annotations

import base64
import hashlib
import json

from smallvision.reporting import page


def test_json_cannot_leave_its_element() -> None:
    value = {"</script>": ["<!--", "]]>", "&lt;", "\u2028", "ä"]}
    text = page.embed_json(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


def test_policy_knows_texts_by_their_hash() -> None:
    digest = base64.b64encode(hashlib.sha256(b"alert(1)").digest()).decode()
    policy = page.write_policy(("p{}",), ("alert(1)", ""))
    assert f"script-src 'sha256-{digest}'; " in policy
    assert policy.count("sha256-") == 3


def test_styles_of_plotly_are_found() -> None:
    script = "e.textContent='.a{b:c}',document.head.appendChild(e)"
    assert page.find_styles(script) == (".a{b:c}",)
    assert page.find_styles("nothing") == ()


def test_numbering_counts_each_kind() -> None:
    numbering = page.Numbering()
    labels = [numbering.next(kind) for kind in ("Figure", "Table", "Figure")]
    assert labels == ["Figure 1", "Table 1", "Figure 2"]
