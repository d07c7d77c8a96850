"""The OpenAPI document, made of the forms that requests are read by and answered in."""

from collections.abc import Iterable
from typing import Any

import msgspec

from .._core import __version__
from .forms import Refusal
from .routes import Route

REFUSALS = {
    400: "A parameter is missing, unknown, or breaks its rule.",
    401: "The token is missing or another.",
    403: "The request names another host, or comes from a page of another origin.",
    404: "There is no such market or path.",
    405: "Another method than GET, HEAD and OPTIONS.",
    409: "A parameter breaks a rule that others set, or the markets as they are now: their tiers, bins, columns.",
    413: "The request has a body.",
    414: "The URL is longer than 8,192 bytes.",
    429: "Too many requests of one address.",
    503: "Too many requests at once, or the server is not well.",
}
AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}


def document(routes: Iterable[Route], *, token: bool) -> dict[str, Any]:
    """
    Return the document.

    Parameters
    ----------
    routes : iterable of Route
    token : bool
        Whether clients must show one.
    """
    routes = tuple(routes)
    kinds: list[type] = [Refusal, *(route.answer for route in routes if isinstance(route.answer, type))]
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    forms = dict(zip(kinds, schemas, strict=True))
    said: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "liqcore",
            "version": __version__,
            "description": "Liquidation heatmaps, maps, zones and features of markets as they are followed. Times are "
            "ns since the UNIX epoch, UTC; null stands for what is not known.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {route.path: {"get": _operation(route, forms)} for route in routes},
        "components": {"schemas": components},
    }
    if token:
        said["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "query": {"type": "apiKey", "in": "query", "name": "token"},
        }
        said["security"] = [{"bearer": []}, {"query": []}]
    return said


def _operation(route: Route, forms: dict[type, dict[str, Any]]) -> dict[str, Any]:
    if isinstance(route.answer, type):
        content: dict[str, Any] = {"application/json": {"schema": forms[route.answer]}}
    else:
        schema = {"type": "string"} if route.answer.startswith("text/") else {}
        content = {route.answer: {"schema": schema}}
    responses: dict[str, Any] = {"200": {"description": route.summary, "content": content}}
    for status, text in REFUSALS.items():
        responses[str(status)] = {
            "description": text,
            "content": {"application/json": {"schema": forms[Refusal]}},
            **({"headers": AFTER} if status in (429,) else {}),
        }
    if route.path == "/health":
        both = [forms[Refusal], content["application/json"]["schema"]]
        responses["503"]["content"] = {"application/json": {"schema": {"anyOf": both}}}
    return {
        "operationId": route.path.strip("/").replace(".", "_"),
        "summary": route.summary,
        "parameters": _parameters(route.asked),
        "responses": responses,
    }


def _parameters(asked: type[msgspec.Struct]) -> list[dict[str, Any]]:
    """Return the fields of a form as parameters of a query; several values stand between commas."""
    (_,), components = msgspec.json.schema_components([asked], ref_template="{name}")
    form = components[asked.__name__]
    out = []
    for name, schema in form["properties"].items():
        schema = dict(schema)
        if "anyOf" in schema:  # a parameter is left out, not null
            (schema,) = [dict(one) for one in schema["anyOf"] if one != {"type": "null"}]
        if schema.get("default", ...) in (None, [], ()):
            del schema["default"]
        described = schema.pop("description", "")
        one: dict[str, Any] = {"name": name, "in": "query", "required": name in form.get("required", ())}
        if schema.get("type") == "array":
            schema.setdefault("minItems", 1)
            one |= {"style": "form", "explode": False}
        out.append(one | {"description": described, "schema": schema})
    return out
