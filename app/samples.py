"""How to ask for a prediction in four languages, as the documentation shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

ADDRESS = "http://127.0.0.1:8000/predict"
"""Where a single process listens; the page that shows the samples puts in its own address."""
_TEMPLATE = """
Behind Esteira's gateway the case stands before the path: `/{case}/predict`.

An answer's `warnings` name values that the training never saw. With an API key, add the header `X-API-Key`.

```sh
curl {url} -H 'Content-Type: application/json' -d '{shell}'
```
```python
import httpx

answer = httpx.post("{url}", json={python})
print(answer.raise_for_status().json()["prediction"])
```
```js
const answer = await fetch("{url}", {{
  method: "POST",
  headers: {{"Content-Type": "application/json"}},
  body: JSON.stringify({json}),
}});
console.log((await answer.json()).prediction);
```
```r
library(httr2)

record <- {r}
answer <- request("{url}") |> req_body_json(record) |> req_perform()
resp_body_json(answer)$prediction
```
"""


def samples(case: str, record: Mapping[str, Any]) -> str:
    """Markdown that asks for the answer to a record, by its JSON names."""
    content = json.dumps(record, ensure_ascii=False)
    return _TEMPLATE.format(
        url=ADDRESS,
        case=case,
        shell=content.replace("'", "'\\''"),
        python=repr(dict(record)),
        json=content,
        r=_in_r(record),
    )


def _in_r(record: Mapping[str, Any]) -> str:
    return f"list({', '.join(f'{_r_name(name)} = {_r_value(value)}' for name, value in record.items())})"


def _r_name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _r_value(value: Any) -> str:
    return "NA" if value is None else json.dumps(value, ensure_ascii=False)
