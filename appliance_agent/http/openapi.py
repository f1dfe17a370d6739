"""The OpenAPI 3.1 document, made from the routes: what the kit checks is what the document says."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import TypeAdapter

from appliance_agent.http.bind import BINARY
from appliance_agent.http.errors import ErrorAnswer
from appliance_agent.http.route import Role, Route
from appliance_agent.store.sessions import COOKIE

PREFIX = "/api/v1"
SHARED = -1
Mode = Literal["validation", "serialization"]
Schema = dict[str, Any]

IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The draft's revision, as GET /config told",
    "schema": {"type": "string", "pattern": "^[0-9]{1,10}$"},
}

ERRORS = {
    400: "The request is not well-formed",
    401: "No session",
    403: "The role does not allow this, or the request comes from a foreign page",
    404: "There is no such thing",
    405: "Not with this method",
    409: "It conflicts with the present state",
    413: "The body is too large",
    415: "Unknown content type",
    416: "The range lies outside the file",
    422: "The content is refused; `fields` says where",
    429: "Too many attempts; see Retry-After",
    503: "Not available now; see Retry-After",
}


def document(routes: Sequence[Route], version: str) -> Schema:
    routes = [route for route in routes if not route.socket]
    schemas, components = _schemas(routes)
    paths: dict[str, Schema] = {}
    for index, route in enumerate(routes):
        parts = {part: schema for (owner, part), schema in schemas.items() if owner in (index, SHARED)}
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, parts)
    return {
        "openapi": "3.1.0",
        "info": {"title": "SA800 API", "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}},
        },
    }


def error_statuses(route: Route) -> set[int]:
    """Every failure this route can answer: its own and the kit's."""
    statuses = {503, *route.errors}
    if route.role is not Role.PUBLIC:
        statuses |= {401, 403}
    if route.method != "GET":
        statuses |= {403, 413}
    if "{" in route.path:
        statuses.add(404)
    if route.body is not None or route.multipart:
        statuses |= {400, 413, 415, 422}
    if route.query is not None or route.if_match:
        statuses.add(422)
    return statuses


def _models(route: Route) -> list[tuple[str, Mode, Any]]:
    found: list[tuple[str, Mode, Any]] = []
    if route.body is not None:
        found.append(("body", "validation", route.body))
    if route.query is not None:
        found.append(("query", "validation", route.query))
    if route.reply not in (None, BINARY):
        found.append(("reply", "serialization", route.reply))
    return found


def _schemas(routes: Sequence[Route]) -> tuple[dict[tuple[int, str], Schema], dict[str, Schema]]:
    """Schemas by (index of the route, part) and what they refer to by name."""
    inputs: list[tuple[tuple[int, str], Mode, TypeAdapter[Any]]] = [
        ((SHARED, "error"), "serialization", TypeAdapter(ErrorAnswer))
    ]
    for index, route in enumerate(routes):
        inputs += [((index, part), mode, TypeAdapter(model)) for part, mode, model in _models(route)]
    made, rest = TypeAdapter.json_schemas(inputs, ref_template="#/components/schemas/{model}")
    components: dict[str, Schema] = rest.get("$defs", {})
    schemas = {key: dict(schema) for (key, _mode), schema in made.items()}
    for (_index, part), schema in schemas.items():
        if part == "body":
            _close(schema, components, set())
        if part == "query" and "$ref" in schema:
            schema.update(components[schema["$ref"].rsplit("/", 1)[1]])
    return schemas, components


def _close(schema: Any, components: dict[str, Schema], seen: set[str]) -> None:
    """The kit refuses unknown members of every body, so the document must say so: additionalProperties false."""
    if isinstance(schema, list):
        for part in schema:
            _close(part, components, seen)
    if not isinstance(schema, dict):
        return
    if "properties" in schema and "additionalProperties" not in schema:
        schema["additionalProperties"] = False
    for key, part in list(schema.items()):
        if key != "$ref":
            _close(part, components, seen)
        elif (name := str(part).rsplit("/", 1)[1]) not in seen:
            seen.add(name)
            _close(components[name], components, seen)


def _operation(route: Route, parts: dict[str, Schema]) -> Schema:
    operation: Schema = {
        "summary": route.summary,
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "tags": [route.path.split("/")[1].split(".")[0]],
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(parts.get("query", {})),
            *([IF_MATCH] if route.if_match else []),
        ],
        "responses": _responses(route, parts),
        "security": [] if route.role is Role.PUBLIC else [{"session": []}],
        "x-role": route.role.name.lower(),
    }
    if route.body is not None:
        content = {"application/json": {"schema": parts["body"]}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.multipart:
        operation["requestBody"] = {
            "required": True,
            "content": {"multipart/form-data": {"schema": {"type": "object"}}},
        }
    return operation


def _path_parameters(route: Route) -> list[Schema]:
    schema = {"type": "string", "minLength": 1, "maxLength": 128}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema} for name in re.findall(r"{(\w+)}", route.path)
    ]


def _query_parameters(schema: Schema) -> list[Schema]:
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema.get("properties", {}).items()
    ]


def _responses(route: Route, parts: dict[str, Schema]) -> Schema:
    good: Schema = {"description": "Done" if route.reply is None else "The answer"}
    if route.reply == BINARY:
        good["content"] = {route.media: {"schema": {}}}
    elif route.reply is not None:
        good["content"] = {"application/json": {"schema": parts["reply"]}}
    responses: Schema = {str(204 if route.reply is None else route.status): good}
    if route.reply == BINARY:
        responses |= {"206": good, "304": {"description": "Not modified"}, "416": {"description": "No such range"}}
    error = {"application/json": {"schema": parts["error"]}}
    for status in sorted(error_statuses(route)):
        responses[str(status)] = {"description": ERRORS[status], "content": error}
    return responses
