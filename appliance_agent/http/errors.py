"""One error format for every failed request. The only place where a Fault becomes an HTTP status."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault


class FieldError(BaseModel):
    path: str
    message: str
    key: str
    """For translations; "" where there are none."""
    values: dict[str, str | int]
    """What the translation names."""

    @classmethod
    def of(cls, fault: FieldFault) -> "FieldError":
        return cls(path=fault.path, message=fault.message, key=fault.key, values=dict(fault.values))


class ErrorBody(BaseModel):
    key: str
    message: str
    hint: str
    fields: list[FieldError]


class ErrorAnswer(BaseModel):
    error: ErrorBody


STATUS: Mapping[FaultKind, int] = {
    FaultKind.INVALID: 422,
    FaultKind.UNAUTHENTICATED: 401,
    FaultKind.DENIED: 403,
    FaultKind.NOT_FOUND: 404,
    FaultKind.CONFLICT: 409,
    FaultKind.TOO_LARGE: 413,
    FaultKind.TOO_MANY: 429,
    FaultKind.UNAVAILABLE: 503,
    FaultKind.INTERNAL: 500,
}


class Refused(Exception):
    """A request that is wrong as HTTP, before it means anything: 400, 415."""

    def __init__(self, status: int, key: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.key = key
        self.message = message


MAX_FIELDS = 20
"""Field errors told in one answer; a hostile body could have a million."""


def answer(
    status: int,
    key: str,
    message: str,
    *,
    hint: str = "",
    fields: tuple[FieldFault, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    body = ErrorAnswer(
        error=ErrorBody(
            key=key,
            message=message,
            hint=hint,
            fields=[FieldError.of(field) for field in fields[:MAX_FIELDS]],
        )
    )
    return web.Response(
        status=status, body=body.model_dump_json().encode(), content_type="application/json", headers=headers
    )


def from_fault(fault: Fault) -> web.Response:
    headers = {}
    if fault.retry_after_s is not None:
        headers["Retry-After"] = str(fault.retry_after_s)
    return answer(STATUS[fault.kind], fault.key, fault.message, hint=fault.hint, fields=fault.fields, headers=headers)


def from_http(error: web.HTTPException) -> web.Response:
    """aiohttp's own answers (unknown path, wrong method) in our format."""
    if error.status == 404:
        return answer(404, "http.not_found", "There is nothing at this address.")
    if error.status == 405:
        allow = {"Allow": error.headers.get("Allow", "")}
        return answer(405, "http.method", f"This address answers {allow['Allow']} only.", headers=allow)
    if error.status == 413:
        return answer(413, "http.too_large", "The body is larger than this address takes.")
    return answer(error.status, "http.refused", error.reason)


def invalid(prefix: str, error: ValidationError) -> Fault:
    """What pydantic found, with paths a form can use: options/1/target. Values are not repeated (passwords)."""
    fields = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False)[:MAX_FIELDS]:
        path = "/".join([*([prefix] if prefix else []), *(str(part) for part in detail["loc"])])
        fields.append(FieldFault(path, detail["msg"].removeprefix("Value error, ")))
    first = fields[0]
    message = f"{first.path}: {first.message}" if first.path else first.message
    return Fault(FaultKind.INVALID, "request.invalid", message, fields=fields)


def broken_json(error: ValidationError) -> "Refused | None":
    """400 with the position when the body is no JSON at all; None when it is JSON of a wrong shape."""
    details: list[Any] = error.errors(include_url=False, include_input=False)
    if details and details[0]["type"] == "json_invalid":
        return Refused(400, "request.json", f"The body is not JSON: {details[0]['ctx']['error']}.")
    return None
